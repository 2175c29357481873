"""The local stack without its poller: a test delivers a batch, kills the worker, delivers again."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.core.utils import unix_time_millis
from moto.s3.models import S3Backend
from moto.sqs.models import sqs_backends
from moto.ssm.models import SimpleSystemManagerBackend

from core.adapters.ssm_secrets import CLOSED
from local.functions.functions import FunctionFailedError
from local.mip import MipCloud
from local.stack import LocalStack
from local.triggers.poller import to_record

Operation = tuple[type, str]

QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:lambda-mips-api-rebuild.fifo"
SESSION = "/lambda/mipsSecret/session"
READ_PARAMETERS: Operation = (SimpleSystemManagerBackend, "get_parameters")
PUT_PARAMETER: Operation = (SimpleSystemManagerBackend, "put_parameter")
PUT_OBJECT: Operation = (S3Backend, "put_object")


class Crashes:
    """A stack whose worker can be killed at a chosen moment of its next invocation."""

    def __init__(self, stack: LocalStack, patch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self.mip: Any = stack.mip
        self.sqs = stack.client("sqs")
        self.queue_url = stack.resources["RebuildQueue"]
        self._patch = patch
        self.killed: list[str] = []

    def kill(self, moment: str) -> None:
        """SIGKILL the worker, the first time that this moment comes."""
        if not self.killed:
            self.killed.append(moment)
            assert self.stack.functions["WorkerFunction"].kill() == 1

    def kill_on_call(self, call: str) -> None:
        """Kill when a request of this kind has reached MIP, which goes on to answer it."""
        self.mip.on_call = lambda name: self.kill(call) if name == call else None

    def kill_before(self, operation: Operation, concerns: Callable[..., bool]) -> None:
        """Kill instead of an AWS request's effect: as if it had never been sent."""
        self._hook(operation, concerns, has_effect=False)

    def kill_after(self, operation: Operation, concerns: Callable[..., bool]) -> None:
        """Kill between an AWS request's effect and its answer."""
        self._hook(operation, concerns, has_effect=True)

    def _hook(
        self, operation: Operation, concerns: Callable[..., bool], *, has_effect: bool
    ) -> None:
        original = getattr(*operation)

        def hooked(*args: Any, **kwargs: Any) -> Any:
            if self.killed or not concerns(*args, **kwargs):
                return original(*args, **kwargs)
            result = original(*args, **kwargs) if has_effect else None
            self.kill(original.__name__)
            if not has_effect:
                raise ConnectionAbortedError
            return result

        self._patch.setattr(*operation, hooked)

    def deliver(self) -> list[str] | None:
        """Deliver what is visible; returns the ids reported as failed, None if the worker died."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        assert received
        records = [to_record(message, QUEUE_ARN) for message in received]
        try:
            result = self.stack.invoke("WorkerFunction", {"Records": records})
        except FunctionFailedError:
            failed = None
        else:
            failed = [item["itemIdentifier"] for item in result["batchItemFailures"]]
        for message in received:
            handle = {"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]}
            if failed is None or message["MessageId"] in failed:
                self.sqs.change_message_visibility(**handle, VisibilityTimeout=0)
            else:
                self.sqs.delete_message(**handle)
        return failed

    def check_made_good(self) -> Any:
        """Deliver once more: all is done, nothing is left behind. Returns the status."""
        assert self.deliver() == []
        status = self.status()
        assert status["queue"] == {"visible": 0, "in_flight": 0}
        assert (status["session_open"], status["dead_letters"]) == (False, 0)
        assert self.mip.open_sessions == 0
        return status

    def send(self, body: dict[str, Any]) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue_url, MessageBody=json.dumps(body), MessageGroupId="mips"
        )

    def hidden_seconds(self) -> float:
        """For how long the messages in flight will not come back; moto runs in this process."""
        queue = sqs_backends["123456789012"]["us-east-1"].queues[self.queue_url.rsplit("/", 1)[-1]]
        visible_at = max(message.visible_at for message in queue._messages)
        return (visible_at - unix_time_millis()) / 1000

    def status(self) -> Any:
        return self.stack.invoke("AdminFunction", {"action": "status"})


def is_session(_: Any, *arguments: Any, **named: Any) -> bool:
    """Tell whether an SSM request is about the session's note."""
    return SESSION in (*arguments, *named.values())


def is_closing(*arguments: Any, **named: Any) -> bool:
    """Tell whether an SSM request notes that no session is open."""
    return is_session(*arguments, **named) and CLOSED in (*arguments, *named.values())


def is_entry(_: Any, bucket: str, key: str, *__: Any, **___: Any) -> bool:
    """Tell whether an S3 request is about an entry of the cache."""
    return key.startswith("cache/v1/") and "/failures/" not in key


def local_stack(mip: MipCloud | None = None, **options: Any) -> LocalStack:
    mip = mip or MipCloud(lockout_seconds=3600, idle_seconds=3600)
    return LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip, poll=False, **options)


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with local_stack() as running:
        yield running


@pytest.fixture
def crashes(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crashes]:
    crashes = Crashes(stack, monkeypatch)
    stack.invoke("AdminFunction", {"action": "purge"})
    crashes.mip.reset()
    yield crashes
    crashes.mip.on_call = None
