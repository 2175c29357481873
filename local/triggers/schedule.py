"""EventBridge's rules that send to a queue, by this machine's clock, which is read in UTC."""

import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from local.standard_error import write_error

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
# EventBridge's six fields: minute, hour, day of month, month, day of week, year.
CRON = re.compile(r"cron\((\S+) (\S+) [*?] \* [*?] \*\)")
FIELD = re.compile(r"(?P<start>\d+|\*)(?:/(?P<step>[1-9]\d*))?")


class UnsupportedScheduleError(ValueError):
    """A schedule that is not run locally; the text says why."""


def next_time(expression: str, after: datetime) -> datetime:
    """When a rate or a daily cron expression fires next; a rate counts from `after`.

    Raises UnsupportedScheduleError for a cron expression that names days, months or years.
    """
    if rate := RATE.fullmatch(expression):
        return after + timedelta(**{f"{rate[2]}s": int(rate[1])})
    cron = CRON.fullmatch(expression)
    if not cron:
        raise UnsupportedScheduleError(
            f"{expression} is not run locally: only rate(...) and cron(minute hour * * ? *) are"
        )
    minutes, hours = _values(cron[1], 60), _values(cron[2], 24)
    candidate = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while candidate.minute not in minutes or candidate.hour not in hours:
        candidate += timedelta(minutes=1)
    return candidate


def _values(field: str, size: int) -> set[int]:
    """The numbers below `size` that a field stands for: `5`, `*`, `0/6`, or several with commas."""
    values: set[int] = set()
    for part in field.split(","):
        found = FIELD.fullmatch(part)
        if not found or (found["start"] != "*" and int(found["start"]) >= size):
            raise UnsupportedScheduleError(f"{part} in a schedule is not run locally")
        start = 0 if found["start"] == "*" else int(found["start"])
        single = found["start"] != "*" and found["step"] is None
        values |= {start} if single else set(range(start, size, int(found["step"] or 1)))
    return values


class Schedule:
    """One rule. It fires as long as the rule is enabled; a target is what `SendMessage` takes."""

    def __init__(
        self,
        sqs: Any,
        expression: str,
        targets: list[dict[str, str]],
        is_enabled: Callable[[], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        next_time(expression, now())
        self.expression = expression
        self._sqs = sqs
        self._targets = targets
        self._is_enabled = is_enabled
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"schedule {expression}")

    def start(self) -> None:
        """Start the clock."""
        self._thread.start()

    def fire(self) -> None:
        """Send to every target now."""
        for target in self._targets:
            self._sqs.send_message(**target)

    def stop(self) -> None:
        """Stop the clock; stopping twice is fine."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        now = self._now()
        while not self._stopping.wait((next_time(self.expression, now) - now).total_seconds()):
            try:
                if self._is_enabled():
                    self.fire()
            except Exception as exc:  # noqa: BLE001 - the next time may be better
                write_error(f"schedule {self.expression}: {type(exc).__name__}: {exc}")
            now = self._now()


def read_rule(events: Any, sqs: Any, rule: str, queue_urls: Mapping[str, str]) -> Schedule:
    """The rule of that name, as the stack made it; `queue_urls` is by ARN.

    Raises UnsupportedScheduleError if its times are not known here, or it feeds no queue of the
    stack.
    """
    targets = [
        {
            "QueueUrl": queue_urls[target["Arn"]],
            "MessageBody": target["Input"],
            "MessageGroupId": target["SqsParameters"]["MessageGroupId"],
        }
        for target in events.list_targets_by_rule(Rule=rule)["Targets"]
        if target["Arn"] in queue_urls and "Input" in target and "SqsParameters" in target
    ]
    if not targets:
        raise UnsupportedScheduleError(f"the rule {rule} sends no input to a queue of the stack")
    return Schedule(
        sqs,
        events.describe_rule(Name=rule)["ScheduleExpression"],
        targets,
        lambda: bool(events.describe_rule(Name=rule)["State"] == "ENABLED"),
    )
