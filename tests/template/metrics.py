"""The metrics that exist: the service's own and the ones of AWS that it relies on.

What an alarm or the dashboard shows must be one of these, with exactly these dimensions, or it
watches something that never has a value and nobody notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE = "LambdaMipsApi"

COUNT = frozenset({"Sum"})
GAUGE = frozenset({"Maximum"})
DURATION = frozenset({"Average", "Maximum", "p50", "p95", "p99"})

ANY = "*"
"""The value of a dimension that a search leaves open."""

VALUES = {
    "dataset": {"programs", "balances"},
    "call": {"login", "segments", "accounts", "balances", "logout"},
    "FunctionName": {"${ReaderFunction}", "${WorkerFunction}", "${AdminFunction}"},
    "QueueName": {"${RebuildQueue.QueueName}", "${DeadLetterQueue.QueueName}"},
    "RuleName": {"${RefreshSchedule}"},
    "ApiName": {"${AWS::StackName}"},
    "Stage": {"Prod"},
}
"""What a dimension can be. `outcome` and `error_type` also take the names of errors."""


@dataclass(frozen=True)
class Metric:
    """A metric: its dimensions, the statistics that mean something, and who emits it."""

    statistics: frozenset[str]
    dimensions: frozenset[str]
    service: str = ""
    """The function that emits it, whose name is the dimension `service`."""


def _reader(statistics: frozenset[str]) -> Metric:
    return Metric(statistics, frozenset({"service"}), "${ReaderFunction}")


def _worker(statistics: frozenset[str], *dimensions: str) -> Metric:
    return Metric(statistics, frozenset({"service", *dimensions}), "${WorkerFunction}")


def _aws(statistics: frozenset[str], *dimensions: str) -> Metric:
    return Metric(statistics, frozenset(dimensions))


OWN: Mapping[str, Metric] = {
    "Hits": _reader(COUNT),
    "StaleHits": _reader(COUNT),
    "Misses": _reader(COUNT),
    "Waits": _reader(COUNT),
    "NotModified": _reader(COUNT),
    "BadRequests": _reader(COUNT),
    "Unavailable": _reader(COUNT),
    "Rebuilds": _worker(COUNT, "dataset", "outcome"),
    "RebuildSeconds": _worker(DURATION, "dataset"),
    "EntryAgeAtRebuild": _worker(DURATION, "dataset"),
    "MessagesCollapsed": _worker(COUNT),
    "DeadLettered": _worker(COUNT, "error_type"),
    "MipCalls": _worker(COUNT, "call"),
    "MipSeconds": _worker(DURATION, "call"),
    "MipLogins": _worker(COUNT),
    "SessionsRecovered": _worker(COUNT),
    "CredentialsRefused": _worker(COUNT),
    "LogoutsUnconfirmed": _worker(COUNT),
    "BalanceMismatches": _worker(COUNT),
}

AWS: Mapping[tuple[str, str], Metric] = {
    ("AWS/ApiGateway", "4XXError"): _aws(COUNT, "ApiName", "Stage"),
    ("AWS/ApiGateway", "5XXError"): _aws(COUNT, "ApiName", "Stage"),
    ("AWS/ApiGateway", "Latency"): _aws(DURATION, "ApiName", "Stage"),
    ("AWS/Events", "FailedInvocations"): _aws(COUNT, "RuleName"),
    ("AWS/Lambda", "Duration"): _aws(DURATION, "FunctionName"),
    ("AWS/Lambda", "Errors"): _aws(COUNT, "FunctionName"),
    ("AWS/Lambda", "Invocations"): _aws(COUNT, "FunctionName"),
    ("AWS/Lambda", "Throttles"): _aws(COUNT, "FunctionName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): _aws(GAUGE, "QueueName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): _aws(GAUGE, "QueueName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): _aws(GAUGE, "QueueName"),
}

ALL: Mapping[tuple[str, str], Metric] = {(NAMESPACE, name): own for name, own in OWN.items()} | AWS


@dataclass(frozen=True)
class Watched:
    """One metric as an alarm or a graph asks for it."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str

    def faults(self) -> list[str]:
        """Say why there is no such metric; nothing if there is."""
        metric = ALL.get((self.namespace, self.name))
        if metric is None:
            return [f"nobody emits {self.namespace} {self.name}"]
        if self.dimensions.keys() != metric.dimensions:
            return [
                f"its dimensions are {sorted(metric.dimensions)}, not {sorted(self.dimensions)}"
            ]
        possible = VALUES | {"service": {metric.service}}
        return [f"no use in its {self.statistic}"] * (self.statistic not in metric.statistics) + [
            f"{name} is never {value}"
            for name, value in self.dimensions.items()
            if value != ANY and value not in possible.get(name, {value})
        ]
