"""The cache bucket on S3, with conditional writes.

Source: S3 User Guide, "How to prevent object overwrites with conditional writes".

The SDK repeats a write whose answer was lost. The repetition meets the object that the first try
wrote, and S3 answers 412: a conflict with itself.
"""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from core.adapters.aws_errors import error_code, translated
from core.errors import ConflictError, StoreUnavailableError
from core.ports import ObjectSummary, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

DELETE_LIMIT = 1000
"""Most keys that one DeleteObjects request takes."""

# 412: another ETag. 409: another conditional write is under way. 404 to If-Match: it was deleted.
_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class S3CacheStore:
    """Implements CacheStore."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str) -> StoredObject | None:
        """Get an object."""
        with translated(StoreUnavailableError, "S3 GetObject"):
            try:
                response = self._s3.get_object(Bucket=self._bucket, Key=key)
                return StoredObject(response["Body"].read(), response["ETag"])
            except self._s3.exceptions.NoSuchKey:
                return None

    def create(self, key: str, body: bytes) -> str:
        """Put an object with If-None-Match: *."""
        return self._put_conditionally({**self._object(key, body), "IfNoneMatch": "*"})

    def replace(self, key: str, body: bytes, expected_etag: str) -> str:
        """Put an object with If-Match."""
        return self._put_conditionally({**self._object(key, body), "IfMatch": expected_etag})

    def put(self, key: str, body: bytes) -> None:
        """Put an object unconditionally."""
        with translated(StoreUnavailableError, "S3 PutObject"):
            self._s3.put_object(**self._object(key, body))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand per request."""
        for chunk in batched(keys, DELETE_LIMIT, strict=False):
            with translated(StoreUnavailableError, "S3 DeleteObjects"):
                response = self._s3.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": [{"Key": key} for key in chunk], "Quiet": True},
                )
            errors = response.get("Errors", [])
            if errors:
                code = errors[0].get("Code", "unknown")
                raise StoreUnavailableError(f"S3 DeleteObjects: {code} for {len(errors)} objects")

    def list(self, prefix: str) -> Iterator[ObjectSummary]:
        """List all objects below a prefix, page after page."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        with translated(StoreUnavailableError, "S3 ListObjectsV2"):
            for page in pages:
                for item in page.get("Contents", []):
                    yield ObjectSummary(item["Key"], item["Size"])

    def _object(self, key: str, body: bytes) -> "PutObjectRequestTypeDef":
        return {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "application/json",
        }

    def _put_conditionally(self, request: "PutObjectRequestTypeDef") -> str:
        with translated(StoreUnavailableError, "S3 PutObject"):
            try:
                return self._s3.put_object(**request)["ETag"]
            except ClientError as exc:
                if error_code(exc) in _CONFLICTS:
                    raise ConflictError("the entry was changed or purged meanwhile") from exc
                raise
