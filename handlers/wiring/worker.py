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
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.session import RefusedCredentials, SessionKeeper
from core.rebuilding.settlement import Settlement
from core.settings import WorkerSettings
from core.timing import Deadline
from handlers.telemetry import PowertoolsTelemetry, function_name
from handlers.wiring.clock import utc_now


@dataclass(frozen=True, slots=True)
class Worker:
    """What one execution environment of the worker keeps between invocations: clients, no data.

    What an invocation learns, it learns in a rebuilder and a settlement of its own.
    """

    settings: WorkerSettings
    telemetry: PowertoolsTelemetry
    store: S3CacheStore
    secrets: SsmSecrets
    queue: SqsRebuildQueue
    dead_letters: SqsDeadLetterQueue

    def rebuilder(self, remaining_seconds: float) -> Rebuilder:
        """Build what one invocation rebuilds with; its HTTP connections end with it."""
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
            store=self.store,
            upstream=upstream,
            sessions=sessions,
            telemetry=self.telemetry,
            clock=utc_now,
            settings=self.settings,
        )

    def settlement(self) -> Settlement:
        """Build what one invocation settles its messages with."""
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
    sqs = functools.partial(client, "sqs")
    return Worker(
        settings=settings,
        telemetry=PowertoolsTelemetry(function_name(os.environ, "worker")),
        store=S3CacheStore(client("s3"), settings.cache_bucket),
        secrets=SsmSecrets(client("ssm"), settings.ssm_path),
        queue=SqsRebuildQueue(sqs, settings.rebuild_queue_url),
        dead_letters=SqsDeadLetterQueue(sqs, settings.dead_letter_queue_url),
    )
