"""The operators' command line over emulated AWS, with a scripted admin function."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from core.model.datasets import PROGRAM_LISTS, Dataset
from core.model.entry import CacheEntry, decode, encode
from core.model.failures import encode_failure
from tests.builders import make_entry, make_failure, make_lists
from tools.admin.__main__ import run
from tools.admin.arguments import parse
from tools.admin.datasets import key_of
from tools.admin.output import Terminal
from tools.admin.stack import Stack
from tools.admin.target import Target

NAME = "the-stack"
BUCKET = "the-stack-cache"
RULE = "the-stack-schedule"
TEMPLATE = {
    "Resources": {
        # Lambda is not emulated here: any resource will do for its physical id.
        **{
            f"{role}Function": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": f"{NAME}-{role.lower()}"},
            }
            for role in ("Reader", "Worker", "Admin")
        },
        "CacheBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}},
        "RefreshSchedule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": RULE, "ScheduleExpression": "rate(6 hours)", "State": "ENABLED"},
        },
    }
}


class DeniedEvents:
    def describe_rule(self, **_: str) -> None:
        error = {"Code": "AccessDeniedException", "Message": "no"}
        raise ClientError({"Error": error}, "DescribeRule")


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class TerminalFile(io.StringIO):
    def isatty(self) -> bool:
        return True


class CommandLine:
    """The command line, and an admin function that answers each action from a list.

    The last answer to an action is given again and again.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {"status": [status()]}
        self.failure: dict[str, str] = {}
        self.payloads: list[dict[str, Any]] = []
        self.clients: dict[str, Any] = {"lambda": self}
        """Clients that stand in for those of moto."""
        self.target = Target(NAME, "us-east-1")
        self.pause: Callable[[], None] = lambda: None
        self.out = io.StringIO
        self.s3: Any = boto3.client("s3")

    def __call__(self, *command: str) -> Result:
        arguments = parse(command, {})
        arguments.pause = self.pause
        out, err = self.out(), io.StringIO()
        stack = Stack(self.target, self._client)
        ended = run(arguments, stack, Terminal(as_json=arguments.json, out=out, err=err))
        return Result(ended, out.getvalue(), err.getvalue())

    def _client(self, service: str) -> Any:
        return self.clients.get(service) or boto3.client(service)  # type: ignore[call-overload]

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == f"{NAME}-admin"
        payload = json.loads(Payload)
        self.payloads.append(payload)
        if self.failure:
            body = json.dumps(self.failure).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(body)}
        answers = self.answers[payload["action"]]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        body = json.dumps({"action": payload["action"], **answer}).encode()
        return {"Payload": io.BytesIO(body)}

    @property
    def times_asked(self) -> int:
        """How often the status was asked for."""
        return self.payloads.count({"action": "status"})

    def put(self, body: bytes | CacheEntry, dataset: Dataset = PROGRAM_LISTS) -> str:
        """Store an object as the worker would; its version."""
        content = encode(body) if isinstance(body, CacheEntry) else body
        reply = self.s3.put_object(Bucket=BUCKET, Key=key_of(dataset), Body=content)
        return reply["VersionId"]

    def delete(self) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=key_of(PROGRAM_LISTS))

    def stored(self) -> Any:
        """The programs, as the reader finds them."""
        reply = self.s3.get_object(Bucket=BUCKET, Key=key_of(PROGRAM_LISTS))
        return decode(reply["Body"].read(), PROGRAM_LISTS)

    def newest(self) -> str:
        return self("versions", "--json").json["versions"][0]["version_id"]


def make_stack() -> None:
    boto3.client("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(TEMPLATE))
    boto3.client("s3").put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )


def programs(built_at: datetime, names: Mapping[str, str] | None = None) -> CacheEntry:
    return make_entry(built_at=built_at, data=make_lists(names))


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "dataset": "programs",
        "key": "cache/v1/programs.json",
        "state": "fresh",
        "age_seconds": 7,
        "fresh_until": "2026-10-16T12:00:00+00:00",
        "size_bytes": 1622,
        "last_error": None,
        **changes,
    }


def failure(**changes: Any) -> dict[str, Any]:
    """The record of a rebuild that is soon tried again."""
    soon = datetime.now(UTC) + timedelta(seconds=92)
    retried = {"attempts": 2, "dead_lettered": False, "next_attempt_at": soon, **changes}
    return json.loads(encode_failure(make_failure(**retried)))


def status(
    *entries: dict[str, Any], queue: tuple[int, int] = (0, 0), **changes: Any
) -> dict[str, Any]:
    return {
        "summary": f"{len(entries)} entries",
        "entries": list(entries),
        "missing": [],
        "queue": {"visible": queue[0], "in_flight": queue[1]},
        "dead_letters": 0,
        "session_open": False,
        **changes,
    }


def letter(**changes: Any) -> dict[str, Any]:
    return {
        "message_id": "letter-1",
        "body": '{"dataset": "programs"}',
        "error": {"type": "UpstreamDataError", "message": "the list of programs shrank"},
        "attempts": 5,
        "first_sent_at": "2026-10-15T11:00:00+00:00",
        "failed_at": "2026-10-15T12:00:00+00:00",
        "original_message_id": "message-1",
        **changes,
    }


def letters(*listed: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": f"{len(listed)} dead letters",
        "count": len(listed),
        "messages": list(listed),
    }
