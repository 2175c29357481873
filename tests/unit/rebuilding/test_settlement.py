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
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.datasets import PROGRAM_LISTS, Dataset, failure_key
from core.model.failures import FailureRecord, decode_failure
from core.model.messages import MAX_RECEIVES
from core.ports import DeadLetter
from core.rebuilding.delays import retry_delay_seconds
from core.rebuilding.requests import RebuildResult
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER_BALANCES,
    make_body,
    make_delivery,
    make_failure,
)
from tests.wired import WiredWorker

DATA_ERROR = UpstreamDataError("MIP lists no active program")
REFUSED = CredentialsRefusedError("MIP answered 401 to login: ***")
CONFLICT = ConflictError("x")
INVALID = InvalidMessageError("the body is not JSON")
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
RECEIPT = make_delivery().receipt_handle


def failing(error: MipsCacheError = DATA_ERROR, *datasets: Dataset) -> RebuildResult:
    return RebuildResult(dict.fromkeys(datasets or (PROGRAM_LISTS,), error))


def settle(
    worker: WiredWorker,
    result: RebuildResult | None = None,
    *receives: int,
    body: str | None = None,
) -> bool:
    """Settle a batch of one message, or of one for each count of receives; record its failures."""
    settlement = worker.settlement()
    sent_at = NOW - timedelta(minutes=4)
    deliveries = [
        make_delivery(body, message_id=f"m-{n}", receives=count, sent_at=sent_at)
        for n, count in enumerate(receives or (1,), start=1)
    ]
    settled = [settlement.settle(delivery, result or failing()) for delivery in deliveries]
    settlement.record_failures()
    return settled[-1]


def record_of(worker: WiredWorker) -> FailureRecord:
    return decode_failure(worker.store.objects[FAILURE_KEY].body)


def only_letter(worker: WiredWorker) -> DeadLetter:
    (letter,) = worker.dead_letters.letters
    return letter


# How long a message is kept back


@pytest.mark.parametrize(
    ("receives", "spread", "seconds"),
    [
        *[(0, 0, 15), (1, 0, 15), (2, 0, 30), (3, 0, 60), (4, 0, 120), (5, 0, 120)],
        *[(10**9, 0, 120), (1, 1, 12), (2, 1, 24), (4, 1, 96)],
    ],
)
def test_delay_doubles_from_15_seconds_to_two_minutes_less_up_to_a_fifth(
    receives: int, spread: float, seconds: int
) -> None:
    assert retry_delay_seconds(DATA_ERROR, receives, spread) == seconds


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        pytest.param(LockedOutError("x"), 180, id="lock-out"),
        pytest.param(LockedOutError("x", 60), 180, id="lock-out, shorter Retry-After"),
        pytest.param(LockedOutError("x", 600.4), 600, id="lock-out, longer Retry-After"),
        pytest.param(AmbiguousLoginError("x"), 180, id="ambiguous login"),
        pytest.param(AmbiguousLoginError("x", 31e6), 900, id="ambiguous, Retry-After of a year"),
        pytest.param(CONFLICT, 0, id="conflict"),
        pytest.param(RequestNotTakenError("x", 600), 600, id="429 speaks of all of MIP"),
        pytest.param(RequestNotTakenError("x", 31e6), 900, id="429, Retry-After of a year"),
        pytest.param(TransientUpstreamError("x", 70.4), 70, id="503, longer Retry-After"),
        pytest.param(TransientUpstreamError("x", 5), 15, id="503, shorter Retry-After"),
        pytest.param(TransientUpstreamError("x", float("inf")), 120, id="endless Retry-After"),
    ],
)
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_delay_depends_on_the_error(error: MipsCacheError, seconds: int, spread: float) -> None:
    """Only the doubled pause is spread; what MIP asked for, or a session needs, is not."""
    expected = 12 if (seconds, spread) == (15, 1.0) else seconds
    assert repr(retry_delay_seconds(error, 1, spread)) == repr(expected)


def test_delays_of_a_lock_out_outlast_mips_idle_expiry() -> None:
    """Its vendor says that a session ends after about ten minutes without use."""
    delays = [retry_delay_seconds(LockedOutError("x"), n, 1.0) for n in range(1, MAX_RECEIVES)]
    assert sum(delays) > 10 * 60


# Success


@pytest.mark.parametrize("collapsed", [False, True])
def test_satisfied_message_leaves_nothing_behind_and_a_collapsed_one_is_counted(
    worker: WiredWorker, collapsed: bool
) -> None:
    assert settle(worker, RebuildResult(collapsed=collapsed)) is True
    assert (worker.store.objects, worker.queue.delays) == ({}, {})
    assert worker.telemetry.counted("MessagesCollapsed") == collapsed
    told = [event for _, event, _ in worker.telemetry.events]
    assert told == ["message collapsed"] * collapsed


# Back to the queue


@pytest.mark.parametrize("error", [LockedOutError("x"), DATA_ERROR], ids=type)
@pytest.mark.parametrize("receives", range(1, MAX_RECEIVES))
def test_message_that_failed_goes_back_to_the_queue_after_its_delay(
    worker: WiredWorker, error: MipsCacheError, receives: int
) -> None:
    assert settle(worker, failing(error), receives) is False
    assert worker.queue.delays == {RECEIPT: retry_delay_seconds(error, receives, 0.0)}
    assert worker.dead_letters.letters == []


def test_message_that_cannot_be_delayed_comes_back_all_the_same(worker: WiredWorker) -> None:
    worker.queue.is_down = True
    assert settle(worker) is False
    assert worker.telemetry.warnings() == ["message not delayed"]


def test_each_retry_is_told_in_one_line(worker: WiredWorker) -> None:
    settle(worker, failing(), 2)
    message = {"message_id": "m-1", "correlation_id": "m-1", "attempts": 2, "delay_seconds": 30}
    problem = {"error_type": "UpstreamDataError", "problem": "MIP lists no active program"}
    assert worker.telemetry.events == [("info", "message retried", message | problem)]


# Dead-lettering


@pytest.mark.parametrize(
    ("error", "receives"),
    [(REFUSED, 1), (DATA_ERROR, MAX_RECEIVES), (DATA_ERROR, MAX_RECEIVES + 1)],
)
def test_refused_credentials_and_the_last_receive_are_dead_lettered_at_once(
    worker: WiredWorker, error: MipsCacheError, receives: int
) -> None:
    assert settle(worker, failing(error), receives) is True
    assert only_letter(worker).attributes["ErrorType"] == type(error).__name__
    assert worker.queue.delays == {}


def test_dead_letter_tells_everything_an_operator_needs(worker: WiredWorker) -> None:
    body = make_body(reason="miss")
    settle(worker, failing(UpstreamDataError("x" * 9999)), 5, body=body)
    letter = only_letter(worker)
    assert (letter.body, letter.group) == (body, "m-1")
    assert letter.attributes == {
        "ErrorType": "UpstreamDataError",
        "ErrorMessage": "x" * 1000,
        "FailedAt": NOW.isoformat(),
        "FirstSentAt": (NOW - timedelta(minutes=4)).isoformat(),
        "Attempts": "5",
        "OriginalMessageId": "m-1",
    }
    assert worker.telemetry.counted("DeadLettered") == 1
    assert worker.telemetry.warnings() == ["message dead-lettered"]


def test_message_is_one_letter_whether_sqs_has_moved_it_too_or_its_acknowledgement_is_lost(
    worker: WiredWorker,
) -> None:
    """SQS remembers the bare message id of what its redrive policy moved, for five minutes."""
    worker.dead_letters.take_over("m-1", make_body())
    for receives in (5, 6):
        settle(worker, failing(), receives)
        assert len(worker.dead_letters.letters) == 2


def test_message_that_cannot_be_dead_lettered_comes_back(worker: WiredWorker) -> None:
    worker.dead_letters.is_down = True
    assert settle(worker, failing(REFUSED)) is False
    assert worker.queue.delays == {RECEIPT: 15}
    assert not record_of(worker).dead_lettered


def test_invalid_message_is_dead_lettered_at_once_without_a_failure_record(
    worker: WiredWorker,
) -> None:
    settlement = worker.settlement()
    assert settlement.settle_invalid(make_delivery("?"), INVALID) is True
    settlement.record_failures()
    assert only_letter(worker).attributes["ErrorType"] == "InvalidMessageError"
    assert only_letter(worker).body == "?"
    assert worker.store.objects == {}


def test_invalid_message_that_cannot_be_dead_lettered_comes_back(worker: WiredWorker) -> None:
    worker.dead_letters.is_down = True
    assert worker.settlement().settle_invalid(make_delivery("?"), INVALID) is False
    assert worker.queue.delays == {RECEIPT: 15}
    assert worker.telemetry.warnings() == ["message not dead-lettered"]


# Failure records


def test_failure_of_a_retried_message_is_due_with_its_delay(worker: WiredWorker) -> None:
    settle(worker, failing(), 2, body=make_body(correlation_id="c-7"))
    assert record_of(worker) == make_failure(
        message="MIP lists no active program",
        dead_lettered=False,
        dead_letterings=0,
        next_attempt_at=NOW + timedelta(seconds=30),
        correlation_id="c-7",
    )


def test_failure_record_goes_on_from_the_earlier_one(worker: WiredWorker) -> None:
    for _ in range(2):
        settle(worker, failing(), 5)
        worker.clock.advance(minutes=6)
    record = record_of(worker)
    assert (record.attempts, record.dead_letterings) == (2, 2)
    assert record.first_failed_at == NOW
    assert record.next_attempt_at == NOW + timedelta(minutes=6 + 10)


@pytest.mark.parametrize("receives", [(1, 5), (5, 1), (5, 5)])
def test_batch_makes_one_failure_record_and_a_dead_lettering_decides_when_it_is_due(
    worker: WiredWorker, receives: tuple[int, int]
) -> None:
    settle(worker, failing(), *receives)
    record = record_of(worker)
    assert (record.attempts, record.dead_letterings) == (1, 1)
    assert record.dead_lettered
    assert record.next_attempt_at == NOW + timedelta(minutes=5)
    assert worker.store.count("put", FAILURE_KEY) == 1


def test_message_makes_a_failure_record_for_each_dataset(worker: WiredWorker) -> None:
    settle(worker, failing(DATA_ERROR, OCTOBER_BALANCES, SEPTEMBER_BALANCES))
    keys = {failure_key(PREFIX, dataset) for dataset in (OCTOBER_BALANCES, SEPTEMBER_BALANCES)}
    assert set(worker.store.objects) == keys


def test_failure_record_that_is_unreadable_is_replaced(worker: WiredWorker) -> None:
    worker.store.put(FAILURE_KEY, b"{")
    settle(worker)
    assert record_of(worker).attempts == 1


def test_failure_that_cannot_be_recorded_is_only_a_warning(worker: WiredWorker) -> None:
    worker.store.down = lambda operation, key: True
    settle(worker)
    assert worker.telemetry.warnings() == ["failure not recorded"]


# Conflicts


def test_conflict_comes_back_at_once_and_writes_no_failure_record(worker: WiredWorker) -> None:
    """Otherwise the reader after a purge would be turned away, with nothing to wait for."""
    assert settle(worker, failing(CONFLICT)) is False
    assert worker.queue.delays == {RECEIPT: 0}
    assert settle(worker, failing(CONFLICT), MAX_RECEIVES) is True
    assert len(worker.dead_letters.letters) == 1
    assert worker.store.objects == {}


def test_conflict_beside_a_failure_waits_with_it_and_is_not_recorded(worker: WiredWorker) -> None:
    settle(worker, RebuildResult({PROGRAM_LISTS: CONFLICT, OCTOBER_BALANCES: DATA_ERROR}))
    assert list(worker.queue.delays.values()) == [15]
    assert list(worker.store.objects) == [failure_key(PREFIX, OCTOBER_BALANCES)]


@pytest.mark.parametrize(
    ("lesser", "decisive", "receives"), [(CONFLICT, DATA_ERROR, 5), (DATA_ERROR, REFUSED, 1)]
)
def test_message_ends_with_refused_credentials_before_a_failure_before_a_conflict(
    worker: WiredWorker, lesser: MipsCacheError, decisive: MipsCacheError, receives: int
) -> None:
    errors = {PROGRAM_LISTS: lesser, OCTOBER_BALANCES: decisive}
    assert settle(worker, RebuildResult(errors), receives) is True
    assert only_letter(worker).attributes["ErrorType"] == type(decisive).__name__


def test_delivery_without_a_correlation_id_is_told_by_its_message_id() -> None:
    assert make_delivery("no json", message_id="m-9").correlation_id == "m-9"


def test_delivery_tells_no_receipt_handle() -> None:
    assert "receipt of" not in repr(make_delivery())
