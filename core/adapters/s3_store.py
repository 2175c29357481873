"""The cache bucket on S3, with conditional reads and writes.

Source: S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from core.adapters.aws import error_code, translated
from core.errors import ConflictError, StoreUnavailableError
from core.ports import Absent, NotModified, ObjectSummary, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, PutObjectRequestTypeDef

DELETE_LIMIT = 1000
"""Most keys that one DeleteObjects request takes."""

# 412: another ETag. 409: another conditional write is under way. 404 to If-Match: it was deleted.
_CONFLICTS = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_ABSENT = frozenset({"NoSuchKey", "404"})


class S3CacheStore:
    """Implements CacheStore."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str, known_etag: str | None = None) -> StoredObject | NotModified | Absent:
        """Get an object, with If-None-Match if an ETag is known."""
        request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if known_etag is not None:
            request["IfNoneMatch"] = known_etag
        with translated(StoreUnavailableError, "S3 GetObject"):
            try:
                response = self._s3.get_object(**request)
                return StoredObject(response["Body"].read(), response["ETag"])
            except ClientError as exc:
                if error_code(exc) in {"304", "NotModified"}:
                    return NotModified()
                if error_code(exc) in _ABSENT:
                    return Absent(_delete_marker(exc))
                raise

    def replace(self, key: str, body: bytes, expected_etag: str | None) -> str:
        """Put an object with If-Match, or with If-None-Match: * where none is expected."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "application/json",
        }
        if expected_etag is None:
            request["IfNoneMatch"] = "*"
        else:
            request["IfMatch"] = expected_etag
        with translated(StoreUnavailableError, "S3 PutObject"):
            try:
                return self._s3.put_object(**request)["ETag"]
            except ClientError as exc:
                if error_code(exc) in _CONFLICTS | _ABSENT:
                    raise ConflictError("the entry was changed or purged meanwhile") from exc
                raise

    def put(self, key: str, body: bytes) -> None:
        """Put an object unconditionally."""
        with translated(StoreUnavailableError, "S3 PutObject"):
            self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/json"
            )

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


def _delete_marker(exc: ClientError) -> str | None:
    """Return the version id of the delete marker that a versioned bucket reports with its 404."""
    headers = exc.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers.get("x-amz-version-id") if headers.get("x-amz-delete-marker") else None
