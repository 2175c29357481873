"""What becomes of each message: done, back to the queue, or dead-lettered."""

from datetime import timedelta

import pytest

from core.errors import (
    AmbiguousLoginError,
    ConflictError,
    CredentialsRefusedError,
    InvalidMessageError,
    LockedOutError,
    MipsCacheError,
    RequestNotTakenError,
    StoreUnavailableError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.datasets import PROGRAM_LISTS, Dataset, failure_key
from core.model.failures import FailureRecord, decode_failure
from core.model.messages import MAX_RECEIVES
from core.rebuilding.delays import retry_delay_seconds
from core.rebuilding.requests import RebuildResult
from core.rebuilding.settlement import Settlement
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER_BALANCES,
    make_body,
    make_delivery,
    make_failure,
)
from tests.fakes import (
    FakeClock,
    InMemoryDeadLetters,
    InMemoryStore,
    RecordingQueue,
    RecordingTelemetry,
)
from tests.wired import WiredWorker

DATA_ERROR = UpstreamDataError("MIP lists no active program")
REFUSED = CredentialsRefusedError("MIP answered 401 to login: ***")


@pytest.fixture
def settlement(
    store: InMemoryStore,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> Settlement:
    return WiredWorker(
        store=store, queue=queue, dead_letters=dead_letters, telemetry=telemetry, clock=clock
    ).settlement()


def failing(error: MipsCacheError = DATA_ERROR, *datasets: Dataset) -> RebuildResult:
    return RebuildResult(dict.fromkeys(datasets or (PROGRAM_LISTS,), error))


def record_of(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> FailureRecord | None:
    stored = store.objects.get(failure_key(PREFIX, dataset))
    return decode_failure(stored.body) if stored else None


# How long a message is kept back


@pytest.mark.parametrize(
    ("receives", "seconds"), [(0, 15), (1, 15), (2, 30), (3, 60), (4, 120), (5, 120), (10**9, 120)]
)
def test_retry_delay_doubles_from_15_seconds_to_two_minutes(receives: int, seconds: int) -> None:
    assert retry_delay_seconds(DATA_ERROR, receives, 0.0) == seconds


@pytest.mark.parametrize(("receives", "seconds"), [(1, 12), (2, 24), (4, 96)])
def test_retry_delay_jitter_takes_up_to_a_fifth_off(receives: int, seconds: int) -> None:
    assert retry_delay_seconds(DATA_ERROR, receives, 1.0) == seconds


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(LockedOutError("x"), 180, id="lock-out"),
        pytest.param(LockedOutError("x", 60), 180, id="lock-out, shorter Retry-After"),
        pytest.param(LockedOutError("x", 600), 600, id="lock-out, longer Retry-After"),
        pytest.param(AmbiguousLoginError("x"), 180, id="ambiguous login"),
        pytest.param(AmbiguousLoginError("x", 600), 600, id="ambiguous, longer Retry-After"),
        pytest.param(AmbiguousLoginError("x", 31e6), 900, id="ambiguous, Retry-After of a year"),
        pytest.param(ConflictError("x"), 0, id="conflict"),
        pytest.param(RequestNotTakenError("x", 600), 600, id="429 speaks of all of MIP"),
        pytest.param(RequestNotTakenError("x", 31e6), 900, id="429, Retry-After of a year"),
        pytest.param(TransientUpstreamError("x", 70), 70, id="503, longer Retry-After"),
        pytest.param(TransientUpstreamError("x", 70.4), 70, id="503, part of a second"),
        pytest.param(LockedOutError("x", 600.4), 600, id="lock-out, part of a second"),
        pytest.param(TransientUpstreamError("x", 5), 15, id="503, shorter Retry-After"),
        pytest.param(TransientUpstreamError("x", 999), 120, id="503, very long Retry-After"),
        pytest.param(TransientUpstreamError("x", float("inf")), 120, id="endless Retry-After"),
    ],
)
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_retry_delay_depends_on_the_error(
    error: MipsCacheError, seconds: int, spread: float
) -> None:
    """Only the doubled pause is spread; what MIP asked for, or a session needs, is not."""
    expected = 12 if (seconds, spread) == (15, 1.0) else seconds
    assert repr(retry_delay_seconds(error, 1, spread)) == repr(expected)


def test_pauses_of_a_lock_out_outlast_mips_idle_expiry() -> None:
    """Its vendor says that a session ends after about ten minutes without use."""
    pauses = [
        retry_delay_seconds(LockedOutError("x"), receives, 1.0)
        for receives in range(1, MAX_RECEIVES)
    ]
    assert sum(pauses) > 10 * 60


# Success


def test_settle_success_takes_the_message_off_the_queue(
    settlement: Settlement, store: InMemoryStore, queue: RecordingQueue
) -> None:
    assert settlement.settle(make_delivery(), RebuildResult()) is True
    settlement.record_failures()
    assert store.objects == {}
    assert queue.delays == {}


def test_settle_collapsed_is_counted(settlement: Settlement, telemetry: RecordingTelemetry) -> None:
    assert settlement.settle(make_delivery(), RebuildResult(collapsed=True)) is True
    assert telemetry.counted("MessagesCollapsed") == 1
    assert [event for _, event, _ in telemetry.events] == ["message collapsed"]


# Back to the queue


@pytest.mark.parametrize(
    "error",
    [
        TransientUpstreamError("x"),
        AmbiguousLoginError("x"),
        LockedOutError("x"),
        UpstreamDataError("x"),
        ConflictError("x"),
        StoreUnavailableError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("receives", range(1, MAX_RECEIVES))
def test_settle_failure_goes_back_to_the_queue_after_its_delay(
    settlement: Settlement,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    error: MipsCacheError,
    receives: int,
) -> None:
    delivery = make_delivery(receives=receives)
    assert settlement.settle(delivery, failing(error)) is False
    assert queue.delays == {delivery.receipt_handle: retry_delay_seconds(error, receives, 0.0)}
    assert dead_letters.letters == []


def test_settle_delay_that_fails_still_reports_the_message(
    settlement: Settlement, queue: RecordingQueue, telemetry: RecordingTelemetry
) -> None:
    queue.is_down = True
    assert settlement.settle(make_delivery(), failing()) is False
    assert "message not delayed" in telemetry.warnings()


def test_settle_one_record_per_retry_tells_what_happened(
    settlement: Settlement, telemetry: RecordingTelemetry
) -> None:
    settlement.settle(make_delivery(receives=2), failing())
    assert telemetry.events == [
        (
            "info",
            "message retried",
            {
                "message_id": "m-1",
                "correlation_id": "m-1",
                "error_type": "UpstreamDataError",
                "problem": "MIP lists no active program",
                "attempts": 2,
                "delay_seconds": 30,
            },
        )
    ]


# Dead-lettering


def test_settle_refused_credentials_are_dead_lettered_at_once(
    settlement: Settlement, queue: RecordingQueue, dead_letters: InMemoryDeadLetters
) -> None:
    assert settlement.settle(make_delivery(receives=1), failing(REFUSED)) is True
    assert len(dead_letters.letters) == 1
    assert queue.delays == {}


@pytest.mark.parametrize("receives", [MAX_RECEIVES, MAX_RECEIVES + 1])
def test_settle_last_allowed_receive_is_dead_lettered(
    settlement: Settlement, dead_letters: InMemoryDeadLetters, receives: int
) -> None:
    assert settlement.settle(make_delivery(receives=receives), failing()) is True
    assert len(dead_letters.letters) == 1


def test_settle_dead_letter_tells_everything_an_operator_needs(
    settlement: Settlement, dead_letters: InMemoryDeadLetters, telemetry: RecordingTelemetry
) -> None:
    body = make_body(reason="miss")
    sent_at = NOW - timedelta(minutes=4)
    settlement.settle(make_delivery(body, receives=5, sent_at=sent_at), failing())
    (letter,) = dead_letters.letters
    assert letter.body == body
    assert letter.group == "m-1"
    assert letter.attributes == {
        "ErrorType": "UpstreamDataError",
        "ErrorMessage": "MIP lists no active program",
        "FailedAt": NOW.isoformat(),
        "FirstSentAt": sent_at.isoformat(),
        "Attempts": "5",
        "OriginalMessageId": "m-1",
    }
    assert telemetry.counted("DeadLettered") == 1
    assert telemetry.warnings() == ["message dead-lettered"]


def test_settle_dead_letter_long_message_is_cut(
    settlement: Settlement, dead_letters: InMemoryDeadLetters
) -> None:
    settlement.settle(make_delivery(receives=5), failing(UpstreamDataError("x" * 9999)))
    (letter,) = dead_letters.letters
    assert len(letter.attributes["ErrorMessage"]) == 1000


def test_settle_dead_lettering_again_after_a_lost_acknowledgement_is_harmless(
    settlement: Settlement, dead_letters: InMemoryDeadLetters
) -> None:
    for _ in range(2):
        settlement.settle(make_delivery(receives=5), failing())
    assert len(dead_letters.letters) == 1


def test_settle_dead_letter_is_kept_although_sqs_has_just_moved_the_same_message(
    settlement: Settlement, dead_letters: InMemoryDeadLetters
) -> None:
    """SQS remembers the bare message id of what its redrive policy moved, for five minutes."""
    dead_letters.take_over("m-1", make_body())
    settlement.settle(make_delivery(receives=6), failing())
    assert len(dead_letters.letters) == 2


def test_settle_dead_letter_queue_out_of_reach_keeps_the_message(
    settlement: Settlement,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    store: InMemoryStore,
) -> None:
    dead_letters.is_down = True
    delivery = make_delivery()
    assert settlement.settle(delivery, failing(REFUSED)) is False
    assert queue.delays == {delivery.receipt_handle: 15}
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert not record.dead_lettered


def test_settle_invalid_is_dead_lettered_at_once_without_a_failure_record(
    settlement: Settlement, dead_letters: InMemoryDeadLetters, store: InMemoryStore
) -> None:
    error = InvalidMessageError("the body is not JSON")
    assert settlement.settle_invalid(make_delivery("?"), error) is True
    settlement.record_failures()
    (letter,) = dead_letters.letters
    assert letter.attributes["ErrorType"] == "InvalidMessageError"
    assert letter.body == "?"
    assert store.objects == {}


def test_settle_invalid_dead_letter_queue_out_of_reach_keeps_the_message(
    settlement: Settlement,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    telemetry: RecordingTelemetry,
) -> None:
    dead_letters.is_down = True
    delivery = make_delivery("?")
    assert settlement.settle_invalid(delivery, InvalidMessageError("x")) is False
    assert queue.delays == {delivery.receipt_handle: 15}
    assert telemetry.warnings() == ["message not dead-lettered"]


# Failure records


def test_record_failures_retried_message_is_due_with_its_delay(
    settlement: Settlement, store: InMemoryStore
) -> None:
    settlement.settle(make_delivery(receives=2), failing())
    settlement.record_failures()
    assert record_of(store) == make_failure(
        message="MIP lists no active program",
        dead_lettered=False,
        dead_letterings=0,
        next_attempt_at=NOW + timedelta(seconds=30),
        correlation_id="m-1",
    )


def test_record_failures_dead_lettered_message_pauses_five_minutes(
    settlement: Settlement, store: InMemoryStore
) -> None:
    settlement.settle(make_delivery(receives=5), failing())
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert record.dead_lettered
    assert record.next_attempt_at == NOW + timedelta(minutes=5)


def test_record_failures_goes_on_from_the_earlier_record(
    settlement: Settlement, store: InMemoryStore, clock: FakeClock
) -> None:
    for _ in range(2):
        settlement.settle(make_delivery(message_id=str(clock.now), receives=5), failing())
        settlement.record_failures()
        clock.advance(minutes=6)
    record = record_of(store)
    assert record is not None
    assert (record.attempts, record.dead_letterings) == (2, 2)
    assert record.first_failed_at == NOW
    assert record.next_attempt_at == NOW + timedelta(minutes=6 + 10)


def test_record_failures_many_messages_make_one_record_and_one_attempt(
    settlement: Settlement, store: InMemoryStore
) -> None:
    for number in range(10):
        delivery = make_delivery(message_id=f"m-{number}", receives=5)
        settlement.settle(delivery, failing(REFUSED))
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert (record.attempts, record.dead_letterings) == (1, 1)
    assert store.count("put", failure_key(PREFIX, PROGRAM_LISTS)) == 1


@pytest.mark.parametrize("receives", [(1, 5), (5, 1)], ids=["retried first", "dead first"])
def test_record_failures_a_dead_lettering_decides_when_the_next_attempt_is_due(
    settlement: Settlement, store: InMemoryStore, receives: tuple[int, int]
) -> None:
    for number, count in enumerate(receives):
        delivery = make_delivery(message_id=f"m-{number}", receives=count)
        settlement.settle(delivery, failing())
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert record.next_attempt_at == NOW + timedelta(minutes=5)


def test_record_failures_one_record_for_each_dataset_of_a_message(
    settlement: Settlement, store: InMemoryStore
) -> None:
    settlement.settle(
        make_delivery(make_body("all")), failing(DATA_ERROR, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
    )
    settlement.record_failures()
    assert set(store.objects) == {
        failure_key(PREFIX, OCTOBER_BALANCES),
        failure_key(PREFIX, SEPTEMBER_BALANCES),
    }


def test_record_failures_correlation_id_is_the_messages(
    settlement: Settlement, store: InMemoryStore
) -> None:
    settlement.settle(make_delivery(make_body(correlation_id="c-7")), failing())
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert record.correlation_id == "c-7"


def test_record_failures_unreadable_earlier_record_is_replaced(
    settlement: Settlement, store: InMemoryStore
) -> None:
    store.put(failure_key(PREFIX, PROGRAM_LISTS), b"{")
    settlement.settle(make_delivery(), failing())
    settlement.record_failures()
    record = record_of(store)
    assert record is not None
    assert record.attempts == 1


def test_record_failures_store_out_of_reach_is_only_a_warning(
    settlement: Settlement, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    settlement.settle(make_delivery(), failing())
    store.down = lambda operation, key: True
    settlement.record_failures()
    assert telemetry.warnings() == ["failure not recorded"]


# Conflicts


@pytest.mark.parametrize("receives", [1, MAX_RECEIVES], ids=["comes back", "last receive"])
def test_conflict_writes_no_failure_record(
    settlement: Settlement,
    store: InMemoryStore,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    receives: int,
) -> None:
    """Otherwise the reader after a purge would be turned away, with nothing to wait for."""
    is_last = receives == MAX_RECEIVES
    delivery = make_delivery(receives=receives)
    assert settlement.settle(delivery, failing(ConflictError("x"))) is is_last
    settlement.record_failures()
    assert store.objects == {}
    assert len(dead_letters.letters) == is_last
    assert queue.delays == ({} if is_last else {delivery.receipt_handle: 0})


def test_conflict_beside_a_failure_waits_with_it_and_is_not_recorded(
    settlement: Settlement, store: InMemoryStore, queue: RecordingQueue
) -> None:
    errors = {PROGRAM_LISTS: ConflictError("x"), OCTOBER_BALANCES: DATA_ERROR}
    delivery = make_delivery(make_body("all"))
    settlement.settle(delivery, RebuildResult(errors))
    settlement.record_failures()
    assert list(queue.delays.values()) == [15]
    assert list(store.objects) == [failure_key(PREFIX, OCTOBER_BALANCES)]


def test_message_ends_with_its_failure_and_not_with_a_conflict(
    settlement: Settlement, dead_letters: InMemoryDeadLetters
) -> None:
    errors = {PROGRAM_LISTS: ConflictError("x"), OCTOBER_BALANCES: DATA_ERROR}
    settlement.settle(make_delivery(make_body("all"), receives=5), RebuildResult(errors))
    (letter,) = dead_letters.letters
    assert letter.attributes["ErrorType"] == "UpstreamDataError"


def test_message_that_met_refused_credentials_ends_with_them(
    settlement: Settlement, dead_letters: InMemoryDeadLetters
) -> None:
    errors = {PROGRAM_LISTS: DATA_ERROR, OCTOBER_BALANCES: REFUSED}
    assert settlement.settle(make_delivery(make_body("all")), RebuildResult(errors)) is True
    (letter,) = dead_letters.letters
    assert letter.attributes["ErrorType"] == "CredentialsRefusedError"


def test_delivery_correlation_id_without_one_is_the_message_id() -> None:
    assert make_delivery("no json", message_id="m-9").correlation_id == "m-9"


def test_delivery_repr_tells_no_receipt_handle() -> None:
    assert "receipt of" not in repr(make_delivery())
