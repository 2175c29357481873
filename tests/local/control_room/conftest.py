"""The stacks that the control room is tried on."""

from collections.abc import Iterator

import pytest

from local.stack import LocalStack
from tests.local.control_room.watching import Watching
from tests.local.toy_stack import toy_stack


@pytest.fixture(scope="module")
def toys() -> Iterator[Watching]:
    """A stack of toys: quick to start, with an API to be read."""
    with toy_stack() as stack:
        yield Watching(stack)


@pytest.fixture(scope="module")
def service() -> Iterator[Watching]:
    """The whole service, as `make local` runs it."""
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0) as stack:
        yield Watching(stack)
