"""The admin's composition root."""

import functools
import os
from dataclasses import dataclass

from core.adapters.aws import client
from core.adapters.cloudfront_edge import CloudFrontEdge, NoEdge
from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.operating.dead_letters import DeadLetterCommands
from core.operating.purge import Purger
from core.operating.refresh import Refresher
from core.operating.status import StatusReport
from core.ports import EdgeCache
from core.settings import AdminSettings
from handlers.telemetry import PowertoolsTelemetry, function_name
from handlers.wiring.clock import utc_now


@dataclass(frozen=True, slots=True)
class Admin:
    """What one execution environment of the admin keeps between invocations."""

    settings: AdminSettings
    telemetry: PowertoolsTelemetry
    report: StatusReport
    purger: Purger
    refresher: Refresher
    dead_letters: DeadLetterCommands


@functools.cache
def admin() -> Admin:
    """Build the admin, once per execution environment.

    Raises ConfigurationError, at each invocation, while the environment is wrong.
    """
    settings = AdminSettings.from_environment(os.environ)
    sqs = client("sqs")
    store = S3CacheStore(client("s3"), settings.cache_bucket)
    queue = SqsRebuildQueue(sqs, settings.rebuild_queue_url)
    dead_letters = SqsDeadLetterQueue(sqs, settings.dead_letter_queue_url)
    session = SsmSecrets(client("ssm"), settings.ssm_path)
    telemetry = PowertoolsTelemetry(function_name(os.environ, "admin"))
    return Admin(
        settings=settings,
        telemetry=telemetry,
        report=StatusReport(
            store=store,
            queue=queue,
            dead_letters=dead_letters,
            session=session,
            clock=utc_now,
            settings=settings,
        ),
        purger=Purger(store=store, edge=_edge(settings), clock=utc_now, settings=settings),
        refresher=Refresher(queue=queue, clock=utc_now, settings=settings),
        dead_letters=DeadLetterCommands(dead_letters, queue, telemetry),
    )


def _edge(settings: AdminSettings) -> EdgeCache:
    if not settings.distribution_id:
        return NoEdge()
    return CloudFrontEdge(client("cloudfront"), settings.distribution_id)
