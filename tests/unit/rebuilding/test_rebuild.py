"""The worker's use case: one session per batch, and only good data replaces an entry."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.errors import (
    AmbiguousLoginError,
    ConflictError,
    CredentialsRefusedError,
    LockedOutError,
    MipsCacheError,
    OutOfTimeError,
    SessionLostError,
    StoreUnavailableError,
    TransientUpstreamError,
    UnexpectedError,
    UpstreamDataError,
)
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import CacheEntry, PeriodBalances, ProgramLists, decode
from core.model.failures import encode_failure
from core.model.periods import Period, recent_periods
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.requests import RebuildResult
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
    store_tombstones,
)
from tests.fakes import FakeClock, FakeSecrets, FakeUpstream, InMemoryStore, RecordingTelemetry
from tests.wired import WiredWorker

PROGRAMS_KEY = entry_key(PREFIX, PROGRAM_LISTS)
WHOLE_SESSION = ["login", "segments", "accounts", "logout"]


@pytest.fixture
def worker(
    store: InMemoryStore,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> WiredWorker:
    return WiredWorker(
        store=store, upstream=upstream, secrets=secrets, telemetry=telemetry, clock=clock
    )


@pytest.fixture
def rebuilder(worker: WiredWorker) -> Rebuilder:
    return worker.rebuilder()


def stored(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    found = decode(store.objects[entry_key(PREFIX, dataset)].body, dataset)
    assert isinstance(found, CacheEntry)
    return found


def is_built(store: InMemoryStore, dataset: Dataset = PROGRAM_LISTS) -> bool:
    """Tell an entry from the tombstone that stands there before the first rebuild."""
    stored_object = store.objects.get(entry_key(PREFIX, dataset))
    if stored_object is None:
        return False
    return isinstance(decode(stored_object.body, dataset), CacheEntry)


def only_error(result: RebuildResult) -> MipsCacheError:
    (error,) = result.errors.values()
    return error


def test_rebuild_of_programs_stores_both_lists(rebuilder: Rebuilder, store: InMemoryStore) -> None:
    result = rebuilder.run([make_request()])["m-1"]
    assert result == RebuildResult({}, collapsed=False)
    data = stored(store).data
    assert isinstance(data, ProgramLists)
    assert data.active == {"123456": "Part A", "345678": "Special: @Symbols Program"}
    assert "54321" in data.with_inactive


def test_rebuild_of_balances_stores_the_joined_rows(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    rebuilder.run([make_request(SEPTEMBER_BALANCES)])
    data = stored(store, SEPTEMBER_BALANCES).data
    assert isinstance(data, PeriodBalances)
    assert data.period == SEPTEMBER
    assert [row.name for row in data.rows] == ["Cash", "Grants payable"]


def test_rebuild_entry_is_as_old_as_the_beginning_of_its_fetch(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream, clock: FakeClock
) -> None:
    upstream.during["login"] = lambda: clock.advance(seconds=5)
    upstream.during["segments"] = lambda: clock.advance(seconds=20)
    upstream.during["balances"] = lambda: clock.advance(seconds=30)
    rebuilder.run([make_request(None)])
    assert stored(store).built_at == NOW + timedelta(seconds=5)
    assert stored(store, SEPTEMBER_BALANCES).built_at == NOW + timedelta(seconds=5)


def test_rebuild_entry_is_fresh_for_its_datasets_time(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    rebuilder.run([make_request(None)])
    assert stored(store).fresh_until == NOW + timedelta(hours=24)
    assert stored(store, OCTOBER_BALANCES).fresh_until == NOW + timedelta(hours=7)


def test_rebuild_of_all_is_one_session_with_one_chart(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    rebuilder.run([make_request(None)])
    assert upstream.calls == ["login", "segments", "accounts", "balances", "balances", "logout"]
    assert {key for key in store.objects if "failures" not in key} == {
        entry_key(PREFIX, dataset)
        for dataset in (PROGRAM_LISTS, OCTOBER_BALANCES, SEPTEMBER_BALANCES)
    }


# Collapsing


@pytest.mark.parametrize("since_sent", [timedelta(0), timedelta(minutes=1)], ids=["same", "newer"])
def test_rebuild_entry_not_older_than_the_message_collapses(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream, since_sent: timedelta
) -> None:
    store_entries(store, make_entry(built_at=NOW))
    result = rebuilder.run([make_request(sent_at=NOW - since_sent)])["m-1"]
    assert result == RebuildResult({}, collapsed=True)
    assert upstream.calls == []


def test_rebuild_entry_older_than_the_message_is_rebuilt_even_if_fresh(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    store_entries(store, make_entry(built_at=NOW - timedelta(milliseconds=1)))
    assert not rebuilder.run([make_request()])["m-1"].collapsed
    assert upstream.calls == WHOLE_SESSION


def test_rebuild_retry_of_all_redoes_only_what_is_missing(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    store_entries(store, make_entry(), make_entry(SEPTEMBER_BALANCES))
    result = rebuilder.run([make_request(None, sent_at=NOW)])["m-1"]
    assert upstream.made["balances"] == 1
    assert stored(store, OCTOBER_BALANCES).built_at == NOW
    assert result == RebuildResult({}, collapsed=False)


def test_rebuild_thousand_messages_for_one_dataset_cost_one_rebuild(
    rebuilder: Rebuilder, upstream: FakeUpstream, clock: FakeClock
) -> None:
    for batch in range(3):
        rebuilder.run([make_request(message_id=f"{batch}-{n}", sent_at=NOW) for n in range(10)])
        clock.advance(seconds=1)
    assert upstream.made["login"] == 1


def test_rebuild_satisfied_message_succeeds_though_a_newer_one_fails(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    store_entries(store, make_entry(built_at=NOW - timedelta(minutes=3)))
    upstream.fail("accounts", TransientUpstreamError("x"))
    results = rebuilder.run(
        [
            make_request(message_id="old", sent_at=NOW - timedelta(minutes=5)),
            make_request(message_id="new", sent_at=NOW - timedelta(minutes=1)),
        ]
    )
    assert results["old"] == RebuildResult({}, collapsed=True)
    assert isinstance(only_error(results["new"]), TransientUpstreamError)


# Sessions


def test_rebuild_without_requests_recovers_a_session_all_the_same(
    rebuilder: Rebuilder, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    secrets.note_session("token-0")
    upstream.open_token = "token-0"
    assert rebuilder.run([]) == {}
    assert upstream.open_token is None


def test_rebuild_recovery_that_fails_opens_no_session(
    rebuilder: Rebuilder,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
) -> None:
    secrets.note_session("token-0")
    upstream.open_token = "token-0"
    upstream.fail("logout", TransientUpstreamError("MIP answered 500 to logout"))
    error = only_error(rebuilder.run([make_request()])["m-1"])
    assert isinstance(error, LockedOutError)
    assert upstream.calls == ["logout"]
    assert telemetry.warnings() == ["session not recovered", "rebuild failed"]


def test_rebuild_recovery_that_fails_does_not_keep_messages_from_collapsing(
    rebuilder: Rebuilder, store: InMemoryStore, secrets: FakeSecrets
) -> None:
    store_entries(store, make_entry())
    secrets.down.add("noted_session")
    assert rebuilder.run([make_request()])["m-1"].collapsed


@pytest.mark.parametrize(
    "error",
    [
        LockedOutError("x"),
        AmbiguousLoginError("x"),
        CredentialsRefusedError("x"),
        TransientUpstreamError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_rebuild_login_failure_fails_every_dataset_with_one_try(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream, error: MipsCacheError
) -> None:
    upstream.fail("login", error)
    result = rebuilder.run([make_request(None)])["m-1"]
    assert set(result.errors.values()) == {error}
    assert len(result.errors) == 3
    assert upstream.made["login"] == 1


def test_rebuild_lost_login_reply_then_lock_out_then_recovery(
    rebuilder: Rebuilder, upstream: FakeUpstream
) -> None:
    """An ambiguous login is not repeated; while its session lasts the next one is locked out."""
    upstream.loses_login_reply = True
    assert isinstance(only_error(rebuilder.run([make_request()])["m-1"]), AmbiguousLoginError)
    upstream.loses_login_reply = False
    assert isinstance(only_error(rebuilder.run([make_request()])["m-1"]), LockedOutError)
    upstream.unlock()
    assert rebuilder.run([make_request()])["m-1"].errors == {}


def test_rebuild_unconfirmed_logout_keeps_what_was_built(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    upstream.fail("logout", TransientUpstreamError("x"))
    assert rebuilder.run([make_request()])["m-1"].errors == {}
    assert is_built(store)


def test_rebuild_lost_session_stops_the_rest_and_keeps_what_was_built(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    upstream.fail("balances", SessionLostError("x"))
    result = rebuilder.run([make_request(None)])["m-1"]
    assert set(result.errors) == {OCTOBER_BALANCES, SEPTEMBER_BALANCES}
    assert upstream.made["balances"] == 1
    assert is_built(store)


# Independence of datasets


@pytest.mark.parametrize(
    "error",
    [TransientUpstreamError("x"), UpstreamDataError("x"), OutOfTimeError("x")],
    ids=lambda error: type(error).__name__,
)
def test_rebuild_error_of_one_dataset_leaves_the_others(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream, error: MipsCacheError
) -> None:
    upstream.fail("balances", error)
    result = rebuilder.run([make_request(None)])["m-1"]
    assert result.errors == {OCTOBER_BALANCES: error}
    assert is_built(store, SEPTEMBER_BALANCES)
    assert is_built(store)


def test_rebuild_chart_that_cannot_be_fetched_fails_every_dataset_and_logs_out(
    rebuilder: Rebuilder, upstream: FakeUpstream
) -> None:
    upstream.fail("accounts", TransientUpstreamError("x"))
    result = rebuilder.run([make_request(None)])["m-1"]
    assert len(result.errors) == 3
    assert upstream.calls == WHOLE_SESSION


@pytest.mark.parametrize(
    ("segments", "failing"),
    [
        pytest.param({"Program": 1}, {OCTOBER_BALANCES, SEPTEMBER_BALANCES}, id="no GL"),
        pytest.param({"GL": 0}, {PROGRAM_LISTS}, id="no Program"),
    ],
)
def test_rebuild_missing_segment_fails_its_own_datasets_alone(
    rebuilder: Rebuilder, upstream: FakeUpstream, segments: dict[str, int], failing: set[Dataset]
) -> None:
    """Where the GL is broken, MIP is also spared the balances call."""
    upstream.replies["segments"] = make_segments_reply(segments)
    result = rebuilder.run([make_request(None)])["m-1"]
    assert set(result.errors) == failing
    assert upstream.made["balances"] == (0 if OCTOBER_BALANCES in failing else 2)


def test_rebuild_unexpected_defect_is_isolated_and_tells_no_data(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    upstream.fail("balances", KeyError("confidential"))
    result = rebuilder.run([make_request(None)])["m-1"]
    error = only_error(result)
    assert isinstance(error, UnexpectedError)
    assert "KeyError" in str(error)
    assert "confidential" not in str(error)
    assert is_built(store, SEPTEMBER_BALANCES)


def test_rebuild_unexpected_defect_fails_every_message_and_logs_out(
    rebuilder: Rebuilder, upstream: FakeUpstream
) -> None:
    upstream.fail("segments", KeyError("x"))
    result = rebuilder.run([make_request(None)])["m-1"]
    assert [type(error) for error in result.errors.values()] == [UnexpectedError] * 3
    assert upstream.made["logout"] == 1
    assert upstream.open_token is None


def test_rebuild_entry_that_cannot_be_looked_at_fails_alone(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    store.down = lambda operation, key: (operation, key) == ("read", PROGRAMS_KEY)
    result = rebuilder.run([make_request(None)])["m-1"]
    assert isinstance(result.errors.pop(PROGRAM_LISTS), StoreUnavailableError)  # type: ignore[attr-defined]
    assert result.errors == {}


def test_rebuild_write_that_fails_is_reported(rebuilder: Rebuilder, store: InMemoryStore) -> None:
    store.down = lambda operation, key: operation == "replace"
    error = only_error(rebuilder.run([make_request()])["m-1"])
    assert isinstance(error, StoreUnavailableError)


# Compare-and-swap


def during_fetch(upstream: FakeUpstream, action: Callable[[], None]) -> None:
    upstream.during["accounts"] = action


@pytest.mark.parametrize("is_first", [True, False], ids=["first rebuild", "later rebuild"])
def test_rebuild_purge_meanwhile_wins(
    rebuilder: Rebuilder,
    store: InMemoryStore,
    upstream: FakeUpstream,
    telemetry: RecordingTelemetry,
    is_first: bool,
) -> None:
    if not is_first:
        store_entries(store, make_entry(built_at=NOW - timedelta(days=2)))
    during_fetch(upstream, lambda: store_tombstones(store, PROGRAM_LISTS))
    assert isinstance(only_error(rebuilder.run([make_request()])["m-1"]), ConflictError)
    assert not is_built(store)
    assert telemetry.warnings() == []
    assert "write refused" in [event for _, event, _ in telemetry.events]
    assert outcomes(telemetry) == [{"dataset": "programs", "outcome": "ConflictError"}]


def test_rebuild_after_a_purge_replaces_its_tombstone(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    store_tombstones(store, PROGRAM_LISTS)
    assert rebuilder.run([make_request()])["m-1"].errors == {}
    assert is_built(store)


def test_rebuild_object_that_appeared_between_look_and_claim_wins(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    def appear(operation: str, _key: str) -> bool:
        if operation == "create":
            store.down = lambda *_: False
            store_tombstones(store, PROGRAM_LISTS)
        return False

    store.down = appear
    assert isinstance(only_error(rebuilder.run([make_request()])["m-1"]), ConflictError)
    assert upstream.calls == []


def test_rebuild_soft_purge_meanwhile_wins(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    old = make_entry(built_at=NOW - timedelta(hours=2))
    store_entries(store, old)
    during_fetch(upstream, lambda: store_entries(store, old.marked_stale(NOW)))
    assert isinstance(only_error(rebuilder.run([make_request()])["m-1"]), ConflictError)
    assert stored(store) == old.marked_stale(NOW)


@pytest.mark.parametrize("body", [b"", b"{", b'{"schema": "v0"}'])
def test_rebuild_unreadable_entry_is_replaced(
    rebuilder: Rebuilder, store: InMemoryStore, telemetry: RecordingTelemetry, body: bytes
) -> None:
    store.put(PROGRAMS_KEY, body)
    assert rebuilder.run([make_request(sent_at=NOW)])["m-1"].errors == {}
    assert stored(store).built_at == NOW
    assert telemetry.warnings() == ["entry unreadable"]


# Nothing bad replaces something good


def grown() -> CacheEntry:
    names = {str(100000 + n): "Name" for n in range(10)}
    return make_entry(built_at=NOW - timedelta(days=1), data=make_lists(names))


def test_rebuild_list_that_shrank_too_much_is_refused(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    store_entries(store, grown())
    error = only_error(rebuilder.run([make_request()])["m-1"])
    assert isinstance(error, UpstreamDataError)
    assert stored(store) == grown()


def test_rebuild_empty_list_is_refused_whatever_the_message_says(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    store_entries(store, grown())
    upstream.replies["accounts"] = make_accounts_reply([("54321", "A", "Old")])
    error = only_error(rebuilder.run([make_request(accept_shrink=True)])["m-1"])
    assert isinstance(error, UpstreamDataError)
    assert stored(store) == grown()


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        ("segments", {"COA_SEGID": []}),
        ("accounts", {"error": "try later"}),
        ("balances", make_balances_reply(result="FAILURE")),
    ],
)
def test_rebuild_bad_reply_leaves_the_stored_entry(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream, call: str, reply: object
) -> None:
    old = make_entry(SEPTEMBER_BALANCES, built_at=NOW - timedelta(days=2))
    store_entries(store, old)
    upstream.replies[call] = reply
    error = only_error(rebuilder.run([make_request(SEPTEMBER_BALANCES)])["m-1"])
    assert isinstance(error, UpstreamDataError)
    assert stored(store, SEPTEMBER_BALANCES) == old


AUGUST_BALANCES = balances_of(Period(date(2026, 8, 1), date(2026, 8, 31)))
EMPTY = {"executionResult": "SUCCESS", "extraInformation": {"Level1": []}}


@pytest.mark.parametrize(
    ("dataset", "stored_rows", "accept_shrink", "is_kept"),
    [
        pytest.param(SEPTEMBER_BALANCES, None, False, False, id="scheduled, nothing stored"),
        pytest.param(AUGUST_BALANCES, None, False, True, id="older, nothing stored"),
        pytest.param(AUGUST_BALANCES, 1, False, False, id="older, rows stored"),
        pytest.param(SEPTEMBER_BALANCES, 1, False, False, id="scheduled, rows stored"),
        pytest.param(SEPTEMBER_BALANCES, 0, False, True, id="an empty report is stored"),
        pytest.param(SEPTEMBER_BALANCES, 1, True, True, id="an operator accepts it"),
    ],
)
def test_rebuild_empty_report_is_kept_only_where_it_is_plausible(
    rebuilder: Rebuilder,
    store: InMemoryStore,
    upstream: FakeUpstream,
    dataset: Dataset,
    stored_rows: int | None,
    accept_shrink: bool,
    is_kept: bool,
) -> None:
    """The schedule asks for October and September; August may lie before the books began."""
    store_tombstones(store, dataset)
    if stored_rows is not None and dataset.period is not None:
        data = PeriodBalances(dataset.period, (make_row(),) * stored_rows)
        store_entries(store, make_entry(dataset, built_at=NOW - timedelta(days=1), data=data))
    upstream.replies["balances"] = EMPTY
    errors = rebuilder.run([make_request(dataset, accept_shrink=accept_shrink)])["m-1"].errors
    assert [type(error) for error in errors.values()] == [UpstreamDataError] * (not is_kept)
    if is_kept:
        assert stored(store, dataset).data == PeriodBalances(dataset.period, ())


# Balances that do not add up

BALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(3)))
UNBALANCED = make_balances_reply(*make_balance_records("1000", Decimal(1), Decimal(2), Decimal(4)))


def test_rebuild_unbalanced_balances_are_fetched_once_more(
    rebuilder: Rebuilder,
    store: InMemoryStore,
    upstream: FakeUpstream,
    telemetry: RecordingTelemetry,
) -> None:
    upstream.balances_by_period[SEPTEMBER] = [UNBALANCED, BALANCED]
    assert rebuilder.run([make_request(SEPTEMBER_BALANCES)])["m-1"].errors == {}
    assert (upstream.made["login"], upstream.made["balances"]) == (1, 2)
    assert telemetry.counted("BalanceMismatches") == 0
    assert b'"3"' in store.objects[entry_key(PREFIX, SEPTEMBER_BALANCES)].body


def test_rebuild_balances_that_stay_unbalanced_are_served_with_a_warning(
    rebuilder: Rebuilder,
    store: InMemoryStore,
    upstream: FakeUpstream,
    telemetry: RecordingTelemetry,
) -> None:
    upstream.balances_by_period[SEPTEMBER] = [UNBALANCED, UNBALANCED, BALANCED]
    assert rebuilder.run([make_request(SEPTEMBER_BALANCES)])["m-1"].errors == {}
    assert upstream.made["balances"] == 2
    assert telemetry.counted("BalanceMismatches") == 1
    assert telemetry.warnings() == ["balances do not add up"]
    assert b'"4"' in store.objects[entry_key(PREFIX, SEPTEMBER_BALANCES)].body


def test_rebuild_fetches_each_period_for_itself(
    rebuilder: Rebuilder, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    upstream.balances_by_period = {OCTOBER: [BALANCED], SEPTEMBER: [make_balances_reply()]}
    rebuilder.run([make_request(None)])
    data = {p: stored(store, balances_of(p)).data for p in recent_periods(NOW.date(), 2)}
    assert [len(data[period].rows) for period in (OCTOBER, SEPTEMBER)] == [1, 2]  # type: ignore[union-attr]


# Failure records and telemetry


def test_rebuild_success_deletes_the_failure_record_of_its_dataset(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    for dataset in (PROGRAM_LISTS, SEPTEMBER_BALANCES):
        store.put(failure_key(PREFIX, dataset), encode_failure(make_failure()))
    rebuilder.run([make_request()])
    assert failure_key(PREFIX, PROGRAM_LISTS) not in store.objects
    assert failure_key(PREFIX, SEPTEMBER_BALANCES) in store.objects


@pytest.mark.parametrize(("failed_after_build", "is_left"), [(-1, False), (0, False), (1, True)])
def test_collapsed_request_deletes_the_failure_record_that_its_entry_outdates(
    rebuilder: Rebuilder, store: InMemoryStore, failed_after_build: int, is_left: bool
) -> None:
    store_entries(store, make_entry())
    failed_at = NOW + timedelta(seconds=failed_after_build)
    record = make_failure(last_failed_at=failed_at)
    store.put(failure_key(PREFIX, PROGRAM_LISTS), encode_failure(record))
    assert rebuilder.run([make_request()])["m-1"].collapsed
    assert (failure_key(PREFIX, PROGRAM_LISTS) in store.objects) is is_left


def test_rebuild_without_a_failure_record_deletes_nothing(
    rebuilder: Rebuilder, store: InMemoryStore
) -> None:
    rebuilder.run([make_request()])
    assert "delete" not in {operation for operation, _ in store.operations}


def test_rebuild_failure_record_that_stays_does_not_fail_the_rebuild(
    rebuilder: Rebuilder, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    store.put(failure_key(PREFIX, PROGRAM_LISTS), encode_failure(make_failure()))
    store.down = lambda operation, key: operation == "delete"
    assert rebuilder.run([make_request()])["m-1"].errors == {}
    assert telemetry.warnings() == ["failure record left"]


def test_rebuild_tells_how_old_the_replaced_entry_was(
    rebuilder: Rebuilder, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    store_entries(store, make_entry(built_at=NOW - timedelta(hours=6)))
    rebuilder.run([make_request()])
    assert ("EntryAgeAtRebuild", 21600.0, {"dataset": "programs"}) in telemetry.metrics


def test_rebuild_tells_no_token_and_no_password(
    rebuilder: Rebuilder, telemetry: RecordingTelemetry, secrets: FakeSecrets
) -> None:
    rebuilder.run([make_request(None)])
    told = json.dumps(telemetry.events)
    assert "token-1" not in told
    assert secrets.stored.password not in told


# What is told of each outcome


def outcomes(telemetry: RecordingTelemetry) -> list[dict[str, str]]:
    return [dimensions for name, _, dimensions in telemetry.metrics if name == "Rebuilds"]


def test_rebuild_success_is_counted_and_timed(
    rebuilder: Rebuilder, upstream: FakeUpstream, telemetry: RecordingTelemetry, clock: FakeClock
) -> None:
    upstream.during["balances"] = lambda: clock.advance(seconds=3)
    rebuilder.run([make_request(SEPTEMBER_BALANCES)])
    assert outcomes(telemetry) == [{"dataset": "balances", "outcome": "success"}]
    assert ("RebuildSeconds", 3.0, {"dataset": "balances"}) in telemetry.metrics
    assert ("info", "entry rebuilt", {"dataset": str(SEPTEMBER_BALANCES), "seconds": 3.0}) in (
        telemetry.events
    )


def test_rebuild_failure_is_counted_by_its_error_and_told_once(
    rebuilder: Rebuilder, upstream: FakeUpstream, telemetry: RecordingTelemetry
) -> None:
    upstream.fail("segments", UpstreamDataError("MIP lists no segments"))
    rebuilder.run([make_request(None)])
    assert {item["outcome"] for item in outcomes(telemetry)} == {"UpstreamDataError"}
    assert [item["dataset"] for item in outcomes(telemetry)] == ["programs", "balances", "balances"]
    assert telemetry.warnings() == ["rebuild failed"] * 3


def test_collapsed_request_counts_as_no_rebuild(
    rebuilder: Rebuilder, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    store_entries(store, make_entry())
    rebuilder.run([make_request()])
    assert outcomes(telemetry) == []
