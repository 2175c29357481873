"""Failure records: what they tell, and how they pace new attempts."""

import json
from datetime import timedelta

import pytest

from core.errors import UpstreamDataError
from core.model.failures import FailureRecord, decode_failure, encode_failure, pause_after
from tests.builders import NOW, make_failure

ERROR = UpstreamDataError("MIP lists no active program")


def failed(
    earlier: FailureRecord | None = None,
    *,
    after_minutes: float = 0,
    retry_seconds: float | None = None,
) -> FailureRecord:
    return FailureRecord.of(
        ERROR,
        NOW + timedelta(minutes=after_minutes),
        earlier=earlier,
        retry_in=None if retry_seconds is None else timedelta(seconds=retry_seconds),
        correlation_id="c-1",
    )


def test_pause_after_a_million_dead_letterings_is_an_hour_still() -> None:
    assert pause_after(10**6) == timedelta(hours=1)


def test_failure_first_dead_lettering_tells_what_happened() -> None:
    assert failed() == FailureRecord(
        error_type="UpstreamDataError",
        message="MIP lists no active program",
        first_failed_at=NOW,
        last_failed_at=NOW,
        attempts=1,
        dead_lettered=True,
        dead_letterings=1,
        next_attempt_at=NOW + timedelta(minutes=5),
        correlation_id="c-1",
    )


def test_failure_while_retried_is_due_with_the_retry() -> None:
    record = failed(retry_seconds=15)
    assert record.next_attempt_at == NOW + timedelta(seconds=15)
    assert (record.dead_lettered, record.dead_letterings) == (False, 0)


def test_failure_again_counts_on_and_keeps_the_first_time() -> None:
    record = failed(failed(retry_seconds=15), after_minutes=1, retry_seconds=30)
    assert record.attempts == 2
    assert record.first_failed_at == NOW
    assert record.last_failed_at == NOW + timedelta(minutes=1)


def test_failure_each_dead_lettering_doubles_the_pause() -> None:
    record, pauses, minute = None, [], 0.0
    for _ in range(6):
        record = failed(record, after_minutes=minute)
        pauses.append((record.next_attempt_at - record.last_failed_at) / timedelta(minutes=1))
        minute += pauses[-1]
    assert pauses == [5, 10, 20, 40, 60, 60]


def test_failure_retries_between_dead_letterings_do_not_lengthen_the_pause() -> None:
    record = failed()
    for minute in (6, 7, 8):
        record = failed(record, after_minutes=minute, retry_seconds=15)
    record = failed(record, after_minutes=9)
    assert record.next_attempt_at == NOW + timedelta(minutes=9 + 10)


def test_failure_a_retry_still_queued_does_not_shorten_the_pause() -> None:
    record = failed(failed(), after_minutes=1, retry_seconds=15)
    assert record.next_attempt_at == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    "record", [failed(), failed(retry_seconds=15), make_failure(correlation_id=None)]
)
def test_failure_is_read_back_as_it_was(record: FailureRecord) -> None:
    assert decode_failure(encode_failure(record)) == record


def test_decode_failure_without_a_count_of_dead_letterings_has_none() -> None:
    document = json.loads(encode_failure(make_failure()))
    del document["dead_letterings"]
    record = decode_failure(json.dumps(document).encode())
    assert record is not None
    assert record.dead_letterings == 0


def changed(**changes: object) -> bytes:
    return json.dumps(json.loads(encode_failure(make_failure())) | changes).encode()


NOT_A_RECORD = {
    "empty": b"",
    "array": b"[]",
    "nothing told": b"{}",
    "bottomless": b"[" * 100_000,
    "no time": changed(next_attempt_at="soon"),
    "null time": changed(next_attempt_at=None),
    "naive time": changed(last_failed_at="2026-10-15T12:00:00"),
    "attempts in words": changed(attempts="many"),
    "null count": changed(dead_letterings=None),
}


@pytest.mark.parametrize("body", NOT_A_RECORD.values(), ids=NOT_A_RECORD)
def test_decode_failure_anything_else_counts_as_absent(body: bytes) -> None:
    assert decode_failure(body) is None
