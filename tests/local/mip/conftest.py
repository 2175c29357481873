from collections.abc import Iterator

import pytest

from local.mip import MipCloud, MipCloudServer
from tests.fakes import FakeClock
from tests.local.mip.client import IDLE_SECONDS, LOCKOUT_SECONDS, Client


@pytest.fixture(scope="package")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="package")
def server(clock: FakeClock) -> Iterator[MipCloudServer]:
    """One server for all tests: stopping one takes longer than most of them."""
    mip = MipCloud(
        clock=clock.monotonic, lockout_seconds=LOCKOUT_SECONDS, idle_seconds=IDLE_SECONDS
    )
    with MipCloudServer(mip) as running:
        yield running


@pytest.fixture
def client(server: MipCloudServer) -> Iterator[Client]:
    server.mip.reset()
    server.mip.on_call = server.mip.on_answer = None
    client = Client(server)
    with client.http:
        yield client
