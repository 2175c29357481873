"""Values for tests: a builder gives a plausible whole; a test names what it is about."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.model.datasets import ALL, PROGRAM_LISTS, Dataset, balances_of, entry_key, failure_key
from core.model.entry import (
    BalanceRow,
    CacheEntry,
    PeriodBalances,
    ProgramLists,
    Tombstone,
    encode,
    encode_tombstone,
)
from core.model.failures import FailureRecord, encode_failure
from core.model.periods import Period
from core.model.selection import Selection
from core.ports import CacheStore, Credentials
from core.rebuilding.delivery import Delivery
from core.rebuilding.requests import RebuildRequest
from core.settings import AdminSettings, ReaderSettings, WorkerSettings
from core.transform.chart import Account

NOW = datetime(2026, 10, 15, 12, 0, 0, tzinfo=UTC)
TODAY = NOW.date()
PREFIX = "cache/"
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 15))
SEPTEMBER = Period(date(2026, 9, 1), date(2026, 9, 30))
OCTOBER_BALANCES = balances_of(OCTOBER)
SEPTEMBER_BALANCES = balances_of(SEPTEMBER)
OMITTED = frozenset({"999900"})

ENVIRONMENT = {
    "CACHE_BUCKET": "cache-bucket",
    "CACHE_PREFIX": PREFIX,
    "REBUILD_QUEUE_URL": "https://sqs.example/rebuild.fifo",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example/dead.fifo",
}

SAMPLE_PROGRAMS = (
    ("12345600", "A", "Part A"),
    ("12345601", "A", "Part B"),
    ("34567800", "A", "(Special: @Symbols!) Program"),
    ("54321", "A", "Old"),
    ("76543200", "I", "Ignored"),
    ("99990000", "A", "Unfunded"),
)
"""Code, status, title: the programs of most examples."""

SAMPLE_GL = (("1000", "A", "Cash"), ("2000", "A", "Grants payable"), ("3000", "I", "Old bank"))


def make_accounts(rows: Iterable[tuple[str, str, str]] = SAMPLE_PROGRAMS) -> list[Account]:
    return [Account(*row) for row in rows]


def make_lists(
    active: Mapping[str, str] | None = None, with_inactive: Mapping[str, str] | None = None
) -> ProgramLists:
    active = {"123456": "Part A", "345678": "Special"} if active is None else active
    return ProgramLists(active, active if with_inactive is None else with_inactive)


def make_row(account: str = "1000", **changes: Any) -> BalanceRow:
    row = BalanceRow(account, "Cash", "A", "100.00", "-25.50", "74.50")
    return row._replace(**changes)


def make_balances(period: Period = OCTOBER, rows: Iterable[BalanceRow] = ()) -> PeriodBalances:
    return PeriodBalances(period, tuple(rows) or (make_row(),))


def make_entry(
    dataset: Dataset = PROGRAM_LISTS,
    *,
    built_at: datetime = NOW,
    ttl: timedelta = timedelta(hours=24),
    data: ProgramLists | PeriodBalances | None = None,
) -> CacheEntry:
    """Make an entry of a dataset, built now and fresh for a day unless told otherwise."""
    if data is None:
        data = make_balances(dataset.period) if dataset.period else make_lists()
    return CacheEntry(dataset, built_at, built_at + ttl, data)


def make_stale_entry(dataset: Dataset = PROGRAM_LISTS) -> CacheEntry:
    """Make an entry that was built two days ago and went stale yesterday."""
    return make_entry(dataset, built_at=NOW - timedelta(days=2))


def make_body(dataset: str = "programs", **more: Any) -> str:
    return json.dumps({"dataset": dataset, **more})


def make_request(
    dataset: Dataset | None = PROGRAM_LISTS,
    *,
    message_id: str = "m-1",
    sent_at: datetime = NOW,
    accept_shrink: bool = False,
) -> RebuildRequest:
    """Make a request for a dataset; None stands for all that the settings of the tests name."""
    selection = Selection.of(dataset) if dataset else Selection(ALL)
    datasets = tuple(selection.datasets(TODAY, make_worker_settings().balance_months))
    return RebuildRequest(message_id, datasets, sent_at, accept_shrink)


def make_delivery(
    body: str | None = None,
    *,
    message_id: str = "m-1",
    receives: int = 1,
    sent_at: datetime = NOW,
    receipt_handle: str | None = None,
    group: str = "mips",
) -> Delivery:
    return Delivery(
        message_id=message_id,
        body=make_body() if body is None else body,
        receipt_handle=receipt_handle or f"receipt of {message_id}",
        receives=receives,
        sent_at=sent_at,
        group=group,
    )


def make_worker_settings(**changes: Any) -> WorkerSettings:
    """Make the worker's settings: the defaults, but for what a test names and a few short ones."""
    environment = ENVIRONMENT | {
        "MIP_ORG": "Example Org",
        "MIP_LOGIN_URL": "https://login.example",
        "MIP_API_URL": "https://api.example",
        "CODES_TO_OMIT": ",".join(OMITTED),
        "BALANCE_MONTHS": "2",
    }
    return replace(WorkerSettings.from_environment(environment), **changes)


def make_reader_settings(**changes: Any) -> ReaderSettings:
    """Make the reader's settings: the defaults, but for what a test names."""
    return replace(ReaderSettings.from_environment(ENVIRONMENT), **changes)


def make_admin_settings(**changes: Any) -> AdminSettings:
    """Make the admin's settings: the defaults, but for what a test names."""
    return replace(AdminSettings.from_environment(ENVIRONMENT), **changes)


def make_failure(**changes: Any) -> FailureRecord:
    """Make the record of one dead-lettered failure, waited out for five more minutes."""
    record: dict[str, Any] = {
        "error_type": "UpstreamDataError",
        "message": "MIP's reply to accounts has no list COA_SEGID",
        "first_failed_at": NOW,
        "last_failed_at": NOW,
        "attempts": 1,
        "dead_lettered": True,
        "dead_letterings": 1,
        "next_attempt_at": NOW + timedelta(minutes=5),
    }
    return FailureRecord(**(record | changes))


def make_credentials(user_version: int = 1, password_version: int = 1) -> Credentials:
    return Credentials(
        username="cache@example.org",
        password="correct horse",
        versions={"/mips/user": user_version, "/mips/pass": password_version},
    )


def make_segments_reply(segments: Mapping[str, int] | None = None) -> dict[str, Any]:
    named = {"GL": 0, "Program": 1} if segments is None else segments
    return {"COA_SEGID": [{"COA_SEGID": n, "TITLE": title} for title, n in named.items()]}


def make_accounts_reply(
    programs: Iterable[tuple[str, str, str]] = SAMPLE_PROGRAMS,
    gl: Iterable[tuple[str, str, str]] = SAMPLE_GL,
) -> dict[str, Any]:
    return {
        "COA_SEGID": [
            {"COA_SEGID": segment, "COA_CODE": code, "COA_STATUS": status, "COA_TITLE": title}
            for segment, rows in ((0, gl), (1, programs))
            for code, status, title in rows
        ]
    }


def make_balance_record(account: str, kind: int, amount: Any, **more: Any) -> dict[str, Any]:
    return {
        "DBDETAIL_SUM_SEGMENT_N0": account,
        "DBDETAIL_SUM_TYPE": kind,
        "DBDETAIL_SUM_POSTEDAMT": amount,
        "DBDETAIL_SUM_SRCPOSTEDAMT": amount,
        "DBDETAIL_SUM_CURRENCY": "USD",
        **more,
    }


def make_balance_records(account: str, start: Any, activity: Any, end: Any) -> list[dict[str, Any]]:
    amounts = enumerate((start, activity, end), start=1)
    return [make_balance_record(account, kind, amount) for kind, amount in amounts]


def make_balances_reply(*records: Mapping[str, Any], result: Any = "SUCCESS") -> dict[str, Any]:
    """Make a reply; without records, those of two accounts that add up."""
    chosen = list(records) or [
        *make_balance_records("1000", Decimal("100.00"), Decimal("-25.50"), Decimal("74.50")),
        *make_balance_records("2000", Decimal("-10.00"), Decimal("0.00"), Decimal("-10.00")),
    ]
    return {"executionResult": result, "extraInformation": {"Level1": chosen}}


def store_entries(store: CacheStore, *entries: CacheEntry) -> None:
    """Put entries into a store, whatever is there."""
    for entry in entries:
        store.put(entry_key(PREFIX, entry.dataset), encode(entry))


def store_tombstones(store: CacheStore, *datasets: Dataset) -> None:
    """Put the tombstone of a purge in the place of each dataset's entry."""
    for dataset in datasets:
        tombstone = Tombstone.new(dataset, purged_at=NOW)
        store.put(entry_key(PREFIX, dataset), encode_tombstone(tombstone))


def store_failures(store: CacheStore, *datasets: Dataset) -> None:
    """Put a failure record of each dataset into a store."""
    for dataset in datasets:
        store.put(failure_key(PREFIX, dataset), encode_failure(make_failure()))
