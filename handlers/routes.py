"""The reader's routes: what each reads from the query, which dataset it serves, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of
from core.model.entry import CacheEntry, PeriodBalances, ProgramLists
from core.model.failures import Trouble
from core.model.query import (
    BalancesQuery,
    FinderQuery,
    Parameters,
    ProgramsQuery,
    latest_day,
    parse_balances_query,
    parse_finder_query,
    parse_programs_query,
)
from core.reading.lookup import Found
from core.settings import ReaderSettings
from core.transform.views import accounts_json, balances_csv, select_programs, tags_json
from handlers.pages.document import CONTENT_TYPE as HTML
from handlers.pages.finder import finder_headers, finder_page


@dataclass(frozen=True, slots=True)
class Route:
    """One resource of the API.

    `parse` raises InvalidParameterError; `render` writes the body from the entry, and `is_kept`
    tells for which queries it is worth keeping. `headers` are those that only this body needs. The
    `too_long` ones tell a caller about a body that is longer than Lambda can return. On a route
    `for_people` errors are pages, too, and the body tells of failed rebuilds.
    """

    content_type: str
    is_public: bool
    parse: Callable[[Parameters, datetime, ReaderSettings], Any]
    dataset: Callable[[Any], Dataset]
    render: Callable[[CacheEntry, Any, ReaderSettings, Trouble | None], str]
    is_kept: Callable[[Any], bool] = lambda _query: True
    headers: Callable[[], Mapping[str, str]] = dict
    too_long_status: int = 400
    too_long_detail: str = "The list is too long for one response; ask for less of it with limit."
    for_people: bool = False

    def trouble(self, found: Found) -> Trouble | None:
        """Return what the body tells of failed rebuilds."""
        return found.failure.trouble() if self.for_people and found.failure else None


def _programs_query(
    parameters: Parameters, _now: datetime, _settings: ReaderSettings
) -> ProgramsQuery:
    return parse_programs_query(parameters)


def _finder_query(parameters: Parameters, _now: datetime, _settings: ReaderSettings) -> FinderQuery:
    return parse_finder_query(parameters)


def _is_whole_list(query: FinderQuery) -> bool:
    """Tell a page that many ask for from one that is searched for: those would drive it out."""
    return not query.q


def _programs(_query: ProgramsQuery) -> Dataset:
    return PROGRAM_LISTS


def _selected(
    entry: CacheEntry, query: ProgramsQuery, settings: ReaderSettings
) -> Mapping[str, str]:
    return select_programs(
        cast("ProgramLists", entry.data),
        query,
        no_program_code=settings.no_program_code,
        other_code=settings.other_code,
    )


def _accounts(
    entry: CacheEntry, query: ProgramsQuery, settings: ReaderSettings, _trouble: Trouble | None
) -> str:
    return accounts_json(_selected(entry, query, settings))


def _tags(
    entry: CacheEntry, query: ProgramsQuery, settings: ReaderSettings, _trouble: Trouble | None
) -> str:
    return tags_json(_selected(entry, query, settings))


def _balances_query(
    parameters: Parameters, now: datetime, settings: ReaderSettings
) -> BalancesQuery:
    return parse_balances_query(parameters, settings.today(now), latest_day(now))


def _period_balances(query: BalancesQuery) -> Dataset:
    return balances_of(query.period)


def _balances(
    entry: CacheEntry, query: BalancesQuery, _settings: ReaderSettings, _trouble: Trouble | None
) -> str:
    return balances_csv(cast("PeriodBalances", entry.data), query)


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
        parse=_balances_query,
        dataset=_period_balances,
        render=_balances,
        too_long_status=500,
        too_long_detail="The report is longer than one response can be.",
    ),
    "/": Route(
        content_type=HTML,
        is_public=True,
        parse=_finder_query,
        dataset=_programs,
        render=finder_page,
        is_kept=_is_whole_list,
        headers=finder_headers,
        for_people=True,
    ),
}
