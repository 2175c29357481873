"""What an operator can see: entries, failures, queues, the session."""

import json
from datetime import timedelta

import pytest

from core.model.datasets import PROGRAM_LISTS, balances_of, entry_key, failure_key
from core.model.entry import Tombstone, encode_tombstone
from core.model.periods import recent_periods
from core.operating.status import StatusReport
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    SEPTEMBER_BALANCES,
    TODAY,
    make_admin_settings,
    make_entry,
    make_stale_entry,
    store_entries,
    store_failures,
    store_tombstones,
)
from tests.wired import Outside

KEY = entry_key(PREFIX, PROGRAM_LISTS)
AUGUST_BALANCES = balances_of(recent_periods(TODAY, 3)[-1])


class WiredReport(Outside, StatusReport):
    """A status report, and all that it looks at."""

    def __init__(self) -> None:
        Outside.__init__(self)
        StatusReport.__init__(
            self,
            store=self.store,
            queue=self.queue,
            dead_letters=self.dead_letters,
            session=self.secrets,
            clock=self.clock,
            settings=make_admin_settings(),
        )


@pytest.fixture
def report() -> WiredReport:
    return WiredReport()


def test_status_of_an_empty_cache(report: WiredReport) -> None:
    assert report.write() == {
        "action": "status",
        "summary": "0 entries; 0 failing; 0 messages queued; 0 dead letters; MIP session closed",
        "entries": [],
        "missing": [],
        "queue": {"visible": 0, "in_flight": 0},
        "dead_letters": 0,
        "session_open": False,
    }


def test_status_fresh_entry_is_described(report: WiredReport) -> None:
    store_entries(report.store, make_entry(built_at=NOW - timedelta(minutes=1)))
    assert report.write()["entries"] == [
        {
            "dataset": "programs",
            "key": KEY,
            "state": "fresh",
            "age_seconds": 60,
            "fresh_until": "2026-10-16T11:59:00+00:00",
            "size_bytes": len(report.store.objects[KEY].body),
            "last_error": None,
        }
    ]


NO_TIMES = {"age_seconds": None, "fresh_until": None}


def test_status_stale_balances_are_described_with_their_period_and_last_error(
    report: WiredReport,
) -> None:
    store_entries(report.store, make_stale_entry(SEPTEMBER_BALANCES))
    store_failures(report.store, SEPTEMBER_BALANCES)
    written = report.write()
    [entry] = written["entries"]
    assert entry["state"] == "stale"
    assert entry.items() >= SEPTEMBER_BALANCES.as_json().items()
    assert entry["last_error"]["error_type"] == "UpstreamDataError"
    assert entry["last_error"]["next_attempt_at"] == "2026-10-15T12:05:00+00:00"
    assert written["missing"] == []


def test_status_unreadable_entry_is_told(report: WiredReport) -> None:
    report.store.put(KEY, b"{")
    [entry] = report.write()["entries"]
    assert entry.items() >= {"state": "unreadable", **NO_TIMES}.items()


def test_status_purged_entry_is_told_with_its_last_error(report: WiredReport) -> None:
    store_tombstones(report.store, PROGRAM_LISTS, SEPTEMBER_BALANCES)
    store_failures(report.store, PROGRAM_LISTS)
    written = report.write()
    september, programs = written["entries"]
    for entry in (september, programs):
        assert entry.items() >= {"state": "purged", **NO_TIMES}.items()
    assert september["last_error"] is None
    assert programs["last_error"]["attempts"] == 1
    assert written["missing"] == []
    assert written["summary"].startswith("2 entries (2 purged); 1 failing;")


def test_status_what_was_never_built_is_left_out_unless_it_fails(report: WiredReport) -> None:
    """Before the first rebuild the worker puts a tombstone that no purge did."""
    for dataset in (PROGRAM_LISTS, SEPTEMBER_BALANCES):
        report.store.put(entry_key(PREFIX, dataset), encode_tombstone(Tombstone.new(dataset)))
    store_failures(report.store, SEPTEMBER_BALANCES)
    written = report.write()
    assert written["entries"] == []
    [missing] = written["missing"]
    assert missing.items() >= SEPTEMBER_BALANCES.as_json().items()
    assert missing["last_error"]["attempts"] == 1


def test_status_unreadable_failure_record_is_left_out(report: WiredReport) -> None:
    store_entries(report.store, make_entry())
    report.store.put(failure_key(PREFIX, PROGRAM_LISTS), b"{")
    report.store.put(failure_key(PREFIX, SEPTEMBER_BALANCES), b"{")
    written = report.write()
    assert written["entries"][0]["last_error"] is None
    assert written["missing"] == []


def test_status_other_objects_are_not_entries(report: WiredReport) -> None:
    for key in ("cache/v0/programs.json", "cache/v1/failures/login.json", "other/x.json"):
        report.store.put(key, b"{}")
    written = report.write()
    assert (written["entries"], written["missing"]) == ([], [])


def test_status_counts_what_is_in_flight_too(report: WiredReport) -> None:
    report.queue.send_again("{}", "1")
    report.queue.receive()
    report.queue.send_again("{}", "2")
    for number in range(3):
        report.dead_letters.send("{}", {}, str(number), str(number))
    next(report.dead_letters.receive_batches())
    written = report.write()
    assert written["queue"] == {"visible": 1, "in_flight": 1}
    assert written["dead_letters"] == 3


def test_status_is_json_and_tells_no_token(report: WiredReport) -> None:
    store_entries(report.store, make_entry(), make_stale_entry(SEPTEMBER_BALANCES))
    store_failures(report.store, PROGRAM_LISTS, OCTOBER_BALANCES)
    report.secrets.note_session("token-1")
    assert "token-1" not in json.dumps(report.write())


def test_status_entry_that_vanishes_while_it_looks_is_left_out(report: WiredReport) -> None:
    store_entries(report.store, make_entry(), make_entry(SEPTEMBER_BALANCES))

    def vanish(operation: str, key: str) -> bool:
        if operation == "read":
            report.store.objects.pop(KEY, None)
        return False

    report.store.down = vanish
    assert [entry["dataset"] for entry in report.write()["entries"]] == ["balances"]


def test_status_lists_many_entries_in_the_order_of_their_keys(report: WiredReport) -> None:
    store_entries(
        report.store, *(make_entry(balances_of(period)) for period in recent_periods(TODAY, 200))
    )
    keys = [entry["key"] for entry in report.write()["entries"]]
    assert len(keys) == 200
    assert keys == sorted(keys)


def test_status_summary_is_one_line_of_what_matters(report: WiredReport) -> None:
    store_entries(
        report.store,
        make_entry(),
        make_entry(AUGUST_BALANCES),
        make_stale_entry(SEPTEMBER_BALANCES),
    )
    store_failures(report.store, SEPTEMBER_BALANCES, OCTOBER_BALANCES)
    report.store.put(entry_key(PREFIX, OCTOBER_BALANCES), b"{")
    report.queue.send_again("{}", "1")
    report.dead_letters.send("{}", {}, "1", "1")
    report.secrets.note_session("token-1")
    written = report.write()
    assert written["session_open"] is True
    assert written["summary"] == (
        "4 entries (2 fresh, 1 stale, 1 unreadable); 2 failing; 1 message queued; 1 dead letter; "
        "MIP session open"
    )
