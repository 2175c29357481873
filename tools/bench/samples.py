"""What the benchmarks feed the service: charts and entries of a given size, and proxy events."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.model.datasets import PROGRAM_LISTS, balances_of
from core.model.entry import BalanceRow, CacheEntry, PeriodBalances, ProgramLists
from core.model.periods import Period

SMALL_BYTES, LARGE_BYTES = 7_000, 600_000
EVENTS = Path(__file__).parents[2] / "events"
FRESH_MONTH = Period(date(2026, 3, 1), date(2026, 3, 31))
STALE_MONTH = Period(date(2026, 4, 1), date(2026, 4, 30))
TITLES = ("Community Outreach", "Núcleo de Pesquisa (NIH/R01)", "After-School: Reading & Math!")

CONTEXT: Any = SimpleNamespace(aws_request_id="5f0d6a1e-0000-4000-8000-000000000001")


def program_names(count: int) -> Iterator[tuple[str, str]]:
    """Yield 6-digit codes and their names, in an order that is not theirs."""
    for number in range(count):
        shuffled = number * 7_919 % count
        yield f"{100_000 + shuffled}", f"{TITLES[shuffled % len(TITLES)]} {shuffled}"


def programs_entry(size_bytes: int) -> CacheEntry:
    """Return a fresh programs entry that takes about so many bytes; one in seven is inactive."""
    names = dict(sorted(program_names(max(1, size_bytes // 84))))
    active = {code: name for code, name in names.items() if int(code) % 7}
    return _entry(CacheEntry(PROGRAM_LISTS, _NOW, _NOW, ProgramLists(active, names)), fresh=True)


def balances_entry(period: Period, size_bytes: int, *, fresh: bool) -> CacheEntry:
    """Return the balances of a month that take about so many bytes."""
    rows = tuple(
        BalanceRow(f"{1000 + n}", f"Account {n}", "A", "1234.56", "-34.56", "1200.00")
        for n in range(size_bytes // 62)
    )
    data = PeriodBalances(period, rows)
    return _entry(CacheEntry(balances_of(period), _NOW, _NOW, data), fresh=fresh)


def proxy_event(
    path: str = "/accounts",
    headers: Mapping[str, str] = {},
    parameters: Mapping[str, str] = {},
) -> dict[str, Any]:
    """Return the sample event with another path, further headers and these parameters alone."""
    event = json.loads((EVENTS / "reader_accounts.json").read_text())
    return {
        **event,
        "path": path,
        "resource": path,
        "headers": {**event["headers"], **headers},
        "multiValueHeaders": event["multiValueHeaders"] | {n: [v] for n, v in headers.items()},
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": {n: [v] for n, v in parameters.items()} or None,
    }


def month(period: Period) -> dict[str, str]:
    """Return the parameters that ask for the balances of a month."""
    return {"target_date": period.end.isoformat()}


VIEW = {"priority_codes": "100003,100001", "limit": "50", "show_inactive_codes": "on"}
"""The parameters of a view such as a rule builder asks for."""

_NOW = datetime.now(UTC)


def _entry(entry: CacheEntry, *, fresh: bool) -> CacheEntry:
    ttl = timedelta(days=1)
    # Stale for a minute: after its grace, a reader would wait for the rebuild.
    built_at = entry.built_at if fresh else entry.built_at - ttl - timedelta(minutes=1)
    return CacheEntry(entry.dataset, built_at, built_at + ttl, entry.data)
