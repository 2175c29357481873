"""The worker's use case: one session per batch, and only good data replaces an entry."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.errors import (
    ConflictError,
    LockedOutError,
    MipsCacheError,
    SessionLostError,
    StoreUnavailableError,
    TransientUpstreamError,
    UnexpectedError,
    UpstreamDataError,
)
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import (
    CacheEntry,
    PeriodBalances,
    ProgramLists,
    Tombstone,
    decode,
    encode,
    encode_tombstone,
)
from core.model.failures import encode_failure
from core.model.periods import Period
from core.rebuilding.requests import RebuildRequest, RebuildResult
from tests.builders import (
    NOW,
    OCTOBER,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER,
    SEPTEMBER_BALANCES,
    make_accounts_reply,
    make_balance_records,
    make_balances_reply,
    make_entry,
    make_failure,
    make_lists,
    make_request,
    make_row,
    make_segments_reply,
    store_entries,
    store_failures,
    store_tombstones,
)
from tests.wired import WiredWorker

ALL_DATASETS = (PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
AUGUST_BALANCES = balances_of(Period(date(2026, 8, 1), date(2026, 8, 31)))
PROGRAMS_KEY = entry_key(PREFIX, PROGRAM_LISTS)
SEPTEMBER_KEY = entry_key(PREFIX, SEPTEMBER_BALANCES)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
CHART = "login segments accounts"
TRANSIENT, LOST = TransientUpstreamError("x"), SessionLostError("x")
DAY = timedelta(days=1)
BALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(3)))
UNBALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(4)))


def rebuild(worker: WiredWorker, request: RebuildRequest | None = None) -> RebuildResult:
    """Have one message rebuilt: the programs', unless another is given."""
    return worker.rebuilder().run([request or make_request()])["m-1"]


def failed_with(worker: WiredWorker, request: RebuildRequest | None = None) -> MipsCacheError:
    (error,) = rebuild(worker, request).errors.values()
    return error


def found(worker: WiredWorker, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry | Tombstone:
    return decode(worker.store.objects[entry_key(PREFIX, dataset)].body, dataset)


def stored(worker: WiredWorker, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    entry = found(worker, dataset)
    assert isinstance(entry, CacheEntry)
    return entry


def outcomes(worker: WiredWorker) -> list[dict[str, str]]:
    return [told for name, _, told in worker.telemetry.metrics if name == "Rebuilds"]


def test_rebuild_of_all_is_one_session_with_one_chart_and_stores_each_dataset(
    worker: WiredWorker,
) -> None:
    worker.upstream.balances_by_period = {OCTOBER: [BALANCED], SEPTEMBER: [make_balances_reply()]}
    assert rebuild(worker, make_request(None)) == RebuildResult({}, collapsed=False)
    assert worker.upstream.calls == f"{CHART} balances balances logout".split()
    programs, october, september = (stored(worker, dataset).data for dataset in ALL_DATASETS)
    assert isinstance(programs, ProgramLists)
    assert programs.active == {"123456": "Part A", "345678": "Special: @Symbols Program"}
    assert "54321" in programs.with_inactive
    assert isinstance(october, PeriodBalances)
    assert isinstance(september, PeriodBalances)
    assert [row.end for row in october.rows] == ["3"]
    assert [row.name for row in september.rows] == ["Cash", "Grants payable"]
    assert september.period == SEPTEMBER


def test_entry_is_as_old_as_the_beginning_of_its_fetch_and_fresh_for_its_datasets_time(
    worker: WiredWorker,
) -> None:
    for call, seconds in {"login": 5, "segments": 20, "balances": 30}.items():
        worker.upstream.during[call] = lambda s=seconds: worker.clock.advance(seconds=s)
    rebuild(worker, make_request(None))
    built_at = NOW + timedelta(seconds=5)
    for dataset, hours in {PROGRAM_LISTS: 24, SEPTEMBER_BALANCES: 7}.items():
        entry = stored(worker, dataset)
        assert (entry.built_at, entry.fresh_until) == (built_at, built_at + timedelta(hours=hours))


# Collapsing


@pytest.mark.parametrize("age_seconds", [-60, 0, 0.001])
def test_message_collapses_unless_the_entry_is_older_than_it_is(
    worker: WiredWorker, age_seconds: float
) -> None:
    """An entry that is fresh is rebuilt all the same."""
    store_entries(worker.store, make_entry(built_at=NOW - timedelta(seconds=age_seconds)))
    is_older = age_seconds > 0
    assert rebuild(worker) == RebuildResult({}, collapsed=not is_older)
    assert worker.upstream.calls == ([*CHART.split(), "logout"] if is_older else [])
    assert len(outcomes(worker)) == is_older


def test_retry_of_all_redoes_only_what_is_missing(worker: WiredWorker) -> None:
    store_entries(worker.store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    assert rebuild(worker, make_request(None)) == RebuildResult({}, collapsed=False)
    assert worker.upstream.made["balances"] == 1
    assert stored(worker, OCTOBER_BALANCES).built_at == NOW


def test_satisfied_message_succeeds_though_a_newer_one_fails(worker: WiredWorker) -> None:
    store_entries(worker.store, make_entry(built_at=NOW - timedelta(minutes=3)))
    worker.upstream.fail("accounts", TRANSIENT)
    ages = {"old": timedelta(minutes=5), "new": timedelta(minutes=1)}
    results = worker.rebuilder().run(
        [make_request(message_id=name, sent_at=NOW - age) for name, age in ages.items()]
    )
    assert results["old"] == RebuildResult({}, collapsed=True)
    assert results["new"].errors == {PROGRAM_LISTS: TRANSIENT}


# Sessions


def test_batch_without_requests_recovers_a_session_all_the_same(worker: WiredWorker) -> None:
    worker.secrets.note_session("token-0")
    worker.upstream.open_token = "token-0"
    assert worker.rebuilder().run([]) == {}
    assert worker.upstream.open_token is None


def test_recovery_that_fails_opens_no_session(worker: WiredWorker) -> None:
    worker.secrets.note_session("token-0")
    worker.upstream.fail("logout", TRANSIENT)
    assert isinstance(failed_with(worker), LockedOutError)
    assert worker.upstream.calls == ["logout"]
    assert worker.telemetry.warnings() == ["session not recovered", "rebuild failed"]


def test_recovery_that_fails_does_not_keep_messages_from_collapsing(worker: WiredWorker) -> None:
    store_entries(worker.store, make_entry())
    worker.secrets.down.add("noted_session")
    assert rebuild(worker).collapsed


# Independence of datasets


@pytest.mark.parametrize(
    ("call", "error", "failing", "calls"),
    [
        ("login", TRANSIENT, ALL_DATASETS, "login"),
        ("segments", TRANSIENT, ALL_DATASETS, "login segments logout"),
        ("balances", TRANSIENT, ALL_DATASETS[1:2], f"{CHART} balances balances logout"),
        ("balances", LOST, ALL_DATASETS[1:], f"{CHART} balances logout"),
        ("logout", TRANSIENT, (), f"{CHART} balances balances logout"),
    ],
)
def test_failure_fails_what_it_touches_and_what_was_built_is_kept(
    worker: WiredWorker, call: str, error: MipsCacheError, failing: Sequence[Dataset], calls: str
) -> None:
    """A lost session ends the rest; a logout that is not confirmed fails nothing."""
    worker.upstream.fail(call, error)
    assert rebuild(worker, make_request(None)).errors == dict.fromkeys(failing, error)
    assert worker.upstream.calls == calls.split()
    for dataset in ALL_DATASETS:
        assert isinstance(found(worker, dataset), Tombstone if dataset in failing else CacheEntry)
    name = type(error).__name__
    assert outcomes(worker) == [
        {"dataset": one.name, "outcome": name if one in failing else "success"}
        for one in ALL_DATASETS
    ]
    assert worker.telemetry.warnings().count("rebuild failed") == len(failing)


@pytest.mark.parametrize(
    ("segments", "failing"),
    [
        pytest.param({"Program": 1}, [OCTOBER_BALANCES, SEPTEMBER_BALANCES], id="no GL"),
        pytest.param({"GL": 0}, [PROGRAM_LISTS], id="no Program"),
    ],
)
def test_missing_segment_fails_its_own_datasets_alone(
    worker: WiredWorker, segments: dict[str, int], failing: list[Dataset]
) -> None:
    """Where the GL is broken, MIP is also spared the balances call."""
    worker.upstream.replies["segments"] = make_segments_reply(segments)
    assert list(rebuild(worker, make_request(None)).errors) == failing
    assert worker.upstream.made["balances"] == (0 if OCTOBER_BALANCES in failing else 2)


@pytest.mark.parametrize(
    ("call", "failing"), [("balances", [OCTOBER_BALANCES]), ("segments", [*ALL_DATASETS])]
)
def test_defect_fails_what_it_touches_logs_out_and_tells_no_data(
    worker: WiredWorker, call: str, failing: list[Dataset]
) -> None:
    worker.upstream.fail(call, KeyError("confidential"))
    errors = rebuild(worker, make_request(None)).errors
    assert list(errors) == failing
    for error in errors.values():
        assert isinstance(error, UnexpectedError)
        assert "KeyError" in str(error)
        assert "confidential" not in str(error)
    assert worker.upstream.calls[-1] == "logout"


@pytest.mark.parametrize("operation", ["read", "create", "replace"])
def test_entry_that_s3_fails_for_fails_alone(worker: WiredWorker, operation: str) -> None:
    worker.store.down = lambda *call: call == (operation, PROGRAMS_KEY)
    errors = rebuild(worker, make_request(None)).errors
    assert list(errors) == [PROGRAM_LISTS]
    assert isinstance(errors[PROGRAM_LISTS], StoreUnavailableError)


# Compare-and-swap

OLD = make_entry(built_at=NOW - DAY)
PURGED = encode_tombstone(Tombstone.new(PROGRAM_LISTS, purged_at=NOW))


@pytest.mark.parametrize(
    ("before", "purged"),
    [
        pytest.param(None, PURGED, id="a first rebuild"),
        pytest.param(encode(OLD), PURGED, id="a later rebuild"),
        pytest.param(encode(OLD), encode(OLD.marked_stale(NOW)), id="a soft purge"),
    ],
)
def test_purge_meanwhile_wins(worker: WiredWorker, before: bytes | None, purged: bytes) -> None:
    if before:
        worker.store.put(PROGRAMS_KEY, before)
    worker.upstream.during["accounts"] = lambda: worker.store.put(PROGRAMS_KEY, purged)
    assert isinstance(failed_with(worker), ConflictError)
    assert worker.store.objects[PROGRAMS_KEY].body == purged
    assert worker.telemetry.warnings() == []
    assert "write refused" in [event for _, event, _ in worker.telemetry.events]
    assert outcomes(worker) == [{"dataset": "programs", "outcome": "ConflictError"}]


@pytest.mark.parametrize(("body", "warnings"), [(PURGED, []), (b"{", ["entry unreadable"])])
def test_tombstone_or_unreadable_entry_is_replaced(
    worker: WiredWorker, body: bytes, warnings: list[str]
) -> None:
    worker.store.put(PROGRAMS_KEY, body)
    assert rebuild(worker).errors == {}
    assert stored(worker).built_at == NOW
    assert worker.telemetry.warnings() == warnings


# Nothing bad replaces something good

TEN = make_lists({str(code): "Name" for code in range(100000, 100010)})
EMPTY = {"executionResult": "SUCCESS", "extraInformation": {"Level1": []}}


@pytest.mark.parametrize(
    ("dataset", "call", "reply", "accept_shrink"),
    [
        (PROGRAM_LISTS, "accounts", make_accounts_reply([("123456", "A", "One of ten")]), False),
        (PROGRAM_LISTS, "accounts", make_accounts_reply([("54321", "A", "Old")]), True),
        (SEPTEMBER_BALANCES, "segments", {"COA_SEGID": []}, False),
        (SEPTEMBER_BALANCES, "accounts", {"error": "try later"}, False),
        (SEPTEMBER_BALANCES, "balances", make_balances_reply(result="FAILURE"), False),
    ],
)
def test_bad_reply_leaves_the_stored_entry(
    worker: WiredWorker, dataset: Dataset, call: str, reply: object, accept_shrink: bool
) -> None:
    old = make_entry(dataset, built_at=NOW - DAY, data=None if dataset.period else TEN)
    store_entries(worker.store, old)
    worker.upstream.replies[call] = reply
    error = failed_with(worker, make_request(dataset, accept_shrink=accept_shrink))
    assert isinstance(error, UpstreamDataError)
    assert stored(worker, dataset) == old


@pytest.mark.parametrize(
    ("dataset", "stored_rows", "accept_shrink", "is_kept"),
    [
        pytest.param(SEPTEMBER_BALANCES, None, False, False, id="scheduled, nothing stored"),
        pytest.param(AUGUST_BALANCES, None, False, True, id="older, nothing stored"),
        pytest.param(AUGUST_BALANCES, 1, False, False, id="older, rows stored"),
        pytest.param(SEPTEMBER_BALANCES, 0, False, True, id="an empty report is stored"),
        pytest.param(SEPTEMBER_BALANCES, 1, True, True, id="an operator accepts it"),
    ],
)
def test_empty_report_is_kept_only_where_it_is_plausible(
    worker: WiredWorker,
    dataset: Dataset,
    stored_rows: int | None,
    accept_shrink: bool,
    is_kept: bool,
) -> None:
    """The schedule asks for October and September; August may lie before the books began."""
    store_tombstones(worker.store, dataset)
    if stored_rows is not None and dataset.period is not None:
        data = PeriodBalances(dataset.period, (make_row(),) * stored_rows)
        store_entries(worker.store, make_entry(dataset, built_at=NOW - DAY, data=data))
    worker.upstream.replies["balances"] = EMPTY
    errors = rebuild(worker, make_request(dataset, accept_shrink=accept_shrink)).errors
    assert [type(error) for error in errors.values()] == [UpstreamDataError] * (not is_kept)
    if is_kept:
        assert stored(worker, dataset).data == PeriodBalances(dataset.period, ())


# Balances that do not add up


@pytest.mark.parametrize(
    ("second", "end", "mismatches"),
    [
        pytest.param(BALANCED, b'"3"', 0, id="right the second time"),
        pytest.param(UNBALANCED, b'"4"', 1, id="still wrong: served with a warning"),
    ],
)
def test_unbalanced_balances_are_fetched_once_more(
    worker: WiredWorker, second: dict[str, object], end: bytes, mismatches: int
) -> None:
    worker.upstream.balances_by_period[SEPTEMBER] = [UNBALANCED, second, BALANCED]
    assert rebuild(worker, make_request(SEPTEMBER_BALANCES)).errors == {}
    assert (worker.upstream.made["login"], worker.upstream.made["balances"]) == (1, 2)
    assert worker.telemetry.counted("BalanceMismatches") == mismatches
    assert worker.telemetry.warnings() == ["balances do not add up"] * mismatches
    assert end in worker.store.objects[SEPTEMBER_KEY].body


# Failure records and telemetry


def test_success_deletes_the_failure_record_of_its_dataset_alone(worker: WiredWorker) -> None:
    store_failures(worker.store, PROGRAM_LISTS, SEPTEMBER_BALANCES)
    rebuild(worker)
    assert FAILURE_KEY not in worker.store.objects
    assert failure_key(PREFIX, SEPTEMBER_BALANCES) in worker.store.objects


@pytest.mark.parametrize(("failed_after_build", "is_left"), [(-1, False), (0, False), (1, True)])
def test_collapsed_request_deletes_the_failure_record_that_its_entry_outdates(
    worker: WiredWorker, failed_after_build: int, is_left: bool
) -> None:
    store_entries(worker.store, make_entry())
    record = make_failure(last_failed_at=NOW + timedelta(seconds=failed_after_build))
    worker.store.put(FAILURE_KEY, encode_failure(record))
    assert rebuild(worker).collapsed
    assert (FAILURE_KEY in worker.store.objects) is is_left


def test_rebuild_without_a_failure_record_deletes_nothing(worker: WiredWorker) -> None:
    rebuild(worker)
    assert "delete" not in {operation for operation, _ in worker.store.operations}


def test_failure_record_that_stays_does_not_fail_the_rebuild(worker: WiredWorker) -> None:
    store_failures(worker.store, PROGRAM_LISTS)
    worker.store.down = lambda operation, key: operation == "delete"
    assert rebuild(worker).errors == {}
    assert worker.telemetry.warnings() == ["failure record left"]


def test_success_is_counted_and_timed_and_tells_no_secret(worker: WiredWorker) -> None:
    old = make_entry(SEPTEMBER_BALANCES, built_at=NOW - timedelta(hours=6))
    store_entries(worker.store, old)
    worker.upstream.during["balances"] = lambda: worker.clock.advance(seconds=3)
    rebuild(worker, make_request(SEPTEMBER_BALANCES))
    assert outcomes(worker) == [{"dataset": "balances", "outcome": "success"}]
    metrics, events = worker.telemetry.metrics, worker.telemetry.events
    assert ("RebuildSeconds", 3.0, {"dataset": "balances"}) in metrics
    assert ("EntryAgeAtRebuild", 21600.0, {"dataset": "balances"}) in metrics
    assert ("info", "entry rebuilt", {"dataset": str(SEPTEMBER_BALANCES), "seconds": 3.0}) in events
    assert "token-1" not in json.dumps(events)
    assert worker.secrets.stored.password not in json.dumps(events)
