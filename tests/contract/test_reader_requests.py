"""The reader's requests, to an endpoint that fails: each failure is ours, and tells little."""

import json
import traceback
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import RefreshableCredentials

from core.adapters import aws, signed_requests
from core.adapters.reader_requests import S3CacheReader, SqsRebuildSender
from core.adapters.signed_requests import SignedRequests
from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.datasets import PROGRAM_LISTS
from core.model.messages import RebuildMessage
from core.model.selection import Selection
from core.ports import NotModified, StoredObject
from tests.failing_aws import HTML, SECRET, Answer, FailingAws, s3_error, sqs_error

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key that signs"}
ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-west-1", **CREDENTIALS}
KEY = "cache/v1/programs.json"
FOUND = Answer(200, "{}", {"ETag": '"1"'})
MESSAGE = RebuildMessage(Selection.of(PROGRAM_LISTS), reason="miss")


class FailingService(FailingAws):
    """An endpoint for S3 and SQS, and a reader that asks it."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def read(self, **environment: str) -> StoredObject | None:
        """Read one object, with these variables in the environment."""
        given = {"AWS_ENDPOINT_URL": self.url, **environment}
        return S3CacheReader(SignedRequests("s3", given, "bucket", self.pauses.append)).read(KEY)

    def send(self, **environment: str) -> str:
        given = {"AWS_ENDPOINT_URL_SQS": self.url, **environment}
        requests = SignedRequests("sqs", given, sleep=self.pauses.append)
        return SqsRebuildSender(requests, "https://sqs/other/queue.fifo").send(MESSAGE, "id-1")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingService]:
    monkeypatch.setattr(signed_requests, "READ_TIMEOUT_SECONDS", 0.2)
    with FailingService() as failing:
        yield failing


@pytest.mark.parametrize(
    ("answer", "problem", "tries"),
    [
        (Answer(instead="silence"), "S3 GetObject: ReadTimeoutError", 2),
        (Answer(instead="reset"), "S3 GetObject: ConnectionClosedError", 2),
        (s3_error(503, "SlowDown"), "S3 GetObject: SlowDown", 2),
        (s3_error(500, "InternalError"), "S3 GetObject: InternalError", 2),
        (Answer(502, HTML), "S3 GetObject: 502", 2),
        (Answer(429, HTML), "S3 GetObject: 429", 2),
        (s3_error(403, "AccessDenied"), "S3 GetObject: AccessDenied", 1),
        (s3_error(404, "NoSuchBucket"), "S3 GetObject: NoSuchBucket", 1),
        (s3_error(301, "PermanentRedirect", Location="/"), "S3 GetObject: PermanentRedirect", 1),
        (Answer(200, HTML), "S3 GetObject: the answer has no ETag", 1),
        (
            Answer(200, "{", {"ETag": '"1"', "Content-Length": "9"}),
            "S3 GetObject: IncompleteReadError",
            1,
        ),
        (sqs_error(403, "AccessDeniedException"), "SQS SendMessage: AccessDeniedException", 1),
        (sqs_error(400, "ThrottlingException"), "SQS SendMessage: ThrottlingException", 2),
        (Answer(200, HTML), "SQS SendMessage: the answer is not one of SQS", 1),
        (Answer(200, "{}"), "SQS SendMessage: the answer is not one of SQS", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_request_that_fails_is_repeated_once_if_it_may_pass_and_tells_little(
    endpoint: FailingService, answer: Answer, problem: str, tries: int
) -> None:
    """It is the store's or the queue's failure; a traceback of it holds no secret either."""
    endpoint.answer(answer)
    is_read = "SQS" not in problem
    error = StoreUnavailableError if is_read else QueueUnavailableError
    with pytest.raises(error, match=f"^{problem}") as caught:
        (endpoint.read if is_read else endpoint.send)(**ENVIRONMENT)
    assert len(endpoint.requests) == tries == 1 + len(endpoint.pauses)
    told = "".join(traceback.format_exception(caught.value))
    for secret in (SECRET, *CREDENTIALS.values()):
        assert secret not in told


@pytest.mark.parametrize("first", [s3_error(503, "SlowDown"), Answer(instead="reset")])
def test_read_that_fails_once_is_answered(endpoint: FailingService, first: Answer) -> None:
    endpoint.answer(first, FOUND)
    assert endpoint.read(**ENVIRONMENT) == StoredObject(b"{}", '"1"')


def test_answer_without_a_body_that_tells_the_objects_length_is_not_modified(
    endpoint: FailingService,
) -> None:
    """RFC 9110, 8.6: a 304 may have the Content-Length that a 200 would have had."""
    endpoint.answer(Answer(304, "", {"Content-Length": "600000"}))
    s3 = SignedRequests("s3", {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint.url}, "bucket")
    assert S3CacheReader(s3).read_if_changed(KEY, '"1"') == NotModified()
    assert endpoint.requests[0][2]["If-None-Match"] == '"1"'


def test_credentials_are_not_shown_by_repr() -> None:
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in repr(SignedRequests("sqs", ENVIRONMENT))


def test_request_is_for_the_object_and_signed_for_the_region(endpoint: FailingService) -> None:
    endpoint.answer(FOUND)
    traced = {"AWS_SESSION_TOKEN": "token", "_X_AMZN_TRACE_ID": "Root=1;Sampled=1"}
    endpoint.read(**ENVIRONMENT, **traced)
    [(_, path, headers, _)] = endpoint.requests
    assert path == f"/bucket/{KEY}"
    assert "/eu-west-1/s3/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"
    assert headers["X-Amzn-Trace-Id"] == "Root=1;Sampled=1"


def test_message_is_sent_as_aws_json(endpoint: FailingService) -> None:
    """SQS Developer Guide, "Making Query API requests using AWS JSON protocol"."""
    endpoint.answer(Answer(200, '{"MessageId": "m-1"}'))
    assert endpoint.send(**ENVIRONMENT) == "m-1"
    [(method, path, headers, body)] = endpoint.requests
    assert (method, path) == ("POST", "/")
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert headers["X-Amz-Target"] == "AmazonSQS.SendMessage"
    assert json.loads(body) == {
        "QueueUrl": "https://sqs/other/queue.fifo",
        "MessageBody": MESSAGE.to_body(),
        "MessageGroupId": "mips",
        "MessageDeduplicationId": "id-1",
    }


@pytest.mark.parametrize(
    ("region", "suffix"), [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")]
)
def test_endpoint_is_that_of_the_regions_partition(region: str, suffix: str) -> None:
    environment = {"AWS_DEFAULT_REGION": region}
    assert SignedRequests("s3", environment, "b").url == f"https://b.s3.{region}.{suffix}"
    assert SignedRequests("sqs", environment).url == f"https://sqs.{region}.{suffix}"


def test_endpoint_of_the_service_counts_before_that_of_all() -> None:
    environment = {"AWS_ENDPOINT_URL": "http://all/", "AWS_ENDPOINT_URL_S3": "http://s3/"}
    assert SignedRequests("s3", environment, "b").url == "http://s3/b"
    assert SignedRequests("sqs", environment).url == "http://all"


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No credentials in the environment, so that AWS's chain is asked."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    aws.session.cache_clear()
    yield
    aws.session.cache_clear()


@pytest.mark.parametrize(
    ("environment", "problem", "tries"),
    [
        ({**ENVIRONMENT, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "EndpointConnectionError", 2),
        (CREDENTIALS, "NoRegionError", 1),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "NoCredentialsError", 1),
        *(
            ({"AWS_DEFAULT_REGION": "eu-west-1", half: value}, "NoCredentialsError", 1)
            for half, value in CREDENTIALS.items()
        ),
    ],
)
def test_request_that_cannot_be_sent_is_the_stores_failure(
    no_variables: None,
    endpoint: FailingService,
    environment: dict[str, str],
    problem: str,
    tries: int,
) -> None:
    with pytest.raises(StoreUnavailableError, match=problem):
        endpoint.read(**environment)
    assert (len(endpoint.pauses), endpoint.requests) == (tries - 1, [])


@pytest.mark.parametrize(
    ("lifetime", "problem"), [(3600, None), (-3600, "CredentialRetrievalError")]
)
def test_credentials_that_expire_are_renewed_by_botocore(
    no_variables: None, endpoint: FailingService, lifetime: int, problem: str | None
) -> None:
    def fetched() -> dict[str, str]:
        expiry = (datetime.now(UTC) + timedelta(seconds=lifetime)).isoformat()
        return {"access_key": "new", "secret_key": "s", "token": "t", "expiry_time": expiry}

    aws.session()._credentials = RefreshableCredentials(
        "old", "s", "t", datetime.now(UTC), fetched, "test"
    )
    endpoint.answer(FOUND)
    with pytest.raises(StoreUnavailableError, match=problem) if problem else nullcontext():
        endpoint.read(AWS_DEFAULT_REGION="eu-west-1")
    signed = [headers["Authorization"] for _, _, headers, _ in endpoint.requests]
    assert ["Credential=new/" in header for header in signed] == [True] * (not problem)
