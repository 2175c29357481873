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

ACCOUNT_ID, REGION = "123456789012", "us-east-1"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:lambda-mips-api-rebuild.fifo"
SESSION = "/lambda/mipsSecret/session"


class Crashes:
    """A stack whose worker can be killed at a chosen moment of its next invocation."""

    def __init__(self, stack: LocalStack, mip: MipCloud, patch: pytest.MonkeyPatch) -> None:
        self.stack = stack
        self.mip = mip
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

    def kill_before(self, backend: type, method: str, concerns: Callable[..., bool]) -> None:
        """Kill instead of an AWS request's effect: as if it had never been sent."""
        self._hook(backend, method, concerns, has_effect=False)

    def kill_after(self, backend: type, method: str, concerns: Callable[..., bool]) -> None:
        """Kill between an AWS request's effect and its answer."""
        self._hook(backend, method, concerns, has_effect=True)

    def _hook(
        self, backend: type, method: str, concerns: Callable[..., bool], *, has_effect: bool
    ) -> None:
        original = getattr(backend, method)

        def hooked(*args: Any, **kwargs: Any) -> Any:
            if self.killed or not concerns(*args, **kwargs):
                return original(*args, **kwargs)
            result = original(*args, **kwargs) if has_effect else None
            self.kill(method)
            if not has_effect:
                raise ConnectionAbortedError(method)
            return result

        self._patch.setattr(backend, method, hooked)

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
            for message in received:
                self._set_visibility(message, 0)
            return None
        failed = [item["itemIdentifier"] for item in result["batchItemFailures"]]
        for message in received:
            if message["MessageId"] in failed:
                self._set_visibility(message, 0)
            else:
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return failed

    def _set_visibility(self, message: dict[str, Any], seconds: int) -> None:
        self.sqs.change_message_visibility(
            QueueUrl=self.queue_url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=seconds,
        )

    def send(self, body: dict[str, Any]) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue_url, MessageBody=json.dumps(body), MessageGroupId="mips"
        )

    def hidden_seconds(self) -> float:
        """For how long the messages in flight will not come back; moto runs in this process."""
        queue = sqs_backends[ACCOUNT_ID][REGION].queues[self.queue_url.rsplit("/", 1)[-1]]
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


def kill_points() -> dict[str, Callable[[Crashes], None]]:
    """Every moment at which a worker is killed, by name."""
    ssm, s3 = SimpleSystemManagerBackend, S3Backend
    return {
        "before the login": lambda c: c.kill_before(ssm, "get_parameters", lambda *_, **__: True),
        "after storing the token": lambda c: c.kill_after(ssm, "put_parameter", is_session),
        "while fetching the segments": lambda c: c.kill_on_call("segments"),
        "while fetching the accounts": lambda c: c.kill_on_call("accounts"),
        "while fetching the balances": lambda c: c.kill_on_call("balances"),
        "before the first write": lambda c: c.kill_before(s3, "put_object", is_entry),
        "after the first write": lambda c: c.kill_after(s3, "put_object", is_entry),
        "while logging out": lambda c: c.kill_on_call("logout"),
        "after the logout": lambda c: c.kill_before(ssm, "put_parameter", is_closing),
        "after noting that none is open": lambda c: c.kill_after(ssm, "put_parameter", is_closing),
    }


@pytest.fixture(scope="module")
def stack_and_mip() -> Iterator[tuple[LocalStack, MipCloud]]:
    mip = MipCloud(lockout_seconds=3600, idle_seconds=3600)
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip, poll=False) as stack:
        yield stack, mip


@pytest.fixture
def crashes(
    stack_and_mip: tuple[LocalStack, MipCloud], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Crashes]:
    stack, mip = stack_and_mip
    stack.invoke("AdminFunction", {"action": "purge"})
    mip.reset()
    yield Crashes(stack, mip, monkeypatch)
    mip.on_call = None
