"""A worker over fakes, whose parts the tests look at."""

import pytest

from tests.fakes import FakeClock
from tests.wired import WiredWorker


@pytest.fixture
def worker(clock: FakeClock) -> WiredWorker:
    return WiredWorker(clock=clock)
