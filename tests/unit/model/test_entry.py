"""Cache entries: written, read back, and refused when they are anything else."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableEntryError
from core.model.datasets import PROGRAM_LISTS, SCHEMA, Dataset
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


def names_document(active: Any, **more: Any) -> bytes:
    return document(data={"active": active, **more})


def row_document(*values: Any) -> bytes:
    return balances_document(rows=[values])


def tombstone_document(**changes: Any) -> bytes:
    """Spell a valid tombstone, with changes."""
    tombstone = json.loads(encode_tombstone(Tombstone.new(PROGRAM_LISTS, NOW)))
    return json.dumps(tombstone | changes).encode()


def test_sample_of_programs_v1_is_read() -> None:
    entry = decode(sample("entries/v1/programs.json"), PROGRAM_LISTS)
    active = {"123456": "Part A", "345678": "Special: @Symbols Program", "400100": "Éducation"}
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


UNREADABLE: dict[str, tuple[Dataset, bytes, str]] = {
    "html": (PROGRAM_LISTS, b"<html>", "not JSON"),
    "no utf-8": (PROGRAM_LISTS, b"\xff\xfe\xfd", "not JSON"),
    "bottomless": (PROGRAM_LISTS, b"[" * 100_000, "not JSON"),
    "array": (PROGRAM_LISTS, b"[]", "not a JSON object"),
    "later schema": (PROGRAM_LISTS, document(schema="v2"), "schema"),
    "another dataset": (PROGRAM_LISTS, document(dataset="balances"), "dataset"),
    "no time": (PROGRAM_LISTS, document(built_at="yesterday"), "built_at"),
    "time is a number": (PROGRAM_LISTS, document(fresh_until=1760529600), "fresh_until"),
    "naive time": (PROGRAM_LISTS, document(built_at="2026-10-15T12:00:00"), "offset"),
    "first year": (PROGRAM_LISTS, document(built_at="0001-01-01T00:00:00+00:00"), "out of range"),
    "no data": (PROGRAM_LISTS, document(data=None), "data"),
    "one list only": (PROGRAM_LISTS, names_document({}), "JSON object of names"),
    "name is a number": (PROGRAM_LISTS, names_document({"1": 5}, with_inactive={}), "of names"),
    "list of list": (PROGRAM_LISTS, names_document(["1"], with_inactive={}), "of names"),
    "no period": (SEPTEMBER_BALANCES, document(dataset="balances", data={"rows": []}), "period"),
    "backwards": (SEPTEMBER_BALANCES, balances_document(to="2026-08-15"), "period"),
    "no end": (SEPTEMBER_BALANCES, balances_document(to=None), "period"),
    "another period": (OCTOBER_BALANCES, balances_document(), "period is not the one"),
    "rows are an object": (SEPTEMBER_BALANCES, balances_document(rows={"1000": []}), "rows"),
    "row is a text": (SEPTEMBER_BALANCES, balances_document(rows=["10AA00"]), "rows"),
    "short row": (SEPTEMBER_BALANCES, row_document("1000", "Cash"), "rows"),
    "float": (SEPTEMBER_BALANCES, row_document("1", "Cash", "A", 1.5, "0", "1.5"), "rows"),
    "null name": (SEPTEMBER_BALANCES, row_document("1", None, "A", "1", "0", "1"), "rows"),
    "status is a number": (SEPTEMBER_BALANCES, row_document("1", "Cash", 1, "1", "0", "1"), "rows"),
    "empty id": (PROGRAM_LISTS, tombstone_document(id=""), "id of the tombstone"),
    "id is a number": (PROGRAM_LISTS, tombstone_document(id=7), "id of the tombstone"),
    "no time of a purge": (PROGRAM_LISTS, tombstone_document(purged_at=None), "purged_at"),
    "tombstone of another schema": (PROGRAM_LISTS, tombstone_document(schema="v0"), "schema"),
}


@pytest.mark.parametrize(("dataset", "body", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_decode_anything_but_an_entry_of_the_dataset_is_unreadable(
    dataset: Dataset, body: bytes, problem: str
) -> None:
    with pytest.raises(UnreadableEntryError, match=problem):
        decode(body, dataset)


@pytest.mark.parametrize("body", [encode(make_entry()), tombstone_document()])
def test_decode_a_truncated_object_is_unreadable(body: bytes) -> None:
    for length in range(len(body)):
        with pytest.raises(UnreadableEntryError):
            decode(body[:length], PROGRAM_LISTS)


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


def test_sample_of_a_tombstone_v1_is_what_is_written_today() -> None:
    body = sample("entries/v1/tombstone.json").strip()
    tombstone = decode(body, PROGRAM_LISTS)
    assert tombstone == Tombstone(PROGRAM_LISTS, "5f2c9d7e4b8a4f1c9b0d3e6a7c8f1b2d", NOW)
    assert encode_tombstone(tombstone) == body
