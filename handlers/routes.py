"""The reader's routes: what each reads from the query, which dataset it serves, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.datasets import PROGRAM_LISTS, Dataset, balances_of
from core.entry import PeriodBalances, ProgramLists
from core.query import (
    BalancesQuery,
    Parameters,
    ProgramsQuery,
    parse_balances_query,
    parse_programs_query,
)
from core.settings import ReaderSettings
from core.views import accounts_json, balances_csv, select_programs, tags_json


@dataclass(frozen=True, slots=True)
class Route:
    """One resource of the API.

    `parse` raises InvalidParameterError; `render` writes the body from the entry's data. The last
    two tell a caller about a body that is longer than Lambda can return.
    """

    content_type: str
    is_public: bool
    parse: Callable[[Parameters, date], Any]
    dataset: Callable[[Any], Dataset]
    render: Callable[[Any, Any, ReaderSettings], str]
    too_long_status: int = 400
    too_long_detail: str = "The list is too long for one response; ask for less of it with limit."


def _programs_query(parameters: Parameters, _today: date) -> ProgramsQuery:
    return parse_programs_query(parameters)


def _programs(_query: ProgramsQuery) -> Dataset:
    return PROGRAM_LISTS


def _selected(
    lists: ProgramLists, query: ProgramsQuery, settings: ReaderSettings
) -> Mapping[str, str]:
    return select_programs(
        lists,
        query,
        no_program_code=settings.no_program_code,
        other_code=settings.other_code,
    )


def _accounts(lists: ProgramLists, query: ProgramsQuery, settings: ReaderSettings) -> str:
    return accounts_json(_selected(lists, query, settings))


def _tags(lists: ProgramLists, query: ProgramsQuery, settings: ReaderSettings) -> str:
    return tags_json(_selected(lists, query, settings))


def _period_balances(query: BalancesQuery) -> Dataset:
    return balances_of(query.period)


def _balances(balances: PeriodBalances, query: BalancesQuery, _settings: ReaderSettings) -> str:
    return balances_csv(balances, query)


ROUTES: Mapping[str, Route] = {
    "/accounts": Route(
        content_type="application/json",
        is_public=True,
        parse=_programs_query,
        dataset=_programs,
        render=_accounts,
    ),
    "/tags": Route(
        content_type="application/json",
        is_public=True,
        parse=_programs_query,
        dataset=_programs,
        render=_tags,
    ),
    "/balances": Route(
        content_type="text/csv; charset=utf-8",
        is_public=False,
        parse=parse_balances_query,
        dataset=_period_balances,
        render=_balances,
        too_long_status=500,
        too_long_detail="The report is longer than one response can be.",
    ),
}
