"""What holds for every test: a known environment, and no way out of this machine."""

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import settings

from core.settings import AdminSettings, ReaderSettings, WorkerSettings
from tests.fakes import FakeClock, InMemoryStore, RecordingQueue, RecordingTelemetry

# A busy machine must not fail a rule; and a rule that fails must fail again with the same values.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")

LEAKING_PREFIXES = ("AWS_", "MIP_", "CACHE_", "POWERTOOLS_", "SSM_", "LAMBDA_", "_X_AMZN_")
LEAKING_NAMES = {
    "LOG_LEVEL",
    *(
        setting.name.upper()
        for function in (ReaderSettings, WorkerSettings, AdminSettings)
        for setting in fields(function)
    ),
}
FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class NetworkBlockedError(RuntimeError):
    """A test tried to reach something other than this machine."""


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Drop what the shell says of AWS and MIP; give credentials of no worth."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(LEAKING_PREFIXES) or name in LEAKING_NAMES:
                patch.delenv(name)
        for name, value in FAKE_AWS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Refuse names and addresses outside loopback in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guard(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise NetworkBlockedError(f"a test tried to connect to {address[0]}")
        return connect(self, address)

    return guard


def _guarded_lookup(getaddrinfo: Callable[..., Any]) -> Callable[..., Any]:
    def guard(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            raise NetworkBlockedError(f"a test tried to look up {host}")
        return getaddrinfo(host, *args, **kwargs)

    return guard


def _is_local(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> InMemoryStore:
    return InMemoryStore()


@pytest.fixture
def queue(clock: FakeClock) -> RecordingQueue:
    return RecordingQueue(clock)


@pytest.fixture
def telemetry() -> RecordingTelemetry:
    return RecordingTelemetry()
