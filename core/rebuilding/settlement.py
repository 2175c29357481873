"""Settles each message after the work: acknowledges, delays or dead-letters it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from core.errors import (
    ConflictError,
    CredentialsRefusedError,
    InvalidMessageError,
    MipsCacheError,
    QueueUnavailableError,
)
from core.model.messages import MAX_RECEIVES
from core.ports import CacheStore, Clock, DeadLetterQueue, RebuildQueue, Telemetry
from core.rebuilding.batch_failures import BatchFailures
from core.rebuilding.delays import retry_delay_seconds
from core.rebuilding.delivery import Delivery
from core.rebuilding.requests import RebuildResult
from core.settings import WorkerSettings

LONGEST_ERROR_MESSAGE = 1000


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
        self._failures = BatchFailures(store, telemetry, clock, settings)
        self._queue = queue
        self._dead_letters = dead_letters
        self._telemetry = telemetry
        self._clock = clock
        self._random = random

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
        """Send a message of a foreign group on into the group of rebuilds; tell if that worked.

        A second group could bring a second worker, and so a second MIP session. Where the message
        is delivered again because its acknowledgement got lost, SQS drops the second copy: it has
        the same deduplication id.
        """
        fields = delivery.log_fields()
        try:
            self._queue.send_again(delivery.body, f"forward-{delivery.message_id}")
        except QueueUnavailableError as exc:
            self._telemetry.warning("message not forwarded", problem=str(exc), **fields)
            self._hide(delivery, retry_delay_seconds(exc, delivery.receives, self._random()))
            return False
        self._telemetry.warning("message forwarded", group=delivery.group, **fields)
        return True

    def settle(self, delivery: Delivery, result: RebuildResult) -> bool:
        """Settle a message after the work and tell whether it is off the queue.

        True: satisfied, or safely in the dead-letter queue. False: it must be reported as failed,
        and comes back after its delay.
        """
        if result.collapsed:
            self._telemetry.info("message collapsed", **delivery.log_fields())
            self._telemetry.count("MessagesCollapsed")
        if not result.errors:
            return True
        error = _decisive(result.errors.values())
        is_final = isinstance(error, CredentialsRefusedError) or delivery.receives >= MAX_RECEIVES
        is_dead_lettered = is_final and self._dead_letter(delivery, error)
        retry_in = None if is_dead_lettered else self._delay(delivery, result.errors.values())
        for dataset, dataset_error in result.errors.items():
            self._failures.add(
                dataset, dataset_error, retry_in=retry_in, correlation_id=delivery.correlation_id
            )
        return is_dead_lettered

    def settle_invalid(self, delivery: Delivery, error: InvalidMessageError) -> bool:
        """Send an invalid message to the dead-letter queue at once.

        False only where that queue is out of reach; then the message comes back to be tried again.
        """
        if self._dead_letter(delivery, error):
            return True
        self._delay(delivery, [error])
        return False

    def record_failures(self) -> None:
        """Write one failure record for each dataset that failed."""
        self._failures.record()

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
            # Where the acknowledgement gets lost, this id makes SQS drop the second copy. It is not
            # the bare message id, which SQS itself uses when its redrive policy moves a message.
            dedup_id = f"dead-letter-{delivery.message_id}"
            self._dead_letters.send(delivery.body, attributes, delivery.message_id, dedup_id)
        except QueueUnavailableError as exc:
            self._telemetry.warning(
                "message not dead-lettered", problem=str(exc), **delivery.log_fields()
            )
            return False
        self._telemetry.warning("message dead-lettered", **_failure_fields(delivery, error))
        self._telemetry.count("DeadLettered", error_type=type(error).__name__)
        return True

    def _delay(self, delivery: Delivery, errors: Iterable[MipsCacheError]) -> timedelta:
        """Delay a message by the longest delay that one of its errors asks for."""
        spread = self._random()
        by_error = {
            error: retry_delay_seconds(error, delivery.receives, spread) for error in errors
        }
        error = max(by_error, key=by_error.__getitem__)
        self._hide(delivery, by_error[error])
        self._telemetry.info(
            "message retried", delay_seconds=by_error[error], **_failure_fields(delivery, error)
        )
        return timedelta(seconds=by_error[error])

    def _hide(self, delivery: Delivery, seconds: int) -> None:
        try:
            self._queue.delay([delivery.receipt_handle], seconds)
        except QueueUnavailableError as exc:
            # It comes back all the same, after the queue's own visibility time-out.
            self._telemetry.warning(
                "message not delayed", problem=str(exc), **delivery.log_fields()
            )


def _decisive(errors: Iterable[MipsCacheError]) -> MipsCacheError:
    """Return the error that a message ends with: refused credentials, a failure, a conflict."""
    return min(
        errors,
        key=lambda error: (
            not isinstance(error, CredentialsRefusedError),
            isinstance(error, ConflictError),
        ),
    )


def _failure_fields(delivery: Delivery, error: MipsCacheError) -> dict[str, object]:
    return {
        **delivery.log_fields(),
        "error_type": type(error).__name__,
        "problem": str(error),
        "attempts": delivery.receives,
    }
