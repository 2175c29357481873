"""Cache entries: written, read back, and refused when they are anything else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableEntryError
from core.model.datasets import PROGRAM_LISTS, SCHEMA
from core.model.entry import (
    BalanceRow,
    CacheEntry,
    PeriodBalances,
    ProgramLists,
    Tombstone,
    decode,
    encode,
    encode_tombstone,
)
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    SEPTEMBER,
    SEPTEMBER_BALANCES,
    make_balances,
    make_entry,
    make_row,
)
from tests.samples import HERE, sample

NAMES = st.dictionaries(st.text(), st.text(), max_size=5)
ROWS = st.builds(
    BalanceRow, st.text(), st.text(), st.none() | st.text(), st.text(), st.text(), st.text()
)


def document(**changes: Any) -> bytes:
    """Spell a valid programs entry, with changes."""
    return json.dumps(json.loads(encode(make_entry())) | changes).encode()


def balances_document(**changes: Any) -> bytes:
    """Spell a valid balances entry, with changes to its data."""
    whole = json.loads(encode(make_entry(SEPTEMBER_BALANCES)))
    return json.dumps(whole | {"data": whole["data"] | changes}).encode()


def test_sample_of_programs_v1_is_read() -> None:
    entry = decode(sample("entries/v1/programs.json"), PROGRAM_LISTS)
    active = {
        "123456": "Part A",
        "345678": "Special: @Symbols Program",
        "400100": "Éducation",
    }
    assert entry == CacheEntry(
        PROGRAM_LISTS,
        datetime(2026, 10, 15, 12, tzinfo=UTC),
        datetime(2026, 10, 16, 12, tzinfo=UTC),
        ProgramLists(active, {**active, "54321": "Old", "765432": "Ignored"}),
    )


def test_sample_of_balances_v1_is_read() -> None:
    entry = decode(sample("entries/v1/balances.json"), SEPTEMBER_BALANCES)
    assert entry.data == PeriodBalances(
        SEPTEMBER,
        (
            BalanceRow("1000", 'Cash, "checking"', "A", "1000.10", "-250.60", "749.50"),
            BalanceRow("3000", "Old bank", "I", "0.00", "0.00", "0.00"),
            BalanceRow("9999", "", None, "12.3400", "0", "12.3400"),
        ),
    )


@pytest.mark.parametrize(
    ("name", "dataset"), [("programs", PROGRAM_LISTS), ("balances", SEPTEMBER_BALANCES)]
)
def test_sample_of_v1_is_what_is_written_today(name: str, dataset: Any) -> None:
    """The shape has not changed without a new schema version."""
    body = sample(f"entries/v1/{name}.json").strip()
    assert encode(decode(body, dataset)) == body


def test_samples_hold_the_present_schema_version() -> None:
    assert (HERE / "entries" / SCHEMA).is_dir()


@given(NAMES, NAMES)
def test_entry_of_programs_is_read_back_as_it_was(active: Any, with_inactive: Any) -> None:
    entry = make_entry(data=ProgramLists(active, with_inactive))
    assert decode(encode(entry), PROGRAM_LISTS) == entry


@given(st.lists(ROWS, max_size=4))
def test_entry_of_balances_is_read_back_as_it_was(rows: list[BalanceRow]) -> None:
    entry = make_entry(SEPTEMBER_BALANCES, data=PeriodBalances(SEPTEMBER, tuple(rows)))
    assert decode(encode(entry), SEPTEMBER_BALANCES) == entry


def test_entry_with_a_lone_surrogate_in_a_name_is_still_built() -> None:
    balances = make_balances(SEPTEMBER, [make_row(name="Cash \ud800")])
    entry = make_entry(SEPTEMBER_BALANCES, data=balances)
    assert decode(encode(entry), SEPTEMBER_BALANCES) == entry


def test_entry_of_programs_is_in_the_order_of_the_codes_however_it_was_stored() -> None:
    body = document(data={"active": {"2": "b", "1": "a"}, "with_inactive": {"3": "c", "0": "z"}})
    entry = decode(body, PROGRAM_LISTS)
    assert isinstance(entry.data, ProgramLists)
    assert list(entry.data.active) == ["1", "2"]
    assert list(entry.data.with_inactive) == ["0", "3"]


@pytest.mark.parametrize("length", [0, 1, 20, 100, -1])
def test_decode_a_truncated_object_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableEntryError):
        decode(encode(make_entry())[:length], PROGRAM_LISTS)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"<html>", "not JSON", id="html"),
        pytest.param(b"\xff\xfe\xfd", "not JSON", id="no utf-8"),
        pytest.param(b"[" * 100_000, "not JSON", id="bottomless"),
        pytest.param(b"[]", "not a JSON object", id="array"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(document(schema="v2"), "schema", id="later schema"),
        pytest.param(document(schema="v0"), "schema", id="earlier schema"),
        pytest.param(document(schema=1), "schema", id="schema as number"),
        pytest.param(document(schema=None), "schema", id="no schema"),
        pytest.param(document(dataset="balances"), "dataset", id="another dataset"),
        pytest.param(document(built_at="yesterday"), "built_at", id="no time"),
        pytest.param(document(built_at=None), "built_at", id="time is null"),
        pytest.param(document(built_at=1760529600), "built_at", id="time is a number"),
        pytest.param(document(built_at="2026-10-15T12:00:00"), "offset", id="naive time"),
        pytest.param(
            document(fresh_until="0001-01-01T00:00:00+00:00"), "out of range", id="first year"
        ),
        pytest.param(document(fresh_until="soon"), "fresh_until", id="no second time"),
        pytest.param(document(data=None), "data", id="no data"),
        pytest.param(document(data=[]), "data", id="data is a list"),
        pytest.param(document(data={}), "JSON object of names", id="no lists"),
        pytest.param(document(data={"active": {}}), "JSON object of names", id="one list only"),
        pytest.param(
            document(data={"active": {"1": 5}, "with_inactive": {}}),
            "JSON object of names",
            id="name is a number",
        ),
        pytest.param(
            document(data={"active": ["1"], "with_inactive": {}}),
            "JSON object of names",
            id="list of list",
        ),
    ],
)
def test_decode_anything_but_a_programs_entry_is_unreadable(body: bytes, problem: str) -> None:
    with pytest.raises(UnreadableEntryError, match=problem):
        decode(body, PROGRAM_LISTS)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(balances_document(**{"from": "2026-10-01"}), "period", id="half a period"),
        pytest.param(document(dataset="balances", data={"rows": []}), "period", id="no period"),
        pytest.param(balances_document(to=None), "period", id="no end"),
        pytest.param(
            balances_document(**{"from": "2026-10-01", "to": "2026-10-15"}),
            "period is not the one",
            id="another period",
        ),
        pytest.param(balances_document(rows=None), "rows", id="no rows"),
        pytest.param(balances_document(rows={"1000": []}), "rows", id="rows are an object"),
        pytest.param(balances_document(rows=["10AA00"]), "rows", id="row is a text"),
        pytest.param(balances_document(rows=[["1000", "Cash"]]), "rows", id="short row"),
        pytest.param(
            balances_document(rows=[["1", "Cash", "A", 1.5, "0", "1.5"]]), "rows", id="float"
        ),
        pytest.param(
            balances_document(rows=[["1", None, "A", "1", "0", "1"]]), "rows", id="null name"
        ),
        pytest.param(
            balances_document(rows=[["1", "Cash", 1, "1", "0", "1"]]), "rows", id="number as status"
        ),
    ],
)
def test_decode_anything_but_a_balances_entry_is_unreadable(body: bytes, problem: str) -> None:
    with pytest.raises(UnreadableEntryError, match=problem):
        decode(body, SEPTEMBER_BALANCES)


def test_decode_balances_under_another_period_is_unreadable() -> None:
    with pytest.raises(UnreadableEntryError, match="period"):
        decode(encode(make_entry(SEPTEMBER_BALANCES)), OCTOBER_BALANCES)


def test_unreadable_entry_error_holds_nothing_of_the_body() -> None:
    with pytest.raises(UnreadableEntryError) as caught:
        decode(document(schema="confidential"), PROGRAM_LISTS)
    assert "confidential" not in str(caught.value)


def test_marked_stale_a_fresh_entry_is_stale_from_now_on() -> None:
    marked = make_entry(built_at=NOW - timedelta(hours=1)).marked_stale(NOW)
    assert marked.fresh_until == NOW
    assert marked.built_at == NOW - timedelta(hours=1)


def test_marked_stale_a_stale_entry_stays_stale_but_is_a_new_generation() -> None:
    entry = make_entry(ttl=timedelta(seconds=1))
    marked = entry.marked_stale(NOW + timedelta(hours=1))
    assert marked.fresh_until < entry.fresh_until


# Tombstones


@pytest.mark.parametrize("purged_at", [None, NOW])
def test_tombstone_is_read_back_as_it_was(purged_at: datetime | None) -> None:
    tombstone = Tombstone.new(PROGRAM_LISTS, purged_at)
    assert decode(encode_tombstone(tombstone), PROGRAM_LISTS) == tombstone


def test_tombstones_have_ids_of_their_own() -> None:
    assert Tombstone.new(PROGRAM_LISTS).id != Tombstone.new(PROGRAM_LISTS).id


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": ""}, id="empty id"),
        pytest.param({"id": 7}, id="id is a number"),
        pytest.param({"id": None}, id="id is null"),
        pytest.param({"purged_at": "yesterday"}, id="no time"),
        pytest.param({"purged_at": None}, id="time is null"),
        pytest.param({"schema": "v0"}, id="another schema"),
        pytest.param({"dataset": "balances"}, id="another dataset"),
    ],
)
def test_decode_wrong_tombstone_is_unreadable(changes: dict[str, Any]) -> None:
    body = {"schema": "v1", "dataset": "programs", "id": "x", "purged_at": NOW.isoformat()}
    with pytest.raises(UnreadableEntryError):
        decode(json.dumps(body | changes).encode(), PROGRAM_LISTS)


def test_decode_truncated_tombstone_is_unreadable() -> None:
    body = encode_tombstone(Tombstone.new(PROGRAM_LISTS, NOW))
    for length in range(len(body)):
        with pytest.raises(UnreadableEntryError):
            decode(body[:length], PROGRAM_LISTS)


def test_sample_of_a_tombstone_v1_is_what_is_written_today() -> None:
    body = sample("entries/v1/tombstone.json").strip()
    tombstone = decode(body, PROGRAM_LISTS)
    assert tombstone == Tombstone(PROGRAM_LISTS, "5f2c9d7e4b8a4f1c9b0d3e6a7c8f1b2d", NOW)
    assert encode_tombstone(tombstone) == body
