"""No foreign exception gets past an adapter."""

import inspect

import boto3
import botocore.exceptions
import pytest
import requests
import responses

from core.adapters.aws_errors import translated
from core.adapters.mip_client import MipClient
from core.adapters.s3_store import S3CacheStore
from core.adapters.sqs_queue import SqsDeadLetterQueue, SqsRebuildQueue
from core.adapters.ssm_secrets import SsmSecrets
from core.errors import (
    ConflictError,
    MipsCacheError,
    QueueUnavailableError,
    SecretsUnavailableError,
    StoreUnavailableError,
    UpstreamError,
)
from tests.builders import make_worker_settings
from tests.fakes import FakeClock, RecordingTelemetry

NOWHERE = "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere.fifo"
REQUESTS_ERRORS = [
    error
    for _, error in inspect.getmembers(requests.exceptions, inspect.isclass)
    if issubclass(error, requests.RequestException)
]
BOTO_ERRORS = [
    botocore.exceptions.EndpointConnectionError(endpoint_url="x"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="x"),
    botocore.exceptions.NoCredentialsError(),
    botocore.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"),
]


@pytest.mark.parametrize("foreign", BOTO_ERRORS, ids=lambda error: type(error).__name__)
def test_boto_error_becomes_ours_and_keeps_its_cause(foreign: Exception) -> None:
    with pytest.raises(StoreUnavailableError) as caught, translated(StoreUnavailableError, "S3"):
        raise foreign
    assert caught.value.__cause__ is foreign


@pytest.mark.parametrize("foreign", REQUESTS_ERRORS, ids=lambda error: error.__name__)
def test_requests_error_becomes_an_upstream_error(
    foreign: type[Exception], clock: FakeClock, telemetry: RecordingTelemetry
) -> None:
    client = MipClient(
        telemetry=telemetry, clock=clock, sleep=clock.sleep, settings=make_worker_settings()
    )
    with responses.RequestsMock() as mip:
        arguments = ("m", "d", 0) if issubclass(foreign, ValueError) else ("secret text",)
        try:
            error = foreign(*arguments)
        except TypeError:
            error = foreign("m")
        mip.get("https://api.example/api/coa/segments", body=error)
        with pytest.raises(UpstreamError) as caught:
            client.segments("token", clock.deadline(100))
    assert "secret text" not in str(caught.value)


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
    attributes = {"FifoQueue": "true"}
    url = boto3.client("sqs").create_queue(QueueName="q.fifo", Attributes=attributes)["QueueUrl"]
    with pytest.raises(QueueUnavailableError):
        SqsRebuildQueue(boto3.client("sqs"), url).delay(["nonsense"], 1)


def test_refused_parameter_store_makes_the_secrets_unavailable() -> None:
    ssm = boto3.client("ssm", endpoint_url="http://127.0.0.1:9", region_name="us-east-1")
    with pytest.raises(SecretsUnavailableError, match="EndpointConnectionError"):
        SsmSecrets(ssm, "/x").noted_session()


def test_every_error_of_ours_has_the_common_base() -> None:
    for error in (ConflictError, QueueUnavailableError, UpstreamError):
        assert issubclass(error, MipsCacheError)
