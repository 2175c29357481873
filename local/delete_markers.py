"""What S3 says of a deleted object in a versioned bucket, and moto leaves out of its 404.

Source: Amazon S3 API Reference, GetObject, "x-amz-delete-marker". The reader tells one purge from
the next by it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeDeleteMarker, s3_backends

from local.aws_clients import ACCOUNT_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class DeleteMarkers:
    """A WSGI application: names the delete marker in each 404 of the S3 behind it."""

    def __init__(self, behind: "WSGIApplication") -> None:
        self._behind = behind

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one HTTP request."""

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            marker = _marker(environ["PATH_INFO"]) if status.startswith("404") else None
            if marker is not None:
                named = [("x-amz-delete-marker", "true"), ("x-amz-version-id", marker)]
                headers = [*headers, *named]
            return start_response(status, headers, *exc_info)

        return self._behind(environ, start)


def _marker(path: str) -> str | None:
    """The version id of what hides the object at `/bucket/key`; None if nothing does."""
    bucket_name, _, key = path.lstrip("/").partition("/")
    bucket = s3_backends[ACCOUNT_ID]["aws"].buckets.get(bucket_name)
    versions = bucket.keys.getlist(key) if bucket and key else None
    newest = versions[-1] if versions else None
    return newest.version_id if isinstance(newest, FakeDeleteMarker) else None
