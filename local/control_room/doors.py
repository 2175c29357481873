"""The doors of the stack that everybody has: its API, AWS, and the switch of MIP's stand-in."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey
from botocore.exceptions import BotoCoreError, ClientError

from core.adapters.ssm_secrets import CLOSED
from local.aws.clients import ACCESS_KEY, REGION, SECRET_KEY
from local.mip import Credentials

# A read may wait for 29 s; nothing else takes long.
LONGEST_READ_SECONDS = 35
CONTROL_SECONDS = 5


class DoorClosedError(RuntimeError):
    """A part of the stack gave no answer, or none that can be used."""


class CommandFailedError(RuntimeError):
    """The admin refused a command or failed; `kind` is the error's class."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("errorMessage")))
        self.kind = str(error.get("errorType"))


@dataclass(frozen=True)
class Fetched:
    """An HTTP response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Whereabouts:
    """What of the stack there is, and where. What a template lacks is None."""

    api_url: str
    aws_url: str
    mip_url: str | None
    routes: Mapping[str, bool]
    """The paths that can be read, with whether they want a signature."""
    bucket: str | None
    prefix: str
    queue_url: str | None
    dead_letter_queue_url: str | None
    admin: str | None
    ssm_path: str | None
    credentials: Credentials
    ssm_key: str | None


class Doors:
    """Each method is one request. All raise DoorClosedError. Safe to use from several threads."""

    def __init__(self, where: Whereabouts, aws: Any) -> None:
        self.where = where
        self._s3 = aws.client("s3")
        self._sqs = aws.client("sqs")
        self._ssm = aws.client("ssm")
        self._lambda = aws.client("lambda")

    def read(self, path_and_query: str, *, signed: bool) -> Fetched:
        """GET from the API, as any client would; the signature is made with a made-up key."""
        url = self.where.api_url + path_and_query
        headers = {"Accept": "*/*", "User-Agent": "control-room"}
        if signed:
            request = AWSRequest("GET", url, headers=headers)
            key = SigningKey(ACCESS_KEY, SECRET_KEY)
            SigV4Auth(key, "execute-api", REGION).add_auth(request)
            headers = dict(request.headers.items())
        return fetch("GET", url, headers=headers, seconds=LONGEST_READ_SECONDS)

    def command(self, payload: Mapping[str, Any]) -> Any:
        """Invoke the admin. Raises CommandFailedError where it refuses or fails."""
        if self.where.admin is None:
            raise DoorClosedError("this stack has no admin function")
        with _translated("Lambda's Invoke"):
            answer = self._lambda.invoke(FunctionName=self.where.admin, Payload=json.dumps(payload))
            result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise CommandFailedError(result)
        return result

    def send(self, body: str, deduplication_id: str) -> str:
        """Send a message to the rebuild queue; its id."""
        if self.where.queue_url is None:
            raise DoorClosedError("this stack has no rebuild queue")
        with _translated("SQS"):
            sent = self._sqs.send_message(
                QueueUrl=self.where.queue_url,
                MessageBody=body,
                MessageGroupId="mips",
                MessageDeduplicationId=deduplication_id,
            )
        return str(sent["MessageId"])

    def depth(self, queue_url: str) -> dict[str, int]:
        """How many messages a queue holds, as far as it tells."""
        with _translated("SQS"):
            found = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
        told = found["Attributes"]
        return {
            "visible": int(told["ApproximateNumberOfMessages"]),
            "in_flight": int(told["ApproximateNumberOfMessagesNotVisible"]),
        }

    def peek(self, queue_url: str) -> list[dict[str, Any]]:
        """A queue's first messages, ten at most, which stay visible to everybody else."""
        with _translated("SQS"):
            found = self._sqs.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=0,
                WaitTimeSeconds=0,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        return messages

    def objects(self) -> Iterator[tuple[str, str]]:
        """Keys and entity tags of what the cache's bucket holds."""
        if self.where.bucket is None:
            return
        with _translated("S3"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.where.bucket, Prefix=self.where.prefix
            )
            for found in pages:
                for item in found.get("Contents", []):
                    yield item["Key"], item["ETag"]

    def content(self, key: str) -> bytes | None:
        """An object of the bucket; None if it is gone."""
        with _translated("S3"):
            try:
                found = self._s3.get_object(Bucket=self.where.bucket, Key=key)
            except self._s3.exceptions.NoSuchKey:
                return None
            body: bytes = found["Body"].read()
            return body

    def session_is_noted(self) -> bool | None:
        """Whether the worker has noted a session; the token is neither kept nor shown."""
        if self.where.ssm_path is None:
            return None
        with _translated("SSM"):
            try:
                found = self._ssm.get_parameter(
                    Name=f"{self.where.ssm_path}/session", WithDecryption=True
                )
            except self._ssm.exceptions.ParameterNotFound:
                return False
        text: str = found["Parameter"]["Value"]
        return text != CLOSED

    def store_credentials(self) -> None:
        """Store user and password anew, as an operator does after a rotation."""
        if self.where.ssm_path is None:
            raise DoorClosedError("this stack has no credentials")
        key = {"KeyId": self.where.ssm_key} if self.where.ssm_key else {}
        values = {"user": self.where.credentials.user, "pass": self.where.credentials.password}
        with _translated("SSM"):
            for name, value in values.items():
                self._ssm.put_parameter(
                    Name=f"{self.where.ssm_path}/{name}",
                    Value=value,
                    Type="SecureString",
                    Overwrite=True,
                    **key,
                )

    def mip(self, method: str, path: str, body: object = None) -> Any:
        """Ask the stand-in's control paths, or change something there."""
        if self.where.mip_url is None:
            raise DoorClosedError("MIP Cloud runs elsewhere; there is no stand-in to be asked")
        text = None if body is None else json.dumps(body).encode()
        url = f"{self.where.mip_url}/_control/{path}"
        answer = fetch(method, url, body=text, seconds=CONTROL_SECONDS)
        if answer.status != 200:
            raise DoorClosedError(f"MIP's stand-in answered {answer.status}")
        try:
            return json.loads(answer.body)
        except ValueError as exc:
            raise DoorClosedError("MIP's stand-in answered no JSON") from exc


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float,
) -> Fetched:
    """One HTTP request on this machine, through no proxy. Raises DoorClosedError."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        connection.request(method, path or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Fetched(response.status, response.headers, response.read())
    except (OSError, http.client.HTTPException) as exc:
        raise DoorClosedError(f"{parts.netloc} gave no answer ({type(exc).__name__})") from exc
    finally:
        connection.close()


class _translated:  # noqa: N801 - reads as a statement
    """AWS's errors become DoorClosedError."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, exc: BaseException | None, _: object) -> None:
        if isinstance(exc, BotoCoreError | ClientError):
            raise DoorClosedError(f"{self._service}: {exc}") from exc
