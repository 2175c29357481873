"""The requests of the clients that are deployed, and what they do with the answers."""

import csv
import io
from datetime import date, timedelta

import pytest
import requests

from core.model.datasets import balances_of
from core.model.entry import ProgramLists
from core.model.periods import recent_periods
from handlers.proxy import Response
from tests.builders import NOW, PREFIX, TODAY, make_entry, store_entries, store_failures
from tests.wired import WiredReader

MONTHS = 13


@pytest.fixture
def api() -> WiredReader:
    return WiredReader()


def received(answer: Response) -> requests.Response:
    """What the client's library makes of an answer."""
    response = requests.Response()
    response.status_code = answer["statusCode"]
    response.headers.update(answer["headers"])
    response._content = answer["body"].encode()
    return response


# The uploader of balances: one request per month, newest first, each of which must succeed.


def upload(api: WiredReader, target: date) -> list[dict[str, str]]:
    response = received(api.get("/balances", target_date=target.isoformat()))
    response.raise_for_status()
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def yesterdays_cache(api: WiredReader) -> None:
    """Thirteen months as they were built yesterday: the month that is running ends then."""
    yesterday = NOW - timedelta(days=1)
    periods = recent_periods(yesterday.date(), MONTHS)
    entries = (make_entry(balances_of(period), built_at=yesterday) for period in periods)
    store_entries(api.store, *entries)


def test_uploader_gets_thirteen_months_at_midnight_with_mip_down(api: WiredReader) -> None:
    """Nobody has built the new day yet: its first reader waits, all get yesterday's balances."""
    yesterdays_cache(api)
    current, *before = recent_periods(TODAY, MONTHS)
    store_failures(api.store, *map(balances_of, before))
    ends = [upload(api, period.end)[0]["PeriodEnd"] for period in [current, *before]]
    assert ends == ["2026-10-14", *(period.end.isoformat() for period in before)]
    assert sum(api.clock.sleeps) == pytest.approx(20)
    assert len(api.queue.sent) == 1


def test_uploader_waits_for_nothing_while_the_failure_of_the_new_day_is_waited_out(
    api: WiredReader,
) -> None:
    yesterdays_cache(api)
    store_failures(api.store, *map(balances_of, recent_periods(TODAY, MONTHS)))
    for period in recent_periods(TODAY, MONTHS):
        upload(api, period.end)
    assert (api.clock.sleeps, api.queue.sent) == ([], [])


def test_uploader_misses_just_the_month_that_was_never_built(api: WiredReader) -> None:
    yesterdays_cache(api)
    missing = recent_periods(TODAY, MONTHS)[5]
    api.store.delete([f"{PREFIX}v1/balances/{missing}.json"])
    store_failures(api.store, *map(balances_of, recent_periods(TODAY, MONTHS)))
    failed = []
    for period in recent_periods(TODAY, MONTHS):
        try:
            upload(api, period.end)
        except requests.HTTPError as exc:
            failed.append((period, exc.response.status_code, exc.response.headers["Retry-After"]))
    assert failed == [(missing, 503, "301")]


# The rule builder: codes and names of the active programs.


def test_rule_builder_gets_an_object_of_codes_and_names(api: WiredReader) -> None:
    names = {"123456": "Part A", "345678": "Special"}
    store_entries(api.store, make_entry(data=ProgramLists(names, {**names, "54321": "Old"})))
    response = received(api.get("/accounts"))
    response.raise_for_status()
    assert response.json() == {"000000": "No Program", **names}
    assert response.headers["Content-Type"] == "application/json"


def test_rule_builder_is_never_given_something_else_for_the_list(api: WiredReader) -> None:
    """A miss is an error for raise_for_status, not a 202 whose body would pass for codes."""
    with pytest.raises(requests.HTTPError, match="503"):
        received(api.get("/accounts")).raise_for_status()


# The tag list: switches without a value, and one of an older service.


def test_tag_list_gets_the_tags_of_its_switches_without_values(api: WiredReader) -> None:
    active = {"123456": "Part A"}
    store_entries(api.store, make_entry(data=ProgramLists(active, {"54321": "Old", **active})))
    response = received(api.get("/tags", show_inactive_codes="", disable_other_code=""))
    response.raise_for_status()
    assert response.json() == ["No Program / 000000", "Part A / 123456", "Old / 54321"]
