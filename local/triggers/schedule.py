"""EventBridge's rules with a rate and a queue for a target, by this machine's clock."""

import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class UnsupportedScheduleError(ValueError):
    """A schedule that is not run locally; the text says why."""


@dataclass(frozen=True)
class QueueTarget:
    """What a rule sends, and where."""

    queue_url: str
    body: str
    message_group_id: str


def interval_seconds(expression: str) -> int:
    """The seconds of a `rate(...)`. Raises UnsupportedScheduleError for anything else."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not rate:
        raise UnsupportedScheduleError(f"{expression} is not run locally: only rate(...) is")
    return int(rate[1]) * UNIT_SECONDS[rate[2]]


class Schedule:
    """One rule. As on AWS, its clock first fires one interval after it was started."""

    def __init__(self, sqs: Any, expression: str, targets: list[QueueTarget]) -> None:
        self.expression = expression
        self._sqs = sqs
        self._targets = targets
        self._interval = interval_seconds(expression)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"schedule {expression}")

    def start(self) -> None:
        """Start the clock."""
        self._thread.start()

    def fire(self) -> None:
        """Send to every target now."""
        for target in self._targets:
            self._sqs.send_message(
                QueueUrl=target.queue_url,
                MessageBody=target.body,
                MessageGroupId=target.message_group_id,
            )

    def stop(self) -> None:
        """Stop the clock; stopping twice is fine."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        while not self._stopping.wait(self._interval):
            try:
                self.fire()
            except (BotoCoreError, ClientError) as exc:
                print(f"schedule: {self.expression}: {exc}", file=sys.stderr)


def read_rule(events: Any, sqs: Any, rule: str, queue_urls: Mapping[str, str]) -> Schedule:
    """The rule of that name, as the stack made it; `queue_urls` is by ARN.

    Raises UnsupportedScheduleError if it is disabled, has no rate, or feeds no queue of the stack.
    """
    found = events.describe_rule(Name=rule)
    if found["State"] != "ENABLED":
        raise UnsupportedScheduleError(f"the rule {rule} is disabled")
    targets = [
        QueueTarget(
            queue_urls[target["Arn"]], target["Input"], target["SqsParameters"]["MessageGroupId"]
        )
        for target in events.list_targets_by_rule(Rule=rule)["Targets"]
        if target["Arn"] in queue_urls and "Input" in target and "SqsParameters" in target
    ]
    if not targets:
        raise UnsupportedScheduleError(f"the rule {rule} sends no input to a queue of the stack")
    return Schedule(sqs, found["ScheduleExpression"], targets)
