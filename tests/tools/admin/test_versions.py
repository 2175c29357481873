"""`versions`, `restore` and `diff` over a versioned bucket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from core.model.entry import CacheEntry
from tests.builders import SEPTEMBER, SEPTEMBER_BALANCES, make_balances, make_entry, make_row
from tests.tools.admin.command_line import RULE, CommandLine, DeniedEvents, programs

MONDAY = datetime(2026, 10, 12, 6, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
PERIOD = ("--from", "2026-09-01", "--to", "2026-09-30")
TOMBSTONE = (
    b'{"schema": "v1", "dataset": "programs", "id": "a1", "purged_at": "2026-10-12T07:00:00+00:00"}'
)


def balances(built_at: datetime, *accounts: str) -> CacheEntry:
    data = make_balances(SEPTEMBER, map(make_row, accounts))
    return make_entry(SEPTEMBER_BALANCES, built_at=built_at, data=data)


def test_versions_come_newest_first_with_what_each_is(admin: CommandLine) -> None:
    first = admin.put(programs(MONDAY, {"123456": "A"}))
    purged = admin.put(TOMBSTONE)
    torn = admin.put(b'{"schema": "v1", "da')
    admin.delete()
    listed = admin("versions", "--json").json["versions"]
    told = [(found["version_id"], found["state"], found["holds"]) for found in listed]
    assert told[1:] == [(torn, "unreadable", None), (purged, "purged", None), (first, "entry", 1)]
    assert told[0][1] == "deleted"
    assert listed[-1]["built_at"] == MONDAY.isoformat()


def test_versions_shown_are_limited_and_their_number_is_told(admin: CommandLine) -> None:
    for day in range(3):
        admin.put(programs(MONDAY + timedelta(days=day)))
    out = admin("versions", "--limit", "2").out.splitlines()
    assert out[0].startswith("3 versions of programs, the newest first; the first 2 are shown")
    assert len(out) == 4


def test_restored_entry_is_fresh_and_as_old_as_it_is(admin: CommandLine) -> None:
    chosen = admin.put(programs(MONDAY, {"123456": "Good"}))
    admin.put(programs(TUESDAY, {"654321": "Bad"}))
    result = admin("restore", chosen, "--fresh-for", "3")
    stored = admin.stored()
    assert (result.status, stored.data.active) == (0, {"123456": "Good"})
    assert stored.built_at == MONDAY
    left = stored.fresh_until - datetime.now(UTC)
    assert timedelta(hours=2, minutes=59) < left <= timedelta(hours=3)


def test_restore_takes_the_place_of_a_purge(admin: CommandLine) -> None:
    chosen = admin.put(programs(MONDAY))
    admin.put(TOMBSTONE)
    assert admin("restore", chosen).status == 0
    admin.delete()
    assert admin("restore", chosen).status == 0


def test_restore_tells_what_replaces_it_if_it_may_see_the_schedule(admin: CommandLine) -> None:
    chosen = admin.put(programs(MONDAY))
    assert "the schedule is on: `schedule off`" in admin("restore", chosen).out
    boto3.client("events").disable_rule(Name=RULE)
    assert "good again: `schedule on`" in admin("restore", chosen).out
    admin.clients["events"] = DeniedEvents()
    result = admin("restore", chosen)
    assert (result.status, result.err) == (0, "")
    assert "not known: these credentials lack the right events:DescribeRule" in result.out


def test_version_that_must_not_be_restored_is_refused(admin: CommandLine) -> None:
    refused = {
        admin.put(b"{"): "is unreadable: the object is not JSON",
        admin.put(TOMBSTONE): "is purged",
        admin.put(balances(MONDAY, "1000"), SEPTEMBER_BALANCES): (
            "is of cache/v1/balances/2026-09-01_2026-09-30.json, not of cache/v1/programs.json"
        ),
        # An entry of balances under the programs' key.
        admin.put(balances(MONDAY, "1000")): "is unreadable: its dataset is not programs",
        "nobody": "has no version nobody to read",
    }
    good = admin.put(programs(TUESDAY, {"123456": "Good"}))
    for version, reason in refused.items():
        result = admin("restore", version)
        assert (result.status, result.out, reason in result.err) == (1, "", True)
    assert admin.newest() == good


def test_write_that_comes_between_is_not_overwritten(admin: CommandLine) -> None:
    def overtake(**_: Any) -> None:
        admin.put(programs(TUESDAY, {"999999": "Theirs"}))

    chosen = admin.put(programs(MONDAY))
    admin.clients["s3"] = boto3.client("s3")
    admin.clients["s3"].meta.events.register("before-call.s3.PutObject", overtake)
    result = admin("restore", chosen)
    assert result.status == 1
    assert "wrote this entry meanwhile, so nothing was changed" in result.err
    assert admin.stored().data.active == {"999999": "Theirs"}


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["versions", "balances"], "balances need --from and --to"),
        (["versions", "programs", *PERIOD], "--from and --to go with balances only"),
        (["diff", "--from", "2026-09-02", "--to", "2026-09-30"], "a period must be a whole month"),
    ],
)
def test_dataset_and_period_must_go_together(
    admin: CommandLine, command: list[str], advice: str
) -> None:
    result = admin(*command)
    assert result.status == 2
    assert advice in result.err


def test_diff_tells_what_the_last_rebuild_changed(admin: CommandLine) -> None:
    admin.put(programs(MONDAY, {"111111": "Gone", "222222": "Old name", "333333": "Same"}))
    admin.put(programs(TUESDAY, {"222222": "New name", "333333": "Same", "444444": "New"}))
    out = admin("diff").out.splitlines()
    assert out[0].endswith("1 added, 1 gone, 1 renamed")
    assert [" ".join(line.split()) for line in out[2:]] == [
        "gone 111111 Gone",
        "renamed 222222 Old name New name",
        "added 444444 New",
    ]


def test_diff_passes_over_purges_and_over_the_same_rebuild_marked_stale(admin: CommandLine) -> None:
    old = admin.put(programs(MONDAY, {"111111": "A"}))
    admin.put(b"{")
    built = programs(TUESDAY, {"222222": "B"})
    admin.put(built)
    new = admin.put(built.marked_stale(TUESDAY))
    admin.put(TOMBSTONE)
    shown = admin("diff", "--json").json
    assert (shown["old"], shown["new"]) == (old, new)


def test_diff_compares_the_versions_that_are_named(admin: CommandLine) -> None:
    old, new, _ = (admin.put(programs(MONDAY, {code: "A"})) for code in ("111111", "222222", "3"))
    shown = admin("diff", "--old", new, "--new", old, "--json").json
    assert [change["code"] for change in shown["changes"]] == ["111111", "222222"]


def test_diff_of_balances_is_by_account(admin: CommandLine) -> None:
    admin.put(balances(MONDAY, "1000"), SEPTEMBER_BALANCES)
    admin.put(balances(TUESDAY, "1000", "2000"), SEPTEMBER_BALANCES)
    changes = admin("diff", *PERIOD, "--json").json["changes"]
    assert [(change["change"], change["code"]) for change in changes] == [("added", "2000")]


def test_diff_needs_two_versions(admin: CommandLine) -> None:
    assert "no version that can be read" in admin("diff").err
    admin.put(programs(MONDAY))
    assert "no earlier version to compare with" in admin("diff").err
