"""The worker's composition root."""

import functools
import os
import random
import time
from dataclasses import dataclass

from core.adapters.aws import client
from core.adapters.mip_client import MipClient
from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.rebuilding.batch import BatchProcessor
from core.rebuilding.entries import Entries
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.refused_credentials import RefusedCredentials
from core.rebuilding.session import SessionKeeper
from core.rebuilding.settlement import Settlement
from core.settings import WorkerSettings
from core.timing import Deadline
from handlers.telemetry import PowertoolsTelemetry, function_name
from handlers.wiring.clock import utc_now


@dataclass(frozen=True, slots=True)
class Worker:
    """What one execution environment of the worker keeps between invocations: clients, no data.

    What an invocation learns, it learns in a batch processor of its own.
    """

    settings: WorkerSettings
    telemetry: PowertoolsTelemetry
    store: S3CacheStore
    secrets: SsmSecrets
    queue: SqsRebuildQueue
    dead_letters: SqsDeadLetterQueue

    def batch_processor(self, remaining_seconds: float) -> BatchProcessor:
        """Build what one invocation processes its batch with; its HTTP connections end with it."""
        return BatchProcessor(
            rebuilder=self._rebuilder(remaining_seconds),
            settlement=self._settlement(),
            clock=utc_now,
            settings=self.settings,
        )

    def _rebuilder(self, remaining_seconds: float) -> Rebuilder:
        upstream = MipClient(
            telemetry=self.telemetry, clock=utc_now, sleep=time.sleep, settings=self.settings
        )
        sessions = SessionKeeper(
            upstream=upstream,
            secrets=self.secrets,
            refused=RefusedCredentials(self.store, utc_now, self.settings),
            telemetry=self.telemetry,
            clock=utc_now,
            invocation_ends=Deadline.after(remaining_seconds, time.monotonic),
            settings=self.settings,
        )
        return Rebuilder(
            entries=Entries(self.store, self.telemetry, self.settings),
            upstream=upstream,
            sessions=sessions,
            telemetry=self.telemetry,
            clock=utc_now,
            settings=self.settings,
        )

    def _settlement(self) -> Settlement:
        return Settlement(
            store=self.store,
            queue=self.queue,
            dead_letters=self.dead_letters,
            telemetry=self.telemetry,
            clock=utc_now,
            random=random.random,
            settings=self.settings,
        )


@functools.cache
def worker() -> Worker:
    """Build the worker, once per execution environment.

    Raises ConfigurationError, at each invocation, while the environment is wrong.
    """
    settings = WorkerSettings.from_environment(os.environ)
    sqs = client("sqs")
    return Worker(
        settings=settings,
        telemetry=PowertoolsTelemetry(function_name(os.environ, "worker")),
        store=S3CacheStore(client("s3"), settings.cache_bucket),
        secrets=SsmSecrets(client("ssm"), settings.ssm_path),
        queue=SqsRebuildQueue(sqs, settings.rebuild_queue_url),
        dead_letters=SqsDeadLetterQueue(sqs, settings.dead_letter_queue_url),
    )
