"""Which rights a call to AWS needs, in the words of the template's roles.

Source: Service Authorization Reference; S3 API reference, "Permissions" of each operation.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.adapters.signed_requests import SignedRequests
from tests.handlers.conftest import BUCKET, SSM_PATH

Right = tuple[str, str]
"""An action and a resource."""

ACCOUNT = "${AWS::Region}:${AWS::AccountId}"
EDGE = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${EdgeDistribution}"
QUEUES = {"rebuild.fifo": "${RebuildQueue.Arn}", "dead.fifo": "${DeadLetterQueue.Arn}"}
S3_ACTIONS = {
    "ListObjectsV2": "ListBucket",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
}


class Calls:
    """Records the rights that each function's calls need, by the name of its role."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.needed: dict[str, set[Right]] = {}
        self._watch_reader(patch)
        for function in ("worker", "admin"):
            self._watch(function, patch)

    def _watch_reader(self, patch: pytest.MonkeyPatch) -> None:
        needed = self.needed.setdefault("ReaderRole", set())
        send = SignedRequests.send

        def noted(
            requests: SignedRequests, method: str, path: str, headers: Any, body: bytes
        ) -> Any:
            operation, params = {
                "GET": ("GetObject", {"Bucket": requests.bucket, "Key": path.removeprefix("/")}),
                "POST": ("SendMessage", json.loads(body or "{}")),
            }[method]
            needed.update(rights(requests.service, operation, params))
            try:
                return send(requests, method, path, headers, body)
            except ClientError as exc:
                needed.update(absence(exc.response))
                raise

        patch.setattr(SignedRequests, "send", noted)

    def _watch(self, function: str, patch: pytest.MonkeyPatch) -> None:
        module = f"handlers.wiring.{function}"
        needed = self.needed.setdefault(f"{function.title()}Role", set())
        make = __import__(module, fromlist=["client"]).client

        def note(params: Mapping[str, Any], model: Any, **_: object) -> None:
            needed.update(rights(model.service_model.service_name, model.name, params))

        def note_absence(parsed: Mapping[str, Any], **_: object) -> None:
            needed.update(absence(parsed))

        def client(service: str, *args: object) -> object:
            made = make(service, *args)
            made.meta.events.register("provide-client-params", note)
            made.meta.events.register("after-call.s3", note_absence)
            made.meta.events.register("before-call.cloudfront", invalidated)
            return made

        patch.setattr(f"{module}.client", client)


def absence(answer: Mapping[str, Any]) -> set[Right]:
    """S3 tells a missing key from a forbidden one only to those who may list the bucket."""
    if answer.get("Error", {}).get("Code") in {"NoSuchKey", "404"}:
        return {("s3:ListBucket", "${CacheBucket.Arn}")}
    return set()


def invalidated(**_: object) -> tuple[SimpleNamespace, dict[str, object]]:
    """Answer for CloudFront: moto has no distribution."""
    return SimpleNamespace(status_code=201), {"Invalidation": {"Id": "I1"}}


def rights(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
    """Yield each right that a call needs. Raises KeyError for a service that nobody knows here."""
    needed = {"s3": _s3, "sqs": _sqs, "ssm": _ssm, "cloudfront": _cloudfront}
    return needed[service](operation, params)


def _s3(operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
    assert params["Bucket"] == BUCKET
    action = f"s3:{S3_ACTIONS.get(operation, operation)}"
    keys = [item["Key"] for item in params.get("Delete", {}).get("Objects", [])]
    for key in keys or [params.get("Key", "")]:
        yield action, f"${{CacheBucket.Arn}}/{key}".rstrip("/")


def _sqs(operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
    yield f"sqs:{operation.removesuffix('Batch')}", QUEUES[params["QueueUrl"].rsplit("/", 1)[-1]]


def _ssm(operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
    for name in params.get("Names") or [params["Name"]]:
        yield f"ssm:{operation}", f"arn:${{AWS::Partition}}:ssm:{ACCOUNT}:parameter{name}"
        # The session's token lies under the account's own key, which every caller may use.
        if params.get("WithDecryption") and name != f"{SSM_PATH}/session":
            yield "kms:Decrypt", "${SsmKey.Arn}"


def _cloudfront(operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
    yield f"cloudfront:{operation}", EDGE.replace("${EdgeDistribution}", params["DistributionId"])


def covers(granted: Right, needed: Right) -> bool:
    """Tell whether a granted right, whose resource may end in a wildcard, covers a needed one."""
    literal = granted[1].replace("[", "[[]")
    return granted[0] == needed[0] and fnmatch.fnmatchcase(needed[1], literal)
