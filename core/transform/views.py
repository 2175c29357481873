"""From an entry to what a caller asked for: select, order, format. No rule of MIP is left here."""

import csv
import io
import json
from collections.abc import Mapping
from itertools import islice

from core.model.entry import PeriodBalances, ProgramLists
from core.model.query import BalancesQuery, ProgramsQuery

NO_PROGRAM_NAME = "No Program"
OTHER_NAME = "Other"
LONGEST_TAG_NAME = 245
"""Characters of a name in a tag, so that a tag stays below AWS's 256 with its code."""

CSV_HEADER = (
    "AccountNumber",
    "AccountName",
    "PeriodStart",
    "PeriodEnd",
    "StartBalance",
    "Activity",
    "EndBalance",
)


def select_programs(
    lists: ProgramLists, query: ProgramsQuery, *, no_program_code: str, other_code: str
) -> dict[str, str]:
    """Return code to name: No Program, Other, the priority codes as asked, the rest by code."""
    programs = lists.with_inactive if query.show_inactive_codes else lists.active
    ordered: dict[str, str] = {}
    if not query.hide_no_program_code:
        ordered[no_program_code] = NO_PROGRAM_NAME
    if query.show_other_code:
        ordered[other_code] = OTHER_NAME
    for code in query.priority_codes:
        if code in programs:
            ordered.setdefault(code, programs[code])
    for code, name in programs.items():
        ordered.setdefault(code, name)
    return dict(islice(ordered.items(), query.limit)) if query.limit else ordered


def accounts_json(programs: Mapping[str, str]) -> str:
    """Write the programs as a JSON object, in their order."""
    return json.dumps(programs, ensure_ascii=False)


def tags_json(programs: Mapping[str, str]) -> str:
    """Write the programs as a JSON array of AWS tag values."""
    return json.dumps([tag(code, name) for code, name in programs.items()], ensure_ascii=False)


def tag(code: str, name: str) -> str:
    """Return the cost-center tag value of a program; its name part ends in no space."""
    return f"{name[:LONGEST_TAG_NAME].rstrip()} / {code}"


def balances_csv(balances: PeriodBalances, query: BalancesQuery) -> str:
    """Write the rows as CSV (RFC 4180, CRLF).

    Only active accounts, unless the query includes the inactive ones; then also accounts that the
    chart does not know, without a name.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_HEADER)
    start, end = balances.period.start.isoformat(), balances.period.end.isoformat()
    for row in balances.rows:
        if query.show_inactive_codes or row.status == "A":
            writer.writerow((row.account, row.name, start, end, row.start, row.activity, row.end))
    return out.getvalue()
