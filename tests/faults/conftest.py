"""The handlers' fixtures, with a worker that neither sleeps nor waits long for an answer."""

import functools
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest

from core.adapters import mip_client
from core.adapters.mip_client import MipClient
from handlers.wiring import worker
from tests.handlers.conftest import environment, log_lines, mip, service, warm

__all__ = ["environment", "log_lines", "mip", "service", "warm"]


@pytest.fixture(scope="session", autouse=True)
def _aws_models_read_once() -> Iterator[None]:
    """Every test has AWS clients of its own; their models are the same, and long to read."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(botocore.session.create_loader)
        patch.setattr(botocore.session, "create_loader", once)
        yield


class ImpatientMipClient(MipClient):
    """A client that waits one second for an answer, which no setting allows."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._read_timeout = 1.0


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The backoff that the worker would have kept between its tries, in seconds."""
    made: list[float] = []
    monkeypatch.setattr(
        worker, "time", SimpleNamespace(sleep=made.append, monotonic=time.monotonic)
    )
    monkeypatch.setattr(worker, "MipClient", ImpatientMipClient)
    monkeypatch.setattr(mip_client, "LOGOUT_READ_TIMEOUT_SECONDS", 1.0)
    return made
