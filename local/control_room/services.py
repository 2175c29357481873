"""What the control room uses of the stack. Nothing here can do what an operator could not."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.operating.status import StatusReport
from core.settings import AdminSettings
from handlers.wiring.clock import utc_now
from local.aws.queues import messages_in
from local.aws.server import AwsServer
from local.functions.functions import Function, Functions
from local.gateway.gateway import Gateway
from local.mip import MipCloud

# Several browsers ask twice a second each; the answer is the same for all of them.
STATUS_SECONDS = 0.4
MOST_MESSAGES = 10
MOVED_BY_SQS = ("Unknown", "moved by the queue's redrive policy, as after a crash or a time-out")


@dataclass(frozen=True)
class Services:
    """The running parts of the stack. What a template lacks is None."""

    api_url: str
    mip_url: str | None
    routes: Mapping[str, bool]
    """The paths that GET can read, with whether they are signed."""
    gateway: Gateway
    functions: Functions
    admin: Function | None
    mip: MipCloud | None
    store_credentials: Callable[[], None]
    send: Callable[[str, str], str]
    """Sends a body under a deduplication id to the rebuild queue; returns the message's id."""
    release: Callable[[], int]
    """Ends the back-off of every message in the rebuild queue; how many there were."""


class Status:
    """The service's own status report, and its messages; made once for all who ask at once."""

    def __init__(
        self,
        aws: AwsServer,
        environment: Mapping[str, str],
        finished: Callable[[], Mapping[str, int]],
    ) -> None:
        """`environment` is the admin's; `finished` is what a poller has of that name.

        Raises ConfigurationError.
        """
        settings = AdminSettings.from_environment(environment)
        self._finished = finished
        self._queue_url = settings.rebuild_queue_url
        self._dead_letter_queue_url = settings.dead_letter_queue_url
        self._report = StatusReport(
            store=S3CacheStore(aws.client("s3"), settings.cache_bucket),
            queue=SqsRebuildQueue(aws.client("sqs"), settings.rebuild_queue_url),
            dead_letters=SqsDeadLetterQueue(aws.client("sqs"), settings.dead_letter_queue_url),
            session=SsmSecrets(aws.client("ssm"), settings.ssm_path),
            clock=utc_now,
            settings=settings,
        )
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self._known_until = 0.0

    def look(self) -> dict[str, Any]:
        """The report with the first messages and dead letters. Raises MipsCacheError."""
        with self._lock:
            if time.monotonic() > self._known_until:
                messages, letters = self._messages(), self._letters()
                self._known = self._report.write() | {"messages": messages, "letters": letters}
                self._known_until = time.monotonic() + STATUS_SECONDS
            return self._known

    def forget(self) -> None:
        """Look anew the next time: something was just done."""
        self._known_until = 0.0

    def _messages(self) -> list[dict[str, Any]]:
        now, finished = utc_now(), self._finished()
        return [
            {
                "message_id": message.message_id,
                "body": message.body,
                "receives": message.receives,
                "at_work": is_hidden and message.receives > finished.get(message.message_id, 0),
                "held_until": message.visible_at.isoformat() if is_hidden else None,
            }
            for message in messages_in(self._queue_url)[:MOST_MESSAGES]
            for is_hidden in [message.visible_at > now]
        ]

    def _letters(self) -> list[dict[str, Any]]:
        return [
            {
                "message_id": message.message_id,
                "body": message.body,
                "error_type": message.attributes.get("ErrorType", MOVED_BY_SQS[0]),
                "error_message": message.attributes.get("ErrorMessage", MOVED_BY_SQS[1]),
                "attempts": message.attributes.get("Attempts"),
                "failed_at": message.attributes.get("FailedAt", message.sent_at.isoformat()),
            }
            for message in messages_in(self._dead_letter_queue_url)[:MOST_MESSAGES]
        ]
