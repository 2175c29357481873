"""Logs and metrics through Powertools: one JSON object per event, metrics as EMF lines."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "LambdaMipsApi"


def function_name(environment: Mapping[str, str], role: str) -> str:
    """Return the name that Lambda runs the function under; its role's name outside of Lambda."""
    return environment.get("AWS_LAMBDA_FUNCTION_NAME", role)


class PowertoolsTelemetry:
    """Implements Telemetry for one function.

    `service` is the function's name: two stacks in one account must not add to the same metrics.
    Metrics without dimensions are gathered, and `flush` writes them once per invocation. A metric
    with dimensions is written at once: a line of EMF has one set of dimensions.
    """

    def __init__(self, service: str) -> None:
        self.logger = Logger(service=service, location=None)
        self.metrics = Metrics(namespace=NAMESPACE, service=service)

    def begin(self, invocation_id: str, correlation_id: str | None = None) -> None:
        """Name the invocation in every line that follows, and what it is a part of."""
        self.logger.append_keys(function_request_id=invocation_id)
        self.logger.set_correlation_id(correlation_id or invocation_id)

    def info(self, event: str, **fields: object) -> None:
        """Log at level INFO."""
        self.logger.info(event, extra=fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log at level WARNING."""
        self.logger.warning(event, extra=fields)

    def count(self, metric: str, value: int = 1, **dimensions: str) -> None:
        """Add to a metric of the unit Count."""
        self._add(metric, MetricUnit.Count, value, dimensions)

    def seconds(self, metric: str, value: float, **dimensions: str) -> None:
        """Add a value to a metric of the unit Seconds."""
        self._add(metric, MetricUnit.Seconds, value, dimensions)

    def flush(self) -> None:
        """Write the gathered metrics, if there are any."""
        if self.metrics.metric_set:
            self.metrics.flush_metrics()

    def _add(self, metric: str, unit: MetricUnit, value: float, dimensions: dict[str, str]) -> None:
        if not dimensions:
            self.metrics.add_metric(metric, unit, value)
            return
        with single_metric(metric, unit, value, namespace=NAMESPACE) as line:
            line.add_dimension("service", str(self.metrics.service))
            for name, text in dimensions.items():
                line.add_dimension(name, text)
