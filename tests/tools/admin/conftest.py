"""Emulated AWS with a stack on it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.tools.admin.command_line import Desk, make_stack


@pytest.fixture
def desk() -> Iterator[Desk]:
    with mock_aws():
        make_stack()
        yield Desk()
