"""What a fault changes in the records of a reply; what it leads to is in `tests/faults/`."""

from datetime import date
from typing import Any

import pytest

from local.mip import Fault
from local.mip.faults import ACCOUNT, RECORD_FIELDS, TYPE
from local.mip.replies import Reply
from local.mip.sample.organisation import ENDING, PROGRAM_SEGMENT, sample_organisation

ORGANISATION = sample_organisation()
REPLIES: dict[str, Any] = {
    "segments": ORGANISATION.segments(),
    "accounts": ORGANISATION.accounts(),
    "balances": ORGANISATION.balances(date(2026, 10, 1), date(2026, 10, 31)),
}


def records(reply: Any) -> Any:
    return reply.get("COA_SEGID") or reply["extraInformation"]["Level1"]


def changed(call: str, **fault: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The records that are gone under a fault, and those that are new."""
    good = records(REPLIES[call])
    bad = records(Fault(**fault).apply(Reply(payload=REPLIES[call])).payload)
    return [each for each in good if each not in bad], [each for each in bad if each not in good]


def test_shrink_leaves_out_that_share_of_the_programs_and_nothing_else() -> None:
    gone, new = changed("accounts", kind="shrink", percent=75)
    assert {record["COA_SEGID"] for record in gone} == {PROGRAM_SEGMENT}
    assert len(gone) == round(0.75 * len(ORGANISATION.programs))
    assert new == []


@pytest.mark.parametrize("account", [None, "1070"])
@pytest.mark.parametrize("kind", ["missing_record", "unbalanced"])
def test_one_account_loses_its_ending_balance_or_ends_elsewhere(
    kind: str, account: str | None
) -> None:
    gone, new = changed("balances", kind=kind, account=account)
    assert {(record[ACCOUNT], record[TYPE]) for record in gone} == {(account or "1010", ENDING)}
    assert len(new) == (kind == "unbalanced")


@pytest.mark.parametrize(
    ("call", "field"), [(call, field) for call, names in RECORD_FIELDS.items() for field in names]
)
def test_missing_field_leaves_that_field_out_of_the_first_record(call: str, field: str) -> None:
    gone, new = changed(call, kind="missing_field", field=field)
    first = records(REPLIES[call])[0]
    assert gone == [first]
    assert new == [{name: value for name, value in first.items() if name != field}]
