"""The running service that the pages and the API description speak of."""

from collections.abc import Iterator

import pytest

from local.mip import MipCloud
from local.stack import LocalStack


@pytest.fixture(scope="package")
def stack() -> Iterator[LocalStack]:
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=MipCloud()) as running:
        yield running
