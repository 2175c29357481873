"""Failure records: what they tell, and how they pace new attempts."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest

from core.errors import CredentialsRefusedError, UpstreamDataError
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


@pytest.mark.parametrize(
    ("dead_letterings", "minutes"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (10**6, 60)],
)
def test_pause_after_doubles_from_five_minutes_to_an_hour(
    dead_letterings: int, minutes: int
) -> None:
    assert pause_after(dead_letterings) == timedelta(minutes=minutes)


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


def test_failure_day_long_outage_leaves_a_handful_of_dead_letters() -> None:
    record, letters = failed(), 1
    while record.next_attempt_at < NOW + timedelta(days=1):
        minutes = (record.next_attempt_at - NOW) / timedelta(minutes=1)
        record, letters = failed(record, after_minutes=minutes), letters + 1
    assert letters < 30


def test_failure_names_the_error_as_its_class() -> None:
    record = FailureRecord.of(
        CredentialsRefusedError("x"), NOW, earlier=None, retry_in=None, correlation_id=None
    )
    assert (record.error_type, record.correlation_id) == ("CredentialsRefusedError", None)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(make_failure(), id="dead-lettered"),
        pytest.param(make_failure(dead_lettered=False, dead_letterings=0), id="retried"),
        pytest.param(make_failure(correlation_id="c-1"), id="correlated"),
    ],
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


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"5", id="number"),
        pytest.param(b"{}", id="nothing told"),
        pytest.param(b"[" * 100_000, id="bottomless"),
        pytest.param(encode_failure(make_failure())[:-3], id="truncated"),
        pytest.param(changed(next_attempt_at="soon"), id="no time"),
        pytest.param(changed(next_attempt_at=None), id="null time"),
        pytest.param(changed(last_failed_at="2026-10-15T12:00:00"), id="naive time"),
        pytest.param(changed(attempts="many"), id="attempts in words"),
        pytest.param(changed(dead_letterings=None), id="null count"),
    ],
)
def test_decode_failure_anything_else_counts_as_absent(body: bytes) -> None:
    assert decode_failure(body) is None


def test_pauses_only_grow() -> None:
    assert all(pause_after(n) <= pause_after(m) for n, m in pairwise(range(12)))
