"""What AWS answers and the emulator does not, and what it is asked for and the emulator lets be."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from core.adapters.aws import client
from core.adapters.s3_store import S3CacheStore
from core.errors import ConflictError, StoreUnavailableError


class StubbedStore(S3CacheStore):
    """A store, and the answers of S3."""

    def __init__(self) -> None:
        super().__init__(boto3.client("s3"), "cache-bucket")
        self.s3 = Stubber(self._s3)


@pytest.fixture
def store() -> Iterator[StubbedStore]:
    store = StubbedStore()
    with store.s3:
        yield store


def test_read_that_is_forbidden_is_no_absence(store: StubbedStore) -> None:
    store.s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        store.read("key")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("PreconditionFailed", ConflictError),
        ("ConditionalRequestConflict", ConflictError),
        ("NoSuchKey", ConflictError),
        ("SlowDown", StoreUnavailableError),
    ],
)
def test_conditional_write_that_came_second_is_a_conflict_and_one_that_is_throttled_is_not(
    store: StubbedStore, code: str, error: type[Exception]
) -> None:
    for _ in range(2):
        store.s3.add_client_error("put_object", code)
    with pytest.raises(error):
        store.replace("key", b"{}", '"etag"')
    with pytest.raises(error):
        store.create("key", b"{}")


def test_delete_of_which_some_failed_is_an_error(store: StubbedStore) -> None:
    store.s3.add_response("delete_objects", {"Errors": [{"Key": "b", "Code": "InternalError"}]})
    with pytest.raises(StoreUnavailableError, match="InternalError for 1 objects"):
        store.delete(["a", "b"])


def test_every_object_is_written_as_json(store: StubbedStore) -> None:
    sent = {"Bucket": "cache-bucket", "Key": "k", "Body": b"{}", "ContentType": "application/json"}
    for condition in ({}, {"IfNoneMatch": "*"}, {"IfMatch": '"1"'}):
        store.s3.add_response("put_object", {"ETag": '"1"'}, sent | condition)
    store.put("k", b"{}")
    store.create("k", b"{}")
    store.replace("k", b"{}", '"1"')
    store.s3.assert_no_pending_responses()


def test_client_has_timeouts_and_few_tries() -> None:
    made = client("s3").meta.config
    assert made.connect_timeout <= 2
    assert made.read_timeout <= 5
    assert made.retries["total_max_attempts"] <= 3
