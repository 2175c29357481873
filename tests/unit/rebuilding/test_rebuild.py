"""The worker's use case: one session per batch, and only good data replaces an entry."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.errors import (
    AmbiguousLoginError,
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
from core.model.entry import CacheEntry, PeriodBalances, ProgramLists, Tombstone, decode
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

ALL_DATASETS = {PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES}
AUGUST_BALANCES = balances_of(Period(date(2026, 8, 1), date(2026, 8, 31)))
PROGRAMS_KEY = entry_key(PREFIX, PROGRAM_LISTS)
SEPTEMBER_KEY = entry_key(PREFIX, SEPTEMBER_BALANCES)
FAILURE_KEY = failure_key(PREFIX, PROGRAM_LISTS)
WHOLE_SESSION = ["login", "segments", "accounts", "logout"]
TRANSIENT = TransientUpstreamError("x")
DAY = timedelta(days=1)


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


def test_rebuild_of_programs_stores_both_lists(worker: WiredWorker) -> None:
    assert rebuild(worker) == RebuildResult({}, collapsed=False)
    data = stored(worker).data
    assert isinstance(data, ProgramLists)
    assert data.active == {"123456": "Part A", "345678": "Special: @Symbols Program"}
    assert "54321" in data.with_inactive


def test_rebuild_of_balances_stores_the_joined_rows(worker: WiredWorker) -> None:
    rebuild(worker, make_request(SEPTEMBER_BALANCES))
    data = stored(worker, SEPTEMBER_BALANCES).data
    assert isinstance(data, PeriodBalances)
    assert data.period == SEPTEMBER
    assert [row.name for row in data.rows] == ["Cash", "Grants payable"]


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


def test_rebuild_of_all_is_one_session_with_one_chart(worker: WiredWorker) -> None:
    rebuild(worker, make_request(None))
    assert worker.upstream.calls == [*WHOLE_SESSION[:3], "balances", "balances", "logout"]
    assert set(worker.store.objects) == {entry_key(PREFIX, dataset) for dataset in ALL_DATASETS}


# Collapsing


@pytest.mark.parametrize("since_sent", [timedelta(0), timedelta(minutes=1)], ids=["same", "newer"])
def test_entry_not_older_than_the_message_collapses(
    worker: WiredWorker, since_sent: timedelta
) -> None:
    store_entries(worker.store, make_entry())
    assert rebuild(worker, make_request(sent_at=NOW - since_sent)).collapsed
    assert worker.upstream.calls == []
    assert outcomes(worker) == []


def test_entry_older_than_the_message_is_rebuilt_even_if_fresh(worker: WiredWorker) -> None:
    store_entries(worker.store, make_entry(built_at=NOW - timedelta(milliseconds=1)))
    assert not rebuild(worker).collapsed
    assert worker.upstream.calls == WHOLE_SESSION


def test_retry_of_all_redoes_only_what_is_missing(worker: WiredWorker) -> None:
    store_entries(worker.store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    assert rebuild(worker, make_request(None)) == RebuildResult({}, collapsed=False)
    assert worker.upstream.made["balances"] == 1
    assert stored(worker, OCTOBER_BALANCES).built_at == NOW


def test_many_messages_for_one_dataset_cost_one_rebuild(worker: WiredWorker) -> None:
    for _ in range(3):
        worker.rebuilder().run([make_request(message_id=str(n), sent_at=NOW) for n in range(10)])
        worker.clock.advance(seconds=1)
    assert worker.upstream.made["login"] == 1


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


def test_login_that_fails_is_tried_once_and_fails_every_dataset(worker: WiredWorker) -> None:
    worker.upstream.fail("login", TRANSIENT)
    assert rebuild(worker, make_request(None)).errors == dict.fromkeys(ALL_DATASETS, TRANSIENT)
    assert worker.upstream.made["login"] == 1


def test_lost_login_reply_locks_the_next_login_out_until_mip_ends_the_session(
    worker: WiredWorker,
) -> None:
    worker.upstream.loses_login_reply = True
    assert isinstance(failed_with(worker), AmbiguousLoginError)
    worker.upstream.loses_login_reply = False
    assert isinstance(failed_with(worker), LockedOutError)
    worker.upstream.unlock()
    assert rebuild(worker).errors == {}


def test_unconfirmed_logout_keeps_what_was_built(worker: WiredWorker) -> None:
    worker.upstream.fail("logout", TRANSIENT)
    assert rebuild(worker).errors == {}
    assert isinstance(found(worker), CacheEntry)


def test_lost_session_stops_the_rest_and_keeps_what_was_built(worker: WiredWorker) -> None:
    worker.upstream.fail("balances", SessionLostError("x"))
    errors = rebuild(worker, make_request(None)).errors
    assert set(errors) == {OCTOBER_BALANCES, SEPTEMBER_BALANCES}
    assert worker.upstream.made["balances"] == 1
    assert isinstance(found(worker), CacheEntry)


# Independence of datasets


def test_error_of_one_dataset_leaves_the_others(worker: WiredWorker) -> None:
    worker.upstream.fail("balances", TRANSIENT)
    assert rebuild(worker, make_request(None)).errors == {OCTOBER_BALANCES: TRANSIENT}
    assert stored(worker).built_at == stored(worker, SEPTEMBER_BALANCES).built_at == NOW


def test_chart_that_cannot_be_fetched_fails_every_dataset_and_logs_out(worker: WiredWorker) -> None:
    worker.upstream.fail("segments", UpstreamDataError("MIP lists no segments"))
    assert set(rebuild(worker, make_request(None)).errors) == ALL_DATASETS
    assert worker.upstream.calls == ["login", "segments", "logout"]
    assert outcomes(worker) == [
        {"dataset": name, "outcome": "UpstreamDataError"}
        for name in ("programs", "balances", "balances")
    ]
    assert worker.telemetry.warnings() == ["rebuild failed"] * 3


@pytest.mark.parametrize(
    ("segments", "failing"),
    [
        pytest.param({"Program": 1}, {OCTOBER_BALANCES, SEPTEMBER_BALANCES}, id="no GL"),
        pytest.param({"GL": 0}, {PROGRAM_LISTS}, id="no Program"),
    ],
)
def test_missing_segment_fails_its_own_datasets_alone(
    worker: WiredWorker, segments: dict[str, int], failing: set[Dataset]
) -> None:
    """Where the GL is broken, MIP is also spared the balances call."""
    worker.upstream.replies["segments"] = make_segments_reply(segments)
    assert set(rebuild(worker, make_request(None)).errors) == failing
    assert worker.upstream.made["balances"] == (0 if OCTOBER_BALANCES in failing else 2)


@pytest.mark.parametrize(
    ("call", "failing"), [("balances", {OCTOBER_BALANCES}), ("segments", ALL_DATASETS)]
)
def test_defect_fails_what_it_touches_logs_out_and_tells_no_data(
    worker: WiredWorker, call: str, failing: set[Dataset]
) -> None:
    worker.upstream.fail(call, KeyError("confidential"))
    errors = rebuild(worker, make_request(None)).errors
    assert set(errors) == failing
    for error in errors.values():
        assert isinstance(error, UnexpectedError)
        assert "KeyError" in str(error)
        assert "confidential" not in str(error)
    assert worker.upstream.calls[-1] == "logout"


def test_entry_that_cannot_be_looked_at_fails_alone(worker: WiredWorker) -> None:
    worker.store.down = lambda *call: call == ("read", PROGRAMS_KEY)
    errors = rebuild(worker, make_request(None)).errors
    assert [(key, type(error)) for key, error in errors.items()] == [
        (PROGRAM_LISTS, StoreUnavailableError)
    ]


def test_write_that_fails_is_reported(worker: WiredWorker) -> None:
    worker.store.down = lambda operation, key: operation == "replace"
    assert isinstance(failed_with(worker), StoreUnavailableError)


# Compare-and-swap


@pytest.mark.parametrize("is_first", [True, False], ids=["first rebuild", "later rebuild"])
def test_purge_meanwhile_wins(worker: WiredWorker, is_first: bool) -> None:
    if not is_first:
        store_entries(worker.store, make_entry(built_at=NOW - DAY))
    worker.upstream.during["accounts"] = lambda: store_tombstones(worker.store, PROGRAM_LISTS)
    assert isinstance(failed_with(worker), ConflictError)
    assert isinstance(found(worker), Tombstone)
    assert worker.telemetry.warnings() == []
    assert "write refused" in [event for _, event, _ in worker.telemetry.events]
    assert outcomes(worker) == [{"dataset": "programs", "outcome": "ConflictError"}]


def test_soft_purge_meanwhile_wins(worker: WiredWorker) -> None:
    old = make_entry(built_at=NOW - DAY / 2)
    store_entries(worker.store, old)
    marked = old.marked_stale(NOW)
    worker.upstream.during["accounts"] = lambda: store_entries(worker.store, marked)
    assert isinstance(failed_with(worker), ConflictError)
    assert stored(worker) == marked


def test_object_that_appears_between_the_look_and_the_claim_wins(worker: WiredWorker) -> None:
    def appear(operation: str, _key: str) -> bool:
        if operation == "create":
            worker.store.down = lambda *_: False
            store_tombstones(worker.store, PROGRAM_LISTS)
        return False

    worker.store.down = appear
    assert isinstance(failed_with(worker), ConflictError)
    assert worker.upstream.calls == []


def test_rebuild_after_a_purge_replaces_its_tombstone(worker: WiredWorker) -> None:
    store_tombstones(worker.store, PROGRAM_LISTS)
    assert rebuild(worker).errors == {}
    assert isinstance(found(worker), CacheEntry)


def test_unreadable_entry_is_replaced(worker: WiredWorker) -> None:
    worker.store.put(PROGRAMS_KEY, b"{")
    assert rebuild(worker).errors == {}
    assert stored(worker).built_at == NOW
    assert worker.telemetry.warnings() == ["entry unreadable"]


# Nothing bad replaces something good

GROWN = make_entry(
    built_at=NOW - DAY, data=make_lists({str(100000 + n): "Name" for n in range(10)})
)
EMPTY = {"executionResult": "SUCCESS", "extraInformation": {"Level1": []}}


@pytest.mark.parametrize(
    ("programs", "accept_shrink"),
    [
        pytest.param([("123456", "A", "Part A")], False, id="a list that shrank too much"),
        pytest.param([("54321", "A", "Old")], True, id="an empty list, whatever the message says"),
    ],
)
def test_implausible_list_does_not_replace_the_stored_one(
    worker: WiredWorker, programs: list[tuple[str, str, str]], accept_shrink: bool
) -> None:
    store_entries(worker.store, GROWN)
    worker.upstream.replies["accounts"] = make_accounts_reply(programs)
    error = failed_with(worker, make_request(accept_shrink=accept_shrink))
    assert isinstance(error, UpstreamDataError)
    assert stored(worker) == GROWN


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        ("segments", {"COA_SEGID": []}),
        ("accounts", {"error": "try later"}),
        ("balances", make_balances_reply(result="FAILURE")),
    ],
)
def test_bad_reply_leaves_the_stored_entry(worker: WiredWorker, call: str, reply: object) -> None:
    old = make_entry(SEPTEMBER_BALANCES, built_at=NOW - DAY)
    store_entries(worker.store, old)
    worker.upstream.replies[call] = reply
    assert isinstance(failed_with(worker, make_request(SEPTEMBER_BALANCES)), UpstreamDataError)
    assert stored(worker, SEPTEMBER_BALANCES) == old


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

BALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(3)))
UNBALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(4)))


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


def test_each_period_is_fetched_for_itself(worker: WiredWorker) -> None:
    worker.upstream.balances_by_period = {OCTOBER: [BALANCED], SEPTEMBER: [make_balances_reply()]}
    rebuild(worker, make_request(None))
    data = [stored(worker, dataset).data for dataset in (OCTOBER_BALANCES, SEPTEMBER_BALANCES)]
    assert [len(balances.rows) for balances in data] == [1, 2]  # type: ignore[union-attr]


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
