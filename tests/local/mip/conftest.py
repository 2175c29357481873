from collections.abc import Callable, Iterator

import pytest

from local.mip import MipCloud, MipCloudServer
from tests.local.mip.client import IDLE_SECONDS, LOCKOUT_SECONDS, Client, Clock


@pytest.fixture(scope="package")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="package")
def server(clock: Clock) -> Iterator[MipCloudServer]:
    """One server for all tests: stopping one takes longer than most of them."""
    mip = MipCloud(clock=clock, lockout_seconds=LOCKOUT_SECONDS, idle_seconds=IDLE_SECONDS)
    with MipCloudServer(mip) as running:
        yield running


@pytest.fixture
def mip(server: MipCloudServer) -> MipCloud:
    server.mip.reset()
    server.mip.on_call = None
    return server.mip


@pytest.fixture
def new_client(server: MipCloudServer, mip: MipCloud) -> Iterator[Callable[[], Client]]:
    clients: list[Client] = []

    def make() -> Client:
        clients.append(Client(server.url))
        return clients[-1]

    yield make
    for each in clients:
        each.http.close()


@pytest.fixture
def client(new_client: Callable[[], Client]) -> Client:
    return new_client()
