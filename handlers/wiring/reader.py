"""The reader's composition root."""

import functools
import os
import time
from dataclasses import dataclass

from core.adapters.reader_requests import S3CacheReader, SqsRebuildSender
from core.adapters.signed_requests import SignedRequests
from core.ports import Clock
from core.reading.lookup import Lookup
from core.settings import ReaderSettings
from core.timing import Monotonic
from handlers.telemetry import PowertoolsTelemetry, function_name
from handlers.wiring import init_phase
from handlers.wiring.clock import utc_now


@dataclass(frozen=True, slots=True)
class Reader:
    """What one execution environment of the reader keeps between invocations."""

    settings: ReaderSettings
    lookup: Lookup
    telemetry: PowertoolsTelemetry
    clock: Clock
    monotonic: Monotonic


@functools.cache
def reader() -> Reader:
    """Build the reader, once per execution environment, and end its init phase.

    Raises ConfigurationError, at each invocation, while the environment is wrong.
    """
    try:
        return _build()
    finally:
        init_phase.end()


def _build() -> Reader:
    settings = ReaderSettings.from_environment(os.environ)
    telemetry = PowertoolsTelemetry(function_name(os.environ, "reader"))
    lookup = Lookup(
        store=S3CacheReader(SignedRequests("s3", os.environ, settings.cache_bucket)),
        queue=SqsRebuildSender(SignedRequests("sqs", os.environ), settings.rebuild_queue_url),
        telemetry=telemetry,
        clock=utc_now,
        sleep=time.sleep,
        settings=settings,
    )
    return Reader(settings, lookup, telemetry, utc_now, time.monotonic)
