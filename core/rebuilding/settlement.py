"""What becomes of each message after the work: done, back to the queue, or dead-lettered.

A message that fails is kept back for a while: its whole group waits meanwhile.

    conflict (a purge or another write won)      no pause
    ambiguous login, lock-out                    three minutes, always: the four pauses of five
                                                 receives outlast MIP's idle expiry of ten minutes
    anything else                                15 s, doubled with each receive, two minutes at
                                                 most, less up to a fifth

MIP's own Retry-After lengthens a pause: to 15 minutes at most where it speaks of all of MIP, as it
does with a login or 429, else to two.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.errors import (
    AmbiguousLoginError,
    ConflictError,
    CredentialsRefusedError,
    InvalidMessageError,
    LockedOutError,
    MipsCacheError,
    QueueUnavailableError,
    RequestNotTakenError,
    StoreUnavailableError,
    UpstreamError,
)
from core.failure_records import FailureRecords
from core.model.datasets import Dataset
from core.model.failures import FailureRecord
from core.model.messages import MAX_RECEIVES, MESSAGE_GROUP, correlation_id_of
from core.ports import CacheStore, Clock, DeadLetterQueue, RebuildQueue, Telemetry
from core.rebuilding.rebuild import RebuildResult
from core.settings import WorkerSettings

FIRST_DELAY_SECONDS = 15
LONGEST_DELAY_SECONDS = 120
LOCK_OUT_DELAY_SECONDS = 180
"""How long a message waits while a session of ours may be open at MIP."""
LONGEST_ASKED_DELAY_SECONDS = 900
"""What a Retry-After that speaks of all of MIP can ask for at most."""
LONGEST_ERROR_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One receive of one message from the rebuild queue. `receives` counts from 1.

    `group` is the message group; a record that names none belongs to the one of rebuilds.
    """

    message_id: str
    body: str
    receipt_handle: str = field(repr=False)
    receives: int
    sent_at: datetime
    group: str = MESSAGE_GROUP

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


def retry_delay_seconds(error: MipsCacheError, receives: int, spread: float) -> int:
    """Return how long a message that met an error is kept back; the module has the table.

    `spread` from 0 to 1 takes up to a fifth off the doubled pause, so that messages do not come
    back in step.
    """
    if isinstance(error, ConflictError):
        return 0
    asked = error.retry_after_seconds if isinstance(error, UpstreamError) else None
    if isinstance(error, AmbiguousLoginError | LockedOutError):
        return round(max(LOCK_OUT_DELAY_SECONDS, _at_most(LONGEST_ASKED_DELAY_SECONDS, asked)))
    doubled = FIRST_DELAY_SECONDS * (1 << min(max(receives, 1) - 1, 10))
    pause = min(doubled, LONGEST_DELAY_SECONDS) * (1 - 0.2 * spread)
    speaks_of_all_of_mip = isinstance(error, RequestNotTakenError)
    longest = LONGEST_ASKED_DELAY_SECONDS if speaks_of_all_of_mip else LONGEST_DELAY_SECONDS
    return round(max(pause, _at_most(longest, asked)))


def _at_most(longest: float, asked: float | None) -> float:
    return min(longest, asked or 0)


class Settlement:
    """Settles the messages of one batch, after the MIP session has been closed.

    It is made for one invocation: the failures that it gathers are of this batch alone.

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
        settings: WorkerSettings,
    ) -> None:
        self._failures = FailureRecords(store, settings.cache_prefix)
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

    def forward(self, delivery: Delivery) -> bool:
        """Send a message of a foreign group on into the group of rebuilds; tell if it is safe.

        A second group could bring a second worker, and so a second MIP session. The id makes a
        repetition harmless, should the acknowledgement get lost.
        """
        try:
            self._queue.send_again(delivery.body, f"forward-{delivery.message_id}")
        except QueueUnavailableError as exc:
            self._telemetry.warning("message not forwarded", problem=str(exc), **_named(delivery))
            self._hide(delivery, retry_delay_seconds(exc, delivery.receives, self._random()))
            return False
        self._telemetry.warning("message forwarded", group=delivery.group, **_named(delivery))
        return True

    def settle(self, delivery: Delivery, result: RebuildResult) -> bool:
        """Settle a message after the work and tell whether it is off the queue.

        True: satisfied, or safely in the dead-letter queue. False: it must be reported as failed,
        and comes back after its delay. A conflict is no failure: nobody has to wait it out.
        """
        if result.collapsed:
            self._telemetry.info("message collapsed", **_named(delivery))
            self._telemetry.count("MessagesCollapsed")
        if not result.errors:
            return True
        error = _decisive(result.errors.values())
        is_final = isinstance(error, CredentialsRefusedError) or delivery.receives >= MAX_RECEIVES
        dead_lettered = is_final and self._dead_letter(delivery, error)
        delay = None if dead_lettered else self._delay(delivery, result.errors.values())
        for dataset, dataset_error in result.errors.items():
            if isinstance(dataset_error, ConflictError):
                continue
            if delay is None or dataset not in self._failed:
                self._failed[dataset] = _Failed(dataset_error, delay, delivery.correlation_id)
        return dead_lettered

    def settle_invalid(self, delivery: Delivery, error: InvalidMessageError) -> bool:
        """Settle a message that can never work: to the dead-letter queue at once.

        False only where that queue is out of reach; then the message comes back to be tried again.
        """
        if self._dead_letter(delivery, error):
            return True
        self._delay(delivery, [error])
        return False

    def record_failures(self) -> None:
        """Write one failure record per dataset that failed, however many messages asked for it.

        Where one of them was dead-lettered, that decides when the next attempt is due.
        """
        for dataset, failed in self._failed.items():
            self._record(dataset, failed)

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
            # The id makes a repetition harmless, should the acknowledgement get lost. It is not
            # the bare message id, which SQS itself uses when its redrive policy moves a message.
            self._dead_letters.send(
                delivery.body,
                attributes,
                delivery.message_id,
                f"dead-letter-{delivery.message_id}",
            )
        except QueueUnavailableError as exc:
            self._telemetry.warning(
                "message not dead-lettered", problem=str(exc), **_named(delivery)
            )
            return False
        self._telemetry.warning("message dead-lettered", **_told(delivery, error))
        self._telemetry.count("DeadLettered", error_type=type(error).__name__)
        return True

    def _delay(self, delivery: Delivery, errors: Iterable[MipsCacheError]) -> timedelta:
        spread = self._random()
        by_error = {
            error: retry_delay_seconds(error, delivery.receives, spread) for error in errors
        }
        error = max(by_error, key=by_error.__getitem__)
        self._hide(delivery, by_error[error])
        self._telemetry.info(
            "message retried", delay_seconds=by_error[error], **_told(delivery, error)
        )
        return timedelta(seconds=by_error[error])

    def _hide(self, delivery: Delivery, seconds: int) -> None:
        try:
            self._queue.delay([delivery.receipt_handle], seconds)
        except QueueUnavailableError as exc:
            # It comes back all the same, after the queue's own visibility time-out.
            self._telemetry.warning("message not delayed", problem=str(exc), **_named(delivery))

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


def _decisive(errors: Iterable[MipsCacheError]) -> MipsCacheError:
    """Return the error that a message ends with: refused credentials, a failure, a conflict."""
    return min(
        errors,
        key=lambda error: (
            not isinstance(error, CredentialsRefusedError),
            isinstance(error, ConflictError),
        ),
    )


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
