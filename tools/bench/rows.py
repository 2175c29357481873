"""The rows of the benchmark: what is measured, against what, and what it must not exceed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tools.bench.harness import Spread, Target, Verdict, judge, spread_of


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `family` is the measurement that yields its values."""

    family: str
    subject: str
    baseline: str
    target: Target | None = None
    unit: str = "ratio"


BARE_CLIENT = 'import boto3; boto3.client("s3")'
BARE_GET = "bare GET of the same object"

ROWS: Mapping[str, Row] = {
    "cold_cpu": Row("cold_start", "reader cold start, CPU time", BARE_CLIENT, Target(0.70)),
    "cold_rss": Row("cold_start", "reader peak memory after it", BARE_CLIENT, Target(0.75)),
    "cold_answer": Row(
        "cold_start", "first answer of a cold reader, CPU time", "the same, and a bare GET"
    ),
    "cold_computing": Row(
        "cold_start", "share of a cold start that is computing", "its elapsed time", unit="share"
    ),
    "warm_7k": Row("hits_7k", "warm hit, 7 KB entry", BARE_GET, Target(1.00)),
    "view_7k": Row("hits_7k", "warm hit, parametrised view seen before", BARE_GET, Target(1.00)),
    "conditional_7k": Row("hits_7k", "304 to If-None-Match, 7 KB entry", BARE_GET),
    "page_7k": Row("hits_7k", "page of GET /, seen before", BARE_GET),
    "renewed_7k": Row("hits_7k", "first hit after a rebuild, 7 KB entry", BARE_GET),
    "stale": Row("hits_7k", "stale hit, its rebuild queued before", "warm hit", Target(1.05)),
    "warm_600k": Row("hits_600k", "warm hit, 600 KB entry", BARE_GET, Target(0.85)),
    "conditional_600k": Row("hits_600k", "304 to If-None-Match, 600 KB entry", BARE_GET),
    "renewed_600k": Row("hits_600k", "first hit after a rebuild, 600 KB entry", BARE_GET),
    "transform": Row(
        "transform",
        "program lists of 60,000 codes: growth exponent",
        "1,500 codes",
        Target(1.10),
        "exponent",
    ),
    "s3_requests": Row(
        "requests_per_hit", "S3 requests per hit", "1", Target(1, exact=True), "count"
    ),
    "stale_sends": Row(
        "requests_per_hit",
        "SQS sends of 50 stale hits by one reader",
        "1",
        Target(1, exact=True),
        "count",
    ),
    "mip_calls": Row(
        "service",
        "MIP round trips for all (programs, 4 months)",
        "8: login, 2 of the chart, 4 balances, logout",
        Target(8, exact=True),
        "count",
    ),
    "mip_logins": Row("service", "MIP logins for all", "1", Target(1, exact=True), "count"),
    "stampede_sends": Row(
        "service",
        "SQS sends of 1,000 concurrent reads at expiry",
        "1 per reader process",
        Target(1),
    ),
    "stampede_rebuilds": Row("service", "rebuilds after them", "1", Target(1, exact=True), "count"),
    "zip": Row("artifact", "zip of the reader's artifact (SDK, .pyc)", "", Target(23), "MB"),
    "memory_reader": Row("service", "peak memory of the reader, sample chart", "", None, "MB"),
    "memory_worker": Row("service", "peak memory of the worker, sample chart", "", None, "MB"),
    "memory_admin": Row("service", "peak memory of the admin, sample chart", "", None, "MB"),
    "memory_reader_large": Row(
        "service", "peak memory of the reader, large chart, 64 views", "", None, "MB"
    ),
    "memory_worker_large": Row("service", "peak memory of the worker, large chart", "", None, "MB"),
    "memory_admin_large": Row("service", "peak memory of the admin, large chart", "", None, "MB"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: a value per round, or the reason why there is none.

    `series` has further ratios of the same measurement, by name, for the plots.
    """

    row: str
    values: Sequence[float] = ()
    series: Mapping[str, Sequence[float]] = field(default_factory=dict)
    problem: str | None = None

    @property
    def definition(self) -> Row:
        """The row that was measured."""
        return ROWS[self.row]

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met."""
        return judge(self.values, self.definition.target)

    @property
    def spread(self) -> Spread | None:
        """Median and quartiles; None where nothing was measured."""
        return spread_of(self.values) if self.values else None

    def to_json(self) -> dict[str, Any]:
        """Return everything about the row, the raw ratios included."""
        row, spread = self.definition, self.spread
        return {
            "row": self.row,
            "subject": row.subject,
            "baseline": row.baseline,
            "unit": row.unit,
            "target": str(row.target) if row.target else None,
            "verdict": self.verdict.value,
            **({name: round(value, 4) for name, value in asdict(spread).items()} if spread else {}),
            "values": [round(value, 4) for value in self.values],
            "series": {
                name: [round(value, 4) for value in values] for name, values in self.series.items()
            },
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; the verdict is judged anew."""
        return cls(
            document["row"], document["values"], document.get("series", {}), document.get("problem")
        )
