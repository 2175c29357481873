"""Emulated AWS with a stack on it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.tools.admin.desk import Desk, make_stack


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def desk(aws: None) -> Desk:
    make_stack()
    return Desk()
