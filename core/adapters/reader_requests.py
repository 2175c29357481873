"""The reader's two requests: S3 GetObject and SQS SendMessage.

Sources: S3 API Reference, "GetObject" and "Error responses"; for AWS's JSON protocol
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

import json
from collections.abc import Mapping

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from core.adapters.aws_errors import error_code, translated
from core.adapters.signed_requests import SignedRequests
from core.errors import QueueUnavailableError, StoreUnavailableError
from core.model.messages import MESSAGE_GROUP, RebuildMessage
from core.ports import NotModified, StoredObject

JSON_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
}


class S3CacheReader:
    """Implements CacheReader."""

    def __init__(self, s3: SignedRequests) -> None:
        self._s3 = s3

    def read(self, key: str) -> StoredObject | None:
        """Get an object."""
        found = self._get(key, {})
        return _stored(found) if found else None

    def read_if_changed(self, key: str, known_etag: str) -> StoredObject | NotModified | None:
        """Get an object with If-None-Match."""
        found = self._get(key, {"If-None-Match": known_etag})
        if found and found.status_code == 304:
            return NotModified()
        return _stored(found) if found else None

    def _get(self, key: str, headers: Mapping[str, str]) -> AWSResponse | None:
        with translated(StoreUnavailableError, "S3 GetObject"):
            try:
                return self._s3.send("GET", f"/{key}", headers, b"")
            except ClientError as exc:
                if error_code(exc) == "NoSuchKey":
                    return None
                raise


def _stored(found: AWSResponse) -> StoredObject:
    if "ETag" not in found.headers:
        raise StoreUnavailableError("S3 GetObject: the answer has no ETag, so S3 did not give it")
    return StoredObject(found.content, found.headers["ETag"])


class SqsRebuildSender:
    """Implements RebuildSender."""

    def __init__(self, sqs: SignedRequests, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, message: RebuildMessage, deduplication_id: str) -> str:
        """Send a message to the one message group; of one that is sent twice SQS keeps one."""
        content = {
            "QueueUrl": self._queue_url,
            "MessageBody": message.to_body(),
            "MessageGroupId": MESSAGE_GROUP,
            "MessageDeduplicationId": deduplication_id,
        }
        with translated(QueueUnavailableError, "SQS SendMessage"):
            answer = self._sqs.send("POST", "/", JSON_HEADERS, json.dumps(content).encode())
        try:
            return str(json.loads(answer.content)["MessageId"])
        except (ValueError, LookupError, TypeError) as exc:
            raise QueueUnavailableError("SQS SendMessage: the answer is not one of SQS") from exc
