"""The reader's requests, to an endpoint that fails: each failure is ours, and tells little."""

import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import RefreshableCredentials

from core.adapters import aws, signed_requests
from core.adapters.reader_requests import S3CacheReader, SqsRebuildSender
from core.adapters.signed_requests import SignedRequests
from core.errors import MipsCacheError, QueueUnavailableError, StoreUnavailableError
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

Read = Callable[..., StoredObject | None]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingAws]:
    monkeypatch.setattr(signed_requests, "READ_TIMEOUT_SECONDS", 0.2)
    with FailingAws() as failing:
        yield failing


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def read(endpoint: FailingAws, pauses: list[float]) -> Read:
    """Read one object, with these variables in the environment."""

    def reading(**environment: str) -> StoredObject | None:
        given = {"AWS_ENDPOINT_URL": endpoint.url, **environment}
        return S3CacheReader(SignedRequests("s3", given, "bucket", pauses.append)).read(KEY)

    return reading


def told(error: MipsCacheError) -> str:
    """Return everything that a log could hold of an error, its causes included."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("answer", "problem", "tries"),
    [
        (Answer(instead="silence"), "ReadTimeoutError", 2),
        (Answer(instead="reset"), "ConnectionClosedError", 2),
        (s3_error(503, "SlowDown"), "SlowDown", 2),
        (s3_error(500, "InternalError"), "InternalError", 2),
        (Answer(502, HTML), "502", 2),
        (Answer(429, HTML), "429", 2),
        (s3_error(403, "AccessDenied"), "AccessDenied", 1),
        (s3_error(400, "ExpiredToken"), "ExpiredToken", 1),
        (s3_error(404, "NoSuchBucket"), "NoSuchBucket", 1),
        (s3_error(301, "PermanentRedirect", Location="/"), "PermanentRedirect", 1),
        (Answer(200, HTML), "no ETag", 1),
        (Answer(200, "{", {"ETag": '"1"', "Content-Length": "9"}), "IncompleteReadError", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_read_that_fails_is_the_stores_failure_and_is_repeated_once_if_it_may_pass(
    endpoint: FailingAws, read: Read, pauses: list[float], answer: Answer, problem: str, tries: int
) -> None:
    endpoint.answer(answer)
    with pytest.raises(StoreUnavailableError, match=f"^S3 GetObject: .*{problem}") as caught:
        read(**ENVIRONMENT)
    assert len(endpoint.requests) == tries == 1 + len(pauses)
    for secret in (SECRET, *CREDENTIALS.values()):
        assert secret not in told(caught.value)


@pytest.mark.parametrize("first", [s3_error(503, "SlowDown"), Answer(instead="reset")])
def test_read_that_fails_once_is_answered(endpoint: FailingAws, read: Read, first: Answer) -> None:
    endpoint.answer(first, FOUND)
    assert read(**ENVIRONMENT) == StoredObject(b"{}", '"1"')


def test_answer_without_a_body_that_tells_the_objects_length_is_not_modified(
    endpoint: FailingAws,
) -> None:
    """RFC 9110, 8.6: a 304 may have the Content-Length that a 200 would have had."""
    endpoint.answer(Answer(304, "", {"Content-Length": "600000"}))
    s3 = SignedRequests("s3", {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint.url}, "bucket")
    assert S3CacheReader(s3).read_if_changed(KEY, '"1"') == NotModified()
    assert endpoint.requests[0][2]["If-None-Match"] == '"1"'


def test_credentials_are_not_shown_by_repr() -> None:
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in repr(SignedRequests("sqs", ENVIRONMENT))


def test_read_of_what_is_absent_is_none(endpoint: FailingAws, read: Read) -> None:
    endpoint.answer(s3_error(404, "NoSuchKey"))
    assert read(**ENVIRONMENT) is None


def test_request_is_for_the_object_and_signed_for_the_region(
    endpoint: FailingAws, read: Read
) -> None:
    endpoint.answer(FOUND)
    read(**ENVIRONMENT, AWS_SESSION_TOKEN="token", _X_AMZN_TRACE_ID="Root=1;Sampled=1")
    [(_, path, headers, _)] = endpoint.requests
    assert path == f"/bucket/{KEY}"
    assert "/eu-west-1/s3/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"
    assert headers["X-Amzn-Trace-Id"] == "Root=1;Sampled=1"


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("eu-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-gov-west-1", "amazonaws.com"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
    ],
)
def test_endpoint_is_that_of_the_regions_partition(region: str, suffix: str) -> None:
    environment = {"AWS_DEFAULT_REGION": region}
    assert SignedRequests("s3", environment, "b").url == f"https://b.s3.{region}.{suffix}"
    assert SignedRequests("sqs", environment).url == f"https://sqs.{region}.{suffix}"


def test_endpoint_of_the_service_counts_before_that_of_all() -> None:
    environment = {"AWS_ENDPOINT_URL": "http://all/", "AWS_ENDPOINT_URL_S3": "http://s3/"}
    assert SignedRequests("s3", environment, "b").url == "http://s3/b"
    assert SignedRequests("sqs", environment).url == "http://all"


def test_nobody_at_the_endpoint_is_the_stores_failure(read: Read, pauses: list[float]) -> None:
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        read(**ENVIRONMENT, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert len(pauses) == 1


def test_no_region_is_the_stores_failure(read: Read) -> None:
    with pytest.raises(StoreUnavailableError, match="NoRegionError"):
        read(**CREDENTIALS)


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No credentials in the environment, so that AWS's chain is asked."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    aws.session.cache_clear()
    yield
    aws.session.cache_clear()


def test_no_credentials_are_the_stores_failure(no_variables: None, read: Read) -> None:
    with pytest.raises(StoreUnavailableError, match="NoCredentialsError"):
        read(AWS_DEFAULT_REGION="eu-west-1")


@pytest.mark.parametrize(
    ("lifetime", "problem"), [(3600, None), (-3600, "CredentialRetrievalError")]
)
def test_credentials_that_expire_are_renewed_by_botocore(
    no_variables: None, endpoint: FailingAws, read: Read, lifetime: int, problem: str | None
) -> None:
    def fetched() -> dict[str, str]:
        expires_at = datetime.now(UTC) + timedelta(seconds=lifetime)
        expiry = expires_at.isoformat()
        return {"access_key": "new", "secret_key": "s", "token": "t", "expiry_time": expiry}

    aws.session()._credentials = RefreshableCredentials(
        "old", "s", "t", datetime.now(UTC), fetched, "test"
    )
    endpoint.answer(FOUND)
    if problem:
        with pytest.raises(StoreUnavailableError, match=problem):
            read(AWS_DEFAULT_REGION="eu-west-1")
    else:
        read(AWS_DEFAULT_REGION="eu-west-1")
        assert "Credential=new/" in endpoint.requests[0][2]["Authorization"]


@pytest.mark.parametrize(
    ("answer", "problem", "tries"),
    [
        (sqs_error(403, "AccessDeniedException"), "AccessDeniedException", 1),
        (sqs_error(400, "QueueDoesNotExist"), "QueueDoesNotExist", 1),
        (sqs_error(400, "ThrottlingException"), "ThrottlingException", 2),
        (Answer(instead="silence"), "ReadTimeoutError", 2),
        (Answer(200, HTML), "not one of SQS", 1),
        (Answer(200, "{}"), "not one of SQS", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_message_that_is_refused_is_the_queues_failure(
    endpoint: FailingAws, pauses: list[float], answer: Answer, problem: str, tries: int
) -> None:
    """SQS denies access to a queue of another account."""
    endpoint.answer(answer)
    environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL_SQS": endpoint.url}
    requests = SignedRequests("sqs", environment, sleep=pauses.append)
    sender = SqsRebuildSender(requests, "https://sqs/other/queue.fifo")
    with pytest.raises(QueueUnavailableError, match=f"^SQS SendMessage: .*{problem}") as caught:
        sender.send(MESSAGE, "id-1")
    assert len(endpoint.requests) == tries
    for secret in (SECRET, *CREDENTIALS.values()):
        assert secret not in told(caught.value)
