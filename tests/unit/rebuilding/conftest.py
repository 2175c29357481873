"""A worker over fakes, whose parts the tests look at."""

import pytest

from tests.wired import WiredWorker


@pytest.fixture
def worker() -> WiredWorker:
    return WiredWorker()
