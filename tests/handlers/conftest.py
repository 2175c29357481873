"""The three handlers on emulated AWS, in this process, with MIP Cloud's stand-in behind them."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from core.adapters import sqs_queue
from handlers import admin, reader, worker
from handlers.routes import ROUTES
from handlers.wiring.admin import admin as admin_services
from handlers.wiring.reader import reader as reader_services
from handlers.wiring.worker import worker as worker_services
from local.mip import ORGANISATION, PASSWORD, USER, MipCloud, MipCloudServer

EVENTS = Path(__file__).parents[2] / "events"
BUCKET = "cache-bucket"
SSM_PATH = "/lambda/mipsSecret"
# moto answers for AWS; what goes to the stand-in passes by it.
LOOPBACK_PASSES = {
    "core": {"mock_credentials": True, "passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}
}


def event(name: str) -> Any:
    """Read a sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text())


class Context(SimpleNamespace):
    """Lambda's context object, with the time that an invocation has left."""

    def __init__(self, seconds: float = 300) -> None:
        super().__init__(
            aws_request_id="5f0d6a1e-0000-4000-8000-000000000001",
            function_name="function",
            memory_limit_in_mb=1024,
            invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
        )
        self._milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


class Service:
    """The deployed service, as its callers see it."""

    def __init__(self, mip: MipCloud, queue_url: str, dead_letter_queue_url: str) -> None:
        self.mip = mip
        self.queue_url = queue_url
        self.dead_letter_queue_url = dead_letter_queue_url
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.ssm = boto3.client("ssm")

    def read(self, sample: Any) -> dict[str, Any]:
        return reader.lambda_handler(sample, Context())

    def get(
        self, path: str, headers: dict[str, str] | None = None, **parameters: str
    ) -> dict[str, Any]:
        sample = event("reader_accounts")
        sample |= {"path": path, "headers": headers, "multiValueHeaders": None}
        sample["resource"] = path if path in ROUTES else "/{proxy+}"
        sample |= {"queryStringParameters": parameters, "multiValueQueryStringParameters": None}
        return self.read(sample)

    def work(self, sample: Any, seconds: float = 300) -> list[str]:
        """Give the worker a batch; returns the ids of the messages that must come back."""
        answer = worker.lambda_handler(sample, Context(seconds))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def steer(self, payload: Any) -> dict[str, Any]:
        return admin.lambda_handler(payload, Context())

    def poll(self) -> list[str]:
        """Do once what the event source mapping does; returns what it left in the queue."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        records = [
            {
                **event("worker_programs")["Records"][0],
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in received
        ]
        left = self.work({"Records": records})
        for message in received:
            if message["MessageId"] not in left:
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return left

    def queued(self) -> list[dict[str, Any]]:
        """Return the bodies of the visible rebuild messages, which stay as they are."""
        return [json.loads(body) for body in self._bodies(self.queue_url)]

    def dead_letter_bodies(self) -> list[str]:
        return self._bodies(self.dead_letter_queue_url)

    def send(self, body: object) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageGroupId="mips",
        )

    def stored(self, key: str) -> Any:
        """Return a cache object as JSON; None if it is absent."""
        try:
            return json.loads(self.s3.get_object(Bucket=BUCKET, Key=f"cache/{key}")["Body"].read())
        except self.s3.exceptions.NoSuchKey:
            return None

    def store(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"cache/{key}", Body=body)

    def make_stale(self, key: str = "v1/programs.json") -> None:
        entry = self.stored(key)
        entry["fresh_until"] = entry["built_at"]
        self.store(key, json.dumps(entry).encode())

    def _bodies(self, queue_url: str) -> list[str]:
        received = self.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=30
        ).get("Messages", [])
        for message in received:
            self.sqs.change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return [message["Body"] for message in received]


def _forget_wiring() -> None:
    for cached in (reader_services, worker_services, admin_services):
        cached.cache_clear()
    for role in ("reader", "worker", "admin"):
        # A logger keeps the output of the test that made it; the next one's would be lost.
        logging.Logger.manager.loggerDict.pop(role, None)


@pytest.fixture
def mip() -> Iterator[MipCloudServer]:
    with MipCloudServer(MipCloud(), port=0) as server:
        yield server


def _fifo_queue(name: str) -> str:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return boto3.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


@pytest.fixture
def environment(mip: MipCloudServer) -> dict[str, str]:
    """What the template would set, with no wait on a miss."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CACHE_BUCKET": BUCKET,
        "SSM_PATH": SSM_PATH,
        "MIP_ORG": ORGANISATION,
        "MIP_LOGIN_URL": mip.url,
        "MIP_API_URL": mip.url,
        "MISS_WAIT_SECONDS": "0",
    }


@pytest.fixture
def service(
    mip: MipCloudServer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # One receive asks all of moto's servers: there is nothing to wait for.
    monkeypatch.setattr(sqs_queue, "LOOK_WAIT_SECONDS", 0)
    with mock_aws(config=LOOPBACK_PASSES):
        _forget_wiring()
        built = Service(mip.mip, _fifo_queue("rebuild.fifo"), _fifo_queue("dead.fifo"))
        monkeypatch.setenv("REBUILD_QUEUE_URL", built.queue_url)
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", built.dead_letter_queue_url)
        built.s3.create_bucket(Bucket=BUCKET)
        built.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for name, value in (("user", USER), ("pass", PASSWORD)):
            built.ssm.put_parameter(Name=f"{SSM_PATH}/{name}", Value=value, Type="SecureString")
        yield built
    _forget_wiring()


@pytest.fixture
def warm(service: Service) -> Service:
    """The service with its programs and October's balances in the cache."""
    assert service.work(event("worker_programs")) == []
    assert service.work(event("worker_balances")) == []
    return service


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().out
