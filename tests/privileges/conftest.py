"""One deployment per module; what changes it begins by cleaning up."""

from collections.abc import Iterator

import pytest

from tests.privileges.deployment import Deployment, deployed


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with deployed() as running:
        yield running
