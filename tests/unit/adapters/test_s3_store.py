"""What the cache store says of its objects; its effects are in tests/contract."""

from typing import Any

from core.adapters.s3_store import S3CacheStore


class WriteOnlyBucket:
    """An S3 client that notes its requests."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def put_object(self, **request: Any) -> dict[str, str]:
        self.requests.append(request)
        return {"ETag": '"1"'}


def test_every_object_is_written_as_json() -> None:
    s3: Any = WriteOnlyBucket()
    store = S3CacheStore(s3, "bucket")
    store.put("k", b"{}")
    store.create("k", b"{}")
    store.replace("k", b"{}", '"1"')
    assert [request["ContentType"] for request in s3.requests] == ["application/json"] * 3
