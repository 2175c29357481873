"""The handlers' fixtures, with a worker that neither sleeps nor waits long for an answer."""

import time
from types import SimpleNamespace

import pytest

from core.adapters import mip_client
from handlers.wiring import worker
from tests.handlers.conftest import environment, log_lines, mip, service, warm

__all__ = ["environment", "log_lines", "mip", "service", "warm"]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(sleep=lambda _seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(worker, "time", clock)
    monkeypatch.setattr(mip_client, "READ_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(mip_client, "LOGOUT_READ_TIMEOUT_SECONDS", 0.2)
