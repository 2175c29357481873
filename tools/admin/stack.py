"""A stack's parts, found by their logical ids, and the calls to them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from tools.admin.aws_errors import error_code, explained
from tools.admin.bucket import Bucket
from tools.admin.errors import AwsError, RefusedError
from tools.admin.log_groups import LogGroups
from tools.admin.target import Clients, Target

ADMIN, BUCKET, SCHEDULE = "AdminFunction", "CacheBucket", "RefreshSchedule"
FUNCTIONS = ("ReaderFunction", "WorkerFunction", "AdminFunction")


@dataclass(frozen=True)
class Schedule:
    """The rule that asks for everything from time to time."""

    is_on: bool
    expression: str


class Stack:
    """Every call raises AwsError for what AWS says, and UsageError where no region is known."""

    def __init__(self, target: Target, clients: Callable[[str], Any] | None = None) -> None:
        self.target = target
        self._clients = clients or Clients(target)

    @property
    def title(self) -> str:
        """The stack's name, and where it is."""
        url, region = self.target.local_url, self._clients("cloudformation").meta.region_name
        return f"{self.target.stack}, {f'the local stack at {url}' if url else region}"

    @cached_property
    def resources(self) -> Mapping[str, str]:
        """Physical ids by logical id."""
        name = self.target.stack
        cloudformation = self._clients("cloudformation")
        with explained("cloudformation:DescribeStackResources", self.target.local_url):
            try:
                listed = cloudformation.describe_stack_resources(StackName=name)
            except ClientError as exc:
                if error_code(exc) == "ValidationError":
                    local, region = self.target.local_url, cloudformation.meta.region_name
                    where = f"at {local}" if local else f"in {region}"
                    raise AwsError(
                        f"there is no stack {name} {where}; give --stack or --region"
                    ) from exc
                raise
        return {
            found["LogicalResourceId"]: found["PhysicalResourceId"]
            for found in listed["StackResources"]
            if "PhysicalResourceId" in found
        }

    def resource(self, logical_id: str) -> str:
        """Return the physical id of a resource."""
        if logical_id not in self.resources:
            raise AwsError(
                f"the stack {self.target.stack} has no {logical_id}: it is not lambda-mips-api, "
                "or was not completely made; give --stack"
            )
        return self.resources[logical_id]

    def invoke(self, action: str, **arguments: object) -> dict[str, Any]:
        """Have the admin function perform an action and return its result.

        Raises RefusedError with the function's own words if it fails.
        """
        payload = json.dumps({"action": action, **arguments})
        with explained("lambda:InvokeFunction", self.target.local_url):
            reply = self._clients("lambda").invoke(
                FunctionName=self.resource(ADMIN), Payload=payload.encode()
            )
            body = reply["Payload"].read()
        result = _object(body)
        if "FunctionError" in reply:
            raise RefusedError(_function_error(result))
        if result.get("action") != action:
            raise AwsError(f"{self.resource(ADMIN)} gave no answer to {action}")
        return result

    @cached_property
    def bucket(self) -> Bucket:
        """The versioned bucket of the entries."""
        return Bucket(self._clients("s3"), self.resource(BUCKET), self.target.local_url)

    @cached_property
    def logs(self) -> LogGroups:
        """The logs of the three functions."""
        return LogGroups(
            self._clients("logs"), [f"/aws/lambda/{self.resource(name)}" for name in FUNCTIONS]
        )

    def schedule(self) -> Schedule:
        """Look at the schedule's rule."""
        with explained("events:DescribeRule", self.target.local_url):
            rule = self._clients("events").describe_rule(Name=self.resource(SCHEDULE))
        return Schedule(rule["State"] == "ENABLED", rule.get("ScheduleExpression", ""))

    def switch_schedule(self, *, on: bool) -> None:
        """Enable or disable the schedule's rule."""
        events, rule = self._clients("events"), self.resource(SCHEDULE)
        with explained(f"events:{'Enable' if on else 'Disable'}Rule", self.target.local_url):
            if on:
                events.enable_rule(Name=rule)
            else:
                events.disable_rule(Name=rule)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _function_error(result: Mapping[str, Any]) -> str:
    kind = result.get("errorType", "an error without a name")
    text = result.get("errorMessage", "no message")
    if kind == "InvalidCommandError":
        return f"the admin function refuses: {text}"
    return f"the admin function failed: {kind}: {text}; see `logs`"
