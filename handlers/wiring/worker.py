"""The worker's composition root."""

import functools
import os
import random
import time
from dataclasses import dataclass
from datetime import date, timedelta

from core.adapters.aws import client
from core.adapters.mip_client import MipClient
from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.rebuild import Rebuilder, RebuildRules
from core.session import RefusedCredentials, SessionKeeper
from core.settings import WorkerSettings
from core.settlement import Settlement
from core.timing import Deadline
from handlers.telemetry import PowertoolsTelemetry, function_name
from handlers.wiring.clock import utc_now


@dataclass(frozen=True, slots=True)
class Worker:
    """What one execution environment of the worker keeps between invocations: no secret."""

    settings: WorkerSettings
    telemetry: PowertoolsTelemetry
    store: S3CacheStore
    secrets: SsmSecrets
    settlement: Settlement

    def today(self) -> date:
        """Return the present day in the configured time zone."""
        return utc_now().astimezone(self.settings.time_zone).date()

    def rebuilder(self, remaining_seconds: float) -> Rebuilder:
        """Build what one invocation works with; its HTTP connections end with it."""
        settings = self.settings
        upstream = MipClient(
            login_url=settings.mip_login_url,
            api_url=settings.mip_api_url,
            organization=settings.mip_org,
            telemetry=self.telemetry,
            clock=utc_now,
            sleep=time.sleep,
        )
        refused = RefusedCredentials(
            self.store,
            utc_now,
            settings.cache_prefix,
            timedelta(seconds=settings.auth_cooldown_seconds),
        )
        sessions = SessionKeeper(
            upstream=upstream,
            secrets=self.secrets,
            refused=refused,
            telemetry=self.telemetry,
            invocation_ends=Deadline.after(remaining_seconds, time.monotonic),
        )
        return Rebuilder(
            store=self.store,
            upstream=upstream,
            sessions=sessions,
            telemetry=self.telemetry,
            clock=utc_now,
            rules=_rules(settings),
        )


@functools.cache
def worker() -> Worker:
    """Build the worker, once per execution environment.

    Raises ConfigurationError, at each invocation, while the environment is wrong.
    """
    settings = WorkerSettings.from_environment(os.environ)
    telemetry = PowertoolsTelemetry(function_name(os.environ, "worker"))
    store = S3CacheStore(client("s3"), settings.cache_bucket)
    sqs = functools.partial(client, "sqs")
    settlement = Settlement(
        store=store,
        queue=SqsRebuildQueue(sqs, settings.rebuild_queue_url),
        dead_letters=SqsDeadLetterQueue(sqs, settings.dead_letter_queue_url),
        telemetry=telemetry,
        clock=utc_now,
        random=random.random,
        cache_prefix=settings.cache_prefix,
    )
    return Worker(
        settings=settings,
        telemetry=telemetry,
        store=store,
        secrets=SsmSecrets(client("ssm"), settings.ssm_path),
        settlement=settlement,
    )


def _rules(settings: WorkerSettings) -> RebuildRules:
    return RebuildRules(
        cache_prefix=settings.cache_prefix,
        time_zone=settings.time_zone,
        codes_to_omit=settings.codes_to_omit,
        balance_months=settings.balance_months,
        max_shrink_percent=settings.max_shrink_percent,
        programs_ttl=timedelta(seconds=settings.programs_ttl_seconds),
        balances_ttl=timedelta(seconds=settings.balances_ttl_seconds),
    )
