"""`versions`, `restore` and `diff` over a versioned bucket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from core.model.entry import CacheEntry
from tests.builders import SEPTEMBER, SEPTEMBER_BALANCES, make_balances, make_entry, make_row
from tests.tools.admin.command_line import RULE, DeniedEvents, Desk, programs

MONDAY = datetime(2026, 10, 12, 6, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
PERIOD = ("--from", "2026-09-01", "--to", "2026-09-30")
TOMBSTONE = (
    b'{"schema": "v1", "dataset": "programs", "id": "a1", "purged_at": "2026-10-12T07:00:00+00:00"}'
)


def balances(built_at: datetime, *accounts: str) -> CacheEntry:
    data = make_balances(SEPTEMBER, map(make_row, accounts))
    return make_entry(SEPTEMBER_BALANCES, built_at=built_at, data=data)


def test_versions_come_newest_first_with_what_each_is(desk: Desk) -> None:
    first = desk.put(programs(MONDAY, {"123456": "A"}))
    purged = desk.put(TOMBSTONE)
    torn = desk.put(b'{"schema": "v1", "da')
    desk.delete()
    listed = desk("versions", "--json").json["versions"]
    told = [(found["version_id"], found["state"], found["holds"]) for found in listed]
    assert told[1:] == [(torn, "unreadable", None), (purged, "purged", None), (first, "entry", 1)]
    assert told[0][1] == "deleted"
    assert listed[-1]["built_at"] == MONDAY.isoformat()


def test_versions_shown_are_limited_and_their_number_is_told(desk: Desk) -> None:
    for day in range(3):
        desk.put(programs(MONDAY + timedelta(days=day)))
    out = desk("versions", "--limit", "2").out.splitlines()
    assert out[0].startswith("3 versions of programs, the newest first; the first 2 are shown")
    assert len(out) == 4


def test_restored_entry_is_fresh_and_as_old_as_it_is(desk: Desk) -> None:
    chosen = desk.put(programs(MONDAY, {"123456": "Good"}))
    desk.put(programs(TUESDAY, {"654321": "Bad"}))
    result = desk("restore", chosen, "--fresh-for", "3")
    stored = desk.stored()
    assert (result.status, stored.data.active) == (0, {"123456": "Good"})
    assert stored.built_at == MONDAY
    left = stored.fresh_until - datetime.now(UTC)
    assert timedelta(hours=2, minutes=59) < left <= timedelta(hours=3)


def test_restore_takes_the_place_of_a_purge(desk: Desk) -> None:
    chosen = desk.put(programs(MONDAY))
    desk.put(TOMBSTONE)
    assert desk("restore", chosen).status == 0
    desk.delete()
    assert desk("restore", chosen).status == 0


def test_restore_tells_what_replaces_it_if_it_may_see_the_schedule(desk: Desk) -> None:
    chosen = desk.put(programs(MONDAY))
    assert "the schedule is on: `schedule off`" in desk("restore", chosen).out
    boto3.client("events").disable_rule(Name=RULE)
    assert "good again: `schedule on`" in desk("restore", chosen).out
    desk.clients["events"] = DeniedEvents()
    result = desk("restore", chosen)
    assert (result.status, result.err) == (0, "")
    assert "not known: these credentials lack the right events:DescribeRule" in result.out


def test_version_that_must_not_be_restored_is_refused(desk: Desk) -> None:
    refused = {
        desk.put(b"{"): "is unreadable: the object is not JSON",
        desk.put(TOMBSTONE): "is purged",
        desk.put(balances(MONDAY, "1000"), SEPTEMBER_BALANCES): (
            "is of cache/v1/balances/2026-09-01_2026-09-30.json, not of cache/v1/programs.json"
        ),
        # An entry of balances under the programs' key.
        desk.put(balances(MONDAY, "1000")): "is unreadable: its dataset is not programs",
        "nobody": "has no version nobody to read",
    }
    good = desk.put(programs(TUESDAY, {"123456": "Good"}))
    for version, reason in refused.items():
        result = desk("restore", version)
        assert (result.status, result.out, reason in result.err) == (1, "", True)
    assert desk.newest() == good


def test_write_that_comes_between_is_not_overwritten(desk: Desk) -> None:
    def overtake(**_: Any) -> None:
        desk.put(programs(TUESDAY, {"999999": "Theirs"}))

    chosen = desk.put(programs(MONDAY))
    desk.clients["s3"] = boto3.client("s3")
    desk.clients["s3"].meta.events.register("before-call.s3.PutObject", overtake)
    result = desk("restore", chosen)
    assert result.status == 1
    assert "wrote this entry meanwhile, so nothing was changed" in result.err
    assert desk.stored().data.active == {"999999": "Theirs"}


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["versions", "balances"], "balances need --from and --to"),
        (["versions", "programs", *PERIOD], "--from and --to go with balances only"),
        (["diff", "--from", "2026-09-02", "--to", "2026-09-30"], "a period must be a whole month"),
    ],
)
def test_dataset_and_period_must_go_together(desk: Desk, command: list[str], advice: str) -> None:
    result = desk(*command)
    assert result.status == 2
    assert advice in result.err


def test_diff_tells_what_the_last_rebuild_changed(desk: Desk) -> None:
    desk.put(programs(MONDAY, {"111111": "Gone", "222222": "Old name", "333333": "Same"}))
    desk.put(programs(TUESDAY, {"222222": "New name", "333333": "Same", "444444": "New"}))
    out = desk("diff").out.splitlines()
    assert out[0].endswith("1 added, 1 gone, 1 renamed")
    assert [" ".join(line.split()) for line in out[2:]] == [
        "gone 111111 Gone",
        "renamed 222222 Old name New name",
        "added 444444 New",
    ]


def test_diff_passes_over_purges_and_over_the_same_rebuild_marked_stale(desk: Desk) -> None:
    old = desk.put(programs(MONDAY, {"111111": "A"}))
    desk.put(b"{")
    built = programs(TUESDAY, {"222222": "B"})
    desk.put(built)
    new = desk.put(built.marked_stale(TUESDAY))
    desk.put(TOMBSTONE)
    shown = desk("diff", "--json").json
    assert (shown["old"], shown["new"]) == (old, new)


def test_diff_compares_the_versions_that_are_named(desk: Desk) -> None:
    old, new, _ = (desk.put(programs(MONDAY, {code: "A"})) for code in ("111111", "222222", "3"))
    shown = desk("diff", "--old", new, "--new", old, "--json").json
    assert [change["code"] for change in shown["changes"]] == ["111111", "222222"]


def test_diff_of_balances_is_by_account(desk: Desk) -> None:
    desk.put(balances(MONDAY, "1000"), SEPTEMBER_BALANCES)
    desk.put(balances(TUESDAY, "1000", "2000"), SEPTEMBER_BALANCES)
    changes = desk("diff", *PERIOD, "--json").json["changes"]
    assert [(change["change"], change["code"]) for change in changes] == [("added", "2000")]


def test_diff_needs_two_versions(desk: Desk) -> None:
    assert "no version that can be read" in desk("diff").err
    desk.put(programs(MONDAY))
    assert "no earlier version to compare with" in desk("diff").err
