"""Each port: the fake that other tests rely on, and its adapters on emulated AWS."""

import os
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_s3 import S3Client
from mypy_boto3_sqs import SQSClient

from core.adapters.reader_requests import S3CacheReader, SqsRebuildSender
from core.adapters.s3_store import S3CacheStore
from core.adapters.signed_requests import SignedRequests
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.ports import CacheStore, DeadLetterQueue, RebuildQueue, Secrets
from tests.fakes import (
    FakeClock,
    FakeSecrets,
    InMemoryDeadLetters,
    InMemoryStore,
    RecordingQueue,
)

PATH = "/lambda/mipsSecret"
Receive = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


class ReadBySignedRequests(S3CacheStore):
    """What the worker writes, the reader reads."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        super().__init__(s3, bucket)
        reader = S3CacheReader(SignedRequests("s3", os.environ, bucket))
        self.read, self.read_if_changed = reader.read, reader.read_if_changed  # type: ignore[method-assign]


class SentBySignedRequests(SqsRebuildQueue):
    """What the reader sends, the worker receives."""

    def __init__(self, sqs: SQSClient, queue_url: str) -> None:
        super().__init__(sqs, queue_url)
        self.send = SqsRebuildSender(SignedRequests("sqs", os.environ), queue_url).send  # type: ignore[method-assign]


@pytest.fixture(params=["fake", "s3", "reader"])
def cache(request: pytest.FixtureRequest) -> CacheStore:
    if request.param == "fake":
        return InMemoryStore()
    request.getfixturevalue("aws")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="cache-bucket")
    s3.put_bucket_versioning(Bucket="cache-bucket", VersioningConfiguration={"Status": "Enabled"})
    adapter = ReadBySignedRequests if request.param == "reader" else S3CacheStore
    return adapter(s3, "cache-bucket")


def fifo(name: str) -> str:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return boto3.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


@pytest.fixture(params=["fake", "sqs", "reader"])
def rebuilds(request: pytest.FixtureRequest) -> tuple[RebuildQueue, Receive]:
    """The queue, and a way to receive (receipt handle, body) from it."""
    if request.param == "fake":
        fake = RecordingQueue(FakeClock())
        return fake, lambda: [(d.receipt_handle, d.body) for d in fake.receive()]
    request.getfixturevalue("aws")
    url = fifo("rebuild.fifo")

    def receive() -> list[tuple[str, str]]:
        answer = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [(m["ReceiptHandle"], m["Body"]) for m in answer.get("Messages", [])]

    adapter = SentBySignedRequests if request.param == "reader" else SqsRebuildQueue
    return adapter(boto3.client("sqs"), url), receive


@pytest.fixture(params=["fake", "sqs"])
def letters(request: pytest.FixtureRequest) -> DeadLetterQueue:
    if request.param == "fake":
        return InMemoryDeadLetters(FakeClock())
    request.getfixturevalue("aws")
    return SqsDeadLetterQueue(boto3.client("sqs"), fifo("dead.fifo"))


@pytest.fixture(params=["fake", "ssm"])
def vault(request: pytest.FixtureRequest) -> Secrets:
    if request.param == "fake":
        return FakeSecrets()
    request.getfixturevalue("aws")
    ssm = boto3.client("ssm")
    for name in ("user", "pass"):
        ssm.put_parameter(Name=f"{PATH}/{name}", Value=f"the {name}", Type="SecureString")
    return SsmSecrets(ssm, PATH)
