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


def _own(
    names: str, function: str, statistics: frozenset[str], *dimensions: str
) -> dict[str, Metric]:
    metric = Metric(statistics, frozenset({"service", *dimensions}), f"${{{function}}}")
    return dict.fromkeys(names.split(), metric)


def _aws(
    service: str, names: str, statistics: frozenset[str], *dimensions: str
) -> dict[tuple[str, str], Metric]:
    metric = Metric(statistics, frozenset(dimensions))
    return {(f"AWS/{service}", name): metric for name in names.split()}


OWN: Mapping[str, Metric] = {
    **_own("Hits StaleHits Misses Waits", "ReaderFunction", COUNT),
    **_own("NotModified BadRequests Unavailable", "ReaderFunction", COUNT),
    **_own("Rebuilds", "WorkerFunction", COUNT, "dataset", "outcome"),
    **_own("RebuildSeconds EntryAgeAtRebuild", "WorkerFunction", DURATION, "dataset"),
    **_own("MessagesCollapsed BalanceMismatches", "WorkerFunction", COUNT),
    **_own("DeadLettered", "WorkerFunction", COUNT, "error_type"),
    **_own("MipCalls", "WorkerFunction", COUNT, "call"),
    **_own("MipSeconds", "WorkerFunction", DURATION, "call"),
    **_own("MipLogins SessionsRecovered", "WorkerFunction", COUNT),
    **_own("CredentialsRefused LogoutsUnconfirmed", "WorkerFunction", COUNT),
}

AWS: Mapping[tuple[str, str], Metric] = {
    **_aws("ApiGateway", "4XXError 5XXError", COUNT, "ApiName", "Stage"),
    **_aws("ApiGateway", "Latency", DURATION, "ApiName", "Stage"),
    **_aws("Events", "FailedInvocations", COUNT, "RuleName"),
    **_aws("Lambda", "Duration", DURATION, "FunctionName"),
    **_aws("Lambda", "Errors Invocations Throttles", COUNT, "FunctionName"),
    **_aws("SQS", "ApproximateAgeOfOldestMessage", GAUGE, "QueueName"),
    **_aws("SQS", "ApproximateNumberOfMessagesVisible", GAUGE, "QueueName"),
    **_aws("SQS", "ApproximateNumberOfMessagesNotVisible", GAUGE, "QueueName"),
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
