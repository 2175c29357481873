"""From MIP's trial balance and GL chart to the rows of one period."""

import decimal
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from core.errors import UpstreamDataError
from core.model.entry import BalanceRow, PeriodBalances
from core.model.periods import Period
from core.transform.chart import Account

ACCOUNT = "DBDETAIL_SUM_SEGMENT_N0"
TYPE = "DBDETAIL_SUM_TYPE"
AMOUNT = "DBDETAIL_SUM_POSTEDAMT"
BEGINNING, ACTIVITY, ENDING = 1, 2, 3

_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_LONGEST_AMOUNT = 36
# A cent is the smallest amount; less than half of one is a rounding of MIP's own.
_SMALLEST_MISMATCH = Decimal("0.005")
# Wide enough that no sum of amounts of that length is ever rounded.
_EXACT = decimal.Context(prec=100, traps=[decimal.Inexact, decimal.InvalidOperation])


class _Record(NamedTuple):
    account: str
    kind: int
    amount: str


def join_balances(reply: object, gl: Iterable[Account], period: Period) -> PeriodBalances:
    """Turn a reply of GetAccountBalances into rows, in MIP's order, named by the GL chart.

    The reply must have been read with its numbers as text (`Decimal` or `str`), so that amounts
    keep MIP's digits. Without records there are no rows; whether that is plausible is for the
    caller to judge. Raises UpstreamDataError when MIP reports no success, the reply does not have
    the documented shape, or an account lacks one of its three record types.
    """
    amounts = _by_account(_records(reply))
    chart = {account.code: account for account in gl}
    return PeriodBalances(
        period, tuple(_row(code, kinds, chart.get(code)) for code, kinds in amounts.items())
    )


def unbalanced_accounts(balances: PeriodBalances) -> list[str]:
    """Return the accounts whose start plus activity differs from their end by half a cent or more.

    Their amounts are as MIP sent them all the same.
    """
    return [row.account for row in balances.rows if abs(_difference(row)) >= _SMALLEST_MISMATCH]


def check_not_empty(new: PeriodBalances, *, is_plausible: bool) -> None:
    """Refuse a report without any account unless that is plausible.

    Raises UpstreamDataError: an empty report must not replace a good one, nor be kept for a period
    that certainly has balances.
    """
    if not new.rows and not is_plausible:
        raise UpstreamDataError(
            f"MIP's reply to balances of {new.period} is empty; a message with accept_shrink "
            "accepts that"
        )


def _difference(row: BalanceRow) -> Decimal:
    expected = _EXACT.add(Decimal(row.start), Decimal(row.activity))
    return _EXACT.subtract(expected, Decimal(row.end))


def _records(reply: object) -> list[_Record]:
    if not isinstance(reply, dict):
        raise UpstreamDataError("MIP's reply to balances is not a JSON object")
    if reply.get("executionResult") != "SUCCESS":
        raise UpstreamDataError("MIP's reply to balances reports no success")
    details = reply.get("extraInformation")
    records = details.get("Level1") if isinstance(details, dict) else None
    if not isinstance(records, list):
        raise UpstreamDataError("MIP's reply to balances has no list Level1")
    return [_record(record) for record in records]


def _record(record: object) -> _Record:
    if not isinstance(record, dict):
        raise UpstreamDataError("MIP's reply to balances holds something that is not a record")
    return _Record(_account(record), _kind(record), _amount(record))


def _account(record: Mapping[str, Any]) -> str:
    account = record.get(ACCOUNT)
    if not isinstance(account, str) or not account:
        raise UpstreamDataError(f"a balance record has no usable {ACCOUNT}")
    return account


def _kind(record: Mapping[str, Any]) -> int:
    kind = record.get(TYPE)
    if isinstance(kind, bool) or kind not in (BEGINNING, ACTIVITY, ENDING):
        raise UpstreamDataError(f"a balance record has no usable {TYPE}")
    return int(kind)


def _amount(record: Mapping[str, Any]) -> str:
    amount = record.get(AMOUNT)
    text = "" if isinstance(amount, bool) or amount is None else str(amount)
    if not _DECIMAL.fullmatch(text):
        raise UpstreamDataError(f"a balance record has no usable {AMOUNT}")
    # An exponent is a spelling that spreadsheets mangle; every other text stays as MIP sent it.
    plain = format(Decimal(text), "f") if "e" in text.lower() else text
    if len(plain) > _LONGEST_AMOUNT:
        raise UpstreamDataError(f"a balance record has a {AMOUNT} of too many digits")
    return plain


def _by_account(records: Iterable[_Record]) -> dict[str, dict[int, str]]:
    amounts: dict[str, dict[int, str]] = {}
    for record in records:
        kinds = amounts.setdefault(record.account, {})
        kinds[record.kind] = _sum(kinds.get(record.kind), record.amount)
    return amounts


def _sum(before: str | None, amount: str) -> str:
    if before is None:
        return amount
    return format(_EXACT.add(Decimal(before), Decimal(amount)), "f")


def _row(code: str, kinds: Mapping[int, str], account: Account | None) -> BalanceRow:
    if len(kinds) != len((BEGINNING, ACTIVITY, ENDING)):
        raise UpstreamDataError("an account lacks one of its three balance records")
    return BalanceRow(
        account=code,
        name=account.title if account else "",
        status=account.status if account else None,
        start=kinds[BEGINNING],
        activity=kinds[ACTIVITY],
        end=kinds[ENDING],
    )
