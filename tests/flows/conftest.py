"""The whole service as `make local` runs it: real HTTP, real processes, real queues on loopback."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.mip import MipCloud
from local.stack import LocalStack

PROGRAMS_KEY = "cache/v1/programs.json"
PATIENCE_SECONDS = 20


class Flows:
    """A running stack, with what the tests do to it and ask of it."""

    def __init__(self, stack: LocalStack, mip: MipCloud) -> None:
        self.stack = stack
        self.mip = mip
        self.s3 = stack.client("s3")
        self.sqs = stack.client("sqs")
        self.bucket = stack.resources["CacheBucket"]
        self.queue_url = stack.resources["RebuildQueue"]
        self.dead_letter_queue_url = stack.resources["DeadLetterQueue"]

    def addresses(self, folder: Path) -> dict[str, str]:
        """What stands in this run for the addresses and folders that the documents name."""
        return {
            "http://127.0.0.1:3000": self.stack.api_url,
            "http://127.0.0.1:4566": self.stack.aws_url,
            "http://127.0.0.1:8900": str(self.stack.mip_url),
            "/tmp/": f"{folder}/",  # noqa: S108 - a name in the documents, not one of ours
            "--files logs": f"--files {self.stack.logs}",
        }

    def get(
        self, path: str, headers: dict[str, str] | None = None, **parameters: str
    ) -> requests.Response:
        if path == "/balances":
            signature = (
                "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/execute-api/aws4_request"
            )
            signature += ", SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
            headers = {"Authorization": signature, "X-Amz-Date": "20261123T120000Z"} | (
                headers or {}
            )
        url = self.stack.api_url + path
        return requests.get(url, params=parameters, headers=headers, timeout=40)

    def admin(self, **payload: Any) -> Any:
        return self.stack.invoke("AdminFunction", payload)

    def send(self, body: object) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageGroupId="mips",
            MessageDeduplicationId=f"{time.monotonic_ns()}",
        )

    def stored(self, key: str = PROGRAMS_KEY) -> Any:
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def expire(self, key: str = PROGRAMS_KEY) -> None:
        entry = self.stored(key)
        entry["fresh_until"] = entry["built_at"]
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(entry).encode())

    def fill(self) -> None:
        """Have the programs built, and MIP's session closed again."""
        assert self.get("/accounts").status_code == 200
        eventually(self.is_idle)

    def is_idle(self) -> bool:
        status = self.admin(action="status")
        return status["queue"] == {"visible": 0, "in_flight": 0} and not status["session_open"]

    def renew_readers(self) -> None:
        """Have the next requests meet readers that know nothing.

        A reader that has asked for an entry does not ask again within the same minute; that its
        message was thrown away between two tests, it cannot know.
        """
        self.stack.functions["ReaderFunction"].recycle()

    def reset(self) -> None:
        """Empty queues and bucket, and let MIP forget what happened."""
        self.mip.reset()
        for queue_url in (self.queue_url, self.dead_letter_queue_url):
            self.sqs.purge_queue(QueueUrl=queue_url)
        eventually(self.is_idle)
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", []):
                self.s3.delete_object(Bucket=self.bucket, Key=item["Key"])
        self.mip.reset()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another process is about to bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture(scope="package")
def running() -> Iterator[Flows]:
    mip = MipCloud()
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, mip=mip) as stack:
        yield Flows(stack, mip)


@pytest.fixture
def flows(running: Flows, monkeypatch: pytest.MonkeyPatch) -> Flows:
    # Between tests a queue is emptied more often than AWS, and so moto, allows.
    monkeypatch.setenv("MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR", "false")
    running.reset()
    return running
