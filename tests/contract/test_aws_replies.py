"""What AWS answers and the emulator does not: the adapters read it all the same."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_s3 import S3Client

from core.adapters.aws import client
from core.adapters.s3_store import S3CacheStore
from core.errors import ConflictError, StoreUnavailableError


@pytest.fixture
def s3() -> S3Client:
    return boto3.client("s3")


@pytest.fixture
def stubbed(s3: S3Client) -> Iterator[Stubber]:
    with Stubber(s3) as stubber:
        yield stubber


@pytest.fixture
def store(s3: S3Client) -> S3CacheStore:
    return S3CacheStore(s3, "cache-bucket")


def test_read_that_is_forbidden_is_no_absence(store: S3CacheStore, stubbed: Stubber) -> None:
    stubbed.add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        store.read("key")


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"])
def test_conditional_write_that_came_second_is_a_conflict(
    store: S3CacheStore, stubbed: Stubber, code: str
) -> None:
    for write in (
        lambda: store.replace("key", b"{}", '"etag"'),
        lambda: store.create("key", b"{}"),
    ):
        stubbed.add_client_error("put_object", code)
        with pytest.raises(ConflictError):
            write()


def test_replace_that_is_throttled_is_no_conflict(store: S3CacheStore, stubbed: Stubber) -> None:
    stubbed.add_client_error("put_object", "SlowDown", http_status_code=503)
    with pytest.raises(StoreUnavailableError, match="SlowDown"):
        store.replace("key", b"{}", '"etag"')


def test_delete_of_which_some_failed_is_an_error(store: S3CacheStore, stubbed: Stubber) -> None:
    errors = [{"Key": "b", "Code": "InternalError"}]
    stubbed.add_response("delete_objects", {"Errors": errors})
    with pytest.raises(StoreUnavailableError, match="InternalError for 1 objects"):
        store.delete(["a", "b"])


def test_client_has_timeouts_and_few_tries() -> None:
    made = client("s3").meta.config
    assert made.connect_timeout <= 2
    assert made.read_timeout <= 5
    assert made.retries["total_max_attempts"] <= 3
