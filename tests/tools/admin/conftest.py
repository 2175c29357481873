"""Emulated AWS with a stack on it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.tools.admin.command_line import CommandLine, make_stack


@pytest.fixture
def admin() -> Iterator[CommandLine]:
    with mock_aws():
        make_stack()
        yield CommandLine()
