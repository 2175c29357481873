"""No foreign exception gets past an adapter."""

import boto3
import pytest
from botocore import exceptions

from core.adapters.aws_errors import translated
from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.errors import QueueUnavailableError, SecretsUnavailableError, StoreUnavailableError
from tests.contract.conftest import fifo

NOWHERE = "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere.fifo"


@pytest.mark.parametrize(
    "foreign",
    [
        exceptions.EndpointConnectionError(endpoint_url="x"),
        exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"),
    ],
    ids=type,
)
def test_boto_error_becomes_ours_and_keeps_its_cause(foreign: Exception) -> None:
    with pytest.raises(StoreUnavailableError) as caught, translated(StoreUnavailableError, "S3"):
        raise foreign
    assert caught.value.__cause__ is foreign


def test_missing_bucket_makes_the_store_unavailable(aws: None) -> None:
    store = S3CacheStore(boto3.client("s3"), "no-such-bucket")
    for call in (
        lambda: store.read("k"),
        lambda: store.put("k", b""),
        lambda: store.create("k", b""),
        lambda: store.replace("k", b"", '"etag"'),
        lambda: store.delete(["k"]),
        lambda: list(store.list("k")),
    ):
        with pytest.raises(StoreUnavailableError, match="NoSuchBucket"):
            call()


def test_missing_queue_makes_both_queues_unavailable(aws: None) -> None:
    queue = SqsRebuildQueue(boto3.client("sqs"), NOWHERE)
    letters = SqsDeadLetterQueue(boto3.client("sqs"), NOWHERE)
    for call in (
        lambda: queue.send_again("{}", "1"),
        lambda: queue.delay(["handle"], 1),
        queue.depth,
        lambda: letters.send("{}", {"A": "b"}, "g", "d"),
        lambda: list(letters.receive_batches()),
        letters.depth,
    ):
        with pytest.raises(QueueUnavailableError):
            call()


def test_receipt_handle_that_is_refused_makes_the_queue_unavailable(aws: None) -> None:
    queue = SqsRebuildQueue(boto3.client("sqs"), fifo("q.fifo"))
    with pytest.raises(QueueUnavailableError):
        queue.delay(["nonsense"], 1)


def test_refused_parameter_store_makes_the_secrets_unavailable() -> None:
    ssm = boto3.client("ssm", endpoint_url="http://127.0.0.1:9", region_name="us-east-1")
    with pytest.raises(SecretsUnavailableError, match="EndpointConnectionError"):
        SsmSecrets(ssm, "/x").noted_session()
