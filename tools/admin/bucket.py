"""Entries in the versioned bucket: their versions, and conditional writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tools.admin.aws_errors import error_code, explained
from tools.admin.errors import RefusedError

ABSENT = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
"""405 is what S3 answers to a request for a delete marker by its version."""
MALFORMED_VERSION = frozenset({"InvalidArgument", "400"})
CONFLICTS = frozenset(
    {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"}
)


@dataclass(frozen=True)
class Version:
    """One version of an object. A delete marker has no size."""

    key: str
    version_id: str
    written_at: datetime
    size_bytes: int | None


@dataclass(frozen=True)
class Stored:
    """The present object under a key."""

    body: bytes
    etag: str


class Bucket:
    """The bucket of one stack. Raises AwsError for what S3 says."""

    def __init__(self, s3: Any, name: str, local_url: str | None) -> None:
        self._s3 = s3
        self._name = name
        self._local_url = local_url

    def versions(self, prefix: str) -> list[Version]:
        """List the versions of the objects below a prefix, a key's newest first.

        Source: Amazon S3 API Reference, ListObjectVersions: a key's versions come in the order in
        which they were stored, the most recent first.
        """
        found: list[tuple[bool, Version]] = []
        with explained("s3:ListBucketVersions", self._local_url):
            pages = self._s3.get_paginator("list_object_versions").paginate(
                Bucket=self._name, Prefix=prefix
            )
            for page in pages:
                for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    version = Version(
                        item["Key"], item["VersionId"], item["LastModified"], item.get("Size")
                    )
                    found.append((item["IsLatest"], version))
        found.sort(key=lambda item: (item[0], item[1].written_at), reverse=True)
        return [version for _, version in found]

    def read_version(self, key: str, version_id: str) -> bytes | None:
        """Get one version of an object; None if the key has no such version with content."""
        with explained("s3:GetObjectVersion", self._local_url):
            try:
                reply = self._s3.get_object(Bucket=self._name, Key=key, VersionId=version_id)
                body: bytes = reply["Body"].read()
            except ClientError as exc:
                if error_code(exc) in ABSENT | MALFORMED_VERSION:
                    return None
                raise
        return body

    def read(self, key: str) -> Stored | None:
        """Get the present object; None if there is none."""
        with explained("s3:GetObject", self._local_url):
            try:
                reply = self._s3.get_object(Bucket=self._name, Key=key)
                return Stored(reply["Body"].read(), reply["ETag"])
            except ClientError as exc:
                if error_code(exc) in ABSENT:
                    return None
                raise

    def replace(self, key: str, body: bytes, present: Stored | None) -> str | None:
        """Put an object in the place of the one that was read, and return its version.

        Raises RefusedError if another write came first. Source: S3 User Guide, "How to prevent
        object overwrites with conditional writes".
        """
        condition = {"IfMatch": present.etag} if present else {"IfNoneMatch": "*"}
        with explained("s3:PutObject", self._local_url):
            try:
                reply = self._s3.put_object(
                    Bucket=self._name,
                    Key=key,
                    Body=body,
                    ContentType="application/json",
                    **condition,
                )
            except ClientError as exc:
                if error_code(exc) in CONFLICTS:
                    raise RefusedError(
                        "a rebuild or a purge wrote this entry meanwhile, so nothing was changed; "
                        "look at `status`, then repeat the command"
                    ) from exc
                raise
        version: str | None = reply.get("VersionId")
        return version
