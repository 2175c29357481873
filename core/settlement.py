"""What becomes of each message after the work: done, back to the queue, or dead-lettered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.datasets import Dataset
from core.errors import (
    CredentialsRefusedError,
    InvalidMessageError,
    LockedOutError,
    MipsCacheError,
    QueueUnavailableError,
    StoreUnavailableError,
    TransientUpstreamError,
)
from core.failure_records import FailureRecords
from core.failures import FailureRecord
from core.messages import correlation_id_of
from core.ports import (
    CacheStore,
    Clock,
    DeadLetterQueue,
    RebuildQueue,
    Telemetry,
)
from core.rebuild import RebuildResult

MAX_RECEIVES = 5
"""The queue's maxReceiveCount: on this receive a message that fails is dead-lettered."""
FIRST_DELAY_SECONDS = 15
LONGEST_DELAY_SECONDS = 120
LONGEST_ERROR_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Delivery:
    """One receive of one message from the rebuild queue. `receives` counts from 1."""

    message_id: str
    body: str
    receipt_handle: str = field(repr=False)
    receives: int
    sent_at: datetime

    @property
    def correlation_id(self) -> str:
        """Return the id that the message was sent with, or else its own."""
        return correlation_id_of(self.body) or self.message_id


def correlation_of(deliveries: Sequence[Delivery]) -> str:
    """Return the ids of a batch, each once: a line about the batch belongs to each one's story."""
    return " ".join(dict.fromkeys(delivery.correlation_id for delivery in deliveries))


@dataclass(frozen=True, slots=True)
class _Failed:
    error: MipsCacheError
    retry_in: timedelta | None
    correlation_id: str


def retry_delay_seconds(error: Exception, receives: int, spread: float) -> int:
    """Return how long a failed message is kept back: 15 s, doubled per receive, at most 120 s.

    `spread` from 0 to 1 takes up to a fifth off, so that messages do not come back in step. A
    lock-out always waits the longest; what MIP asked for in Retry-After is a lower bound.
    """
    if isinstance(error, LockedOutError):
        return LONGEST_DELAY_SECONDS
    doubled = FIRST_DELAY_SECONDS * (1 << min(max(receives, 1) - 1, 10))
    delay = min(doubled, LONGEST_DELAY_SECONDS) * (1 - 0.2 * spread)
    asked = error.retry_after_seconds if isinstance(error, TransientUpstreamError) else None
    return round(min(max(delay, asked or 0), LONGEST_DELAY_SECONDS))


class Settlement:
    """Settles the messages of one batch, after the MIP session has been closed.

    Delays begin here and not at the moment of failure: a message whose delay ended while the
    session was still open could bring a second worker, and so a second session.
    """

    def __init__(
        self,
        *,
        store: CacheStore,
        queue: RebuildQueue,
        dead_letters: DeadLetterQueue,
        telemetry: Telemetry,
        clock: Clock,
        random: Callable[[], float],
        cache_prefix: str,
    ) -> None:
        self._failures = FailureRecords(store, cache_prefix)
        self._queue = queue
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._clock = clock
        self._random = random
        self._failed: dict[Dataset, _Failed] = {}

    def hold(self, deliveries: Sequence[Delivery], seconds: float) -> None:
        """Hide the messages for as long as this invocation can last, and no longer.

        The queue's own time-out is six times the worker's. Should this worker be killed, the
        whole message group would wait for that; so it waits for the invocation's end only.
        """
        try:
            self._queue.delay([delivery.receipt_handle for delivery in deliveries], int(seconds))
        except QueueUnavailableError as exc:
            # The queue's own time-out holds then.
            self._telemetry.warning("messages not held", problem=str(exc))

    def settle(self, delivery: Delivery, result: RebuildResult) -> bool:
        """Settle a message after the work and tell whether it is off the queue.

        True: satisfied, or safely in the dead-letter queue. False: it must be reported as failed,
        and comes back after its delay.
        """
        if result.collapsed:
            self._telemetry.info("message collapsed", **_named(delivery))
            self._telemetry.count("MessagesCollapsed")
        if not result.errors:
            return True
        error = next(iter(result.errors.values()))
        is_final = isinstance(error, CredentialsRefusedError) or delivery.receives >= MAX_RECEIVES
        dead_lettered = is_final and self._dead_letter(delivery, error)
        delay = None if dead_lettered else self._delay(delivery, error)
        for dataset, dataset_error in result.errors.items():
            if delay is None or dataset not in self._failed:
                self._failed[dataset] = _Failed(dataset_error, delay, delivery.correlation_id)
        return dead_lettered

    def settle_invalid(self, delivery: Delivery, error: InvalidMessageError) -> bool:
        """Settle a message that can never work: to the dead-letter queue at once.

        False only where that queue is out of reach; then the message comes back to be tried again.
        """
        if self._dead_letter(delivery, error):
            return True
        self._delay(delivery, error)
        return False

    def record_failures(self) -> None:
        """Write one failure record per dataset that failed, however many messages asked for it.

        Where one of them was dead-lettered, that decides when the next attempt is due.
        """
        for dataset, failed in self._failed.items():
            self._record(dataset, failed)
        self._failed.clear()

    def _dead_letter(self, delivery: Delivery, error: MipsCacheError) -> bool:
        attributes = {
            "ErrorType": type(error).__name__,
            "ErrorMessage": str(error)[:LONGEST_ERROR_MESSAGE],
            "FailedAt": self._clock().isoformat(),
            "FirstSentAt": delivery.sent_at.isoformat(),
            "Attempts": str(delivery.receives),
            "OriginalMessageId": delivery.message_id,
        }
        try:
            # The id makes a repetition harmless, should the acknowledgement get lost.
            self._dead_letters.send(
                delivery.body, attributes, delivery.message_id, delivery.message_id
            )
        except QueueUnavailableError as exc:
            self._telemetry.warning(
                "message not dead-lettered", problem=str(exc), **_named(delivery)
            )
            return False
        self._telemetry.warning("message dead-lettered", **_told(delivery, error))
        self._telemetry.count("DeadLettered", error_type=type(error).__name__)
        return True

    def _delay(self, delivery: Delivery, error: MipsCacheError) -> timedelta:
        seconds = retry_delay_seconds(error, delivery.receives, self._random())
        try:
            self._queue.delay([delivery.receipt_handle], seconds)
        except QueueUnavailableError as exc:
            # It comes back all the same, after the queue's own visibility time-out.
            self._telemetry.warning("message not delayed", problem=str(exc), **_named(delivery))
        self._telemetry.info("message retried", delay_seconds=seconds, **_told(delivery, error))
        return timedelta(seconds=seconds)

    def _record(self, dataset: Dataset, failed: _Failed) -> None:
        try:
            record = FailureRecord.of(
                failed.error,
                self._clock(),
                earlier=self._failures.read(dataset),
                retry_in=failed.retry_in,
                correlation_id=failed.correlation_id,
            )
            self._failures.write(dataset, record)
        except StoreUnavailableError as exc:
            # The message itself is safe; only readers will ask again sooner.
            self._telemetry.warning("failure not recorded", dataset=str(dataset), problem=str(exc))


def _named(delivery: Delivery) -> dict[str, object]:
    """Say which message a line is about: of a batch, its own correlation id alone."""
    return {"message_id": delivery.message_id, "correlation_id": delivery.correlation_id}


def _told(delivery: Delivery, error: MipsCacheError) -> dict[str, object]:
    return {
        **_named(delivery),
        "error_type": type(error).__name__,
        "problem": str(error),
        "attempts": delivery.receives,
    }
