"""Signed requests to one AWS service, without an SDK client.

A client first reads the description of its service, which is most of a cold start
(docs/performance.md). A reader needs no more of botocore than what signs and sends.

Sources: IAM User Guide, "AWS Signature Version 4 for API requests"; AWS SDKs and Tools Reference
Guide, "Service-specific endpoints"; S3 User Guide, "Virtual hosting of general purpose buckets".
"""

import random
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Literal

import botocore.exceptions as failures
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.endpoint_provider import RuleSetStandardLibrary
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader

from core.adapters.aws_errors import error_code

# Two tries of at most (1 + 2) s, and the pause between them: no call of a reader takes longer than
# the 7 s that its time budget counts for one (handlers/time_budget.py).
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, LONGEST_PAUSE_SECONDS = 1, 2, 1

_SIGNERS = {"s3": S3SigV4Auth, "sqs": SigV4Auth}
_SLOW_DOWN = frozenset({"RequestThrottled", "RequestTimeout", "SlowDown", "ThrottlingException"})
# S3 writes <Code>NoSuchKey</Code>, SQS "__type":"com.amazonaws.sqs#QueueDoesNotExist".
_CODE = re.compile(rb'(?:<Code>|"__type"\s*:\s*"(?:[\w.]+#)?)(\w{1,64})[<"]')


@dataclass(repr=False, eq=False)  # the environment holds secrets, which repr would show
class SignedRequests:
    """Requests to a service, with the region, credentials and `AWS_ENDPOINT_URL…` of a function.

    They come from its environment; of AWS's config file only credentials count. What else the SDK
    can be told (proxies, FIPS, dual stack) has no effect.
    """

    service: Literal["s3", "sqs"]
    environment: Mapping[str, str]
    bucket: str = ""
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        timeouts: Any = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
        self._http = URLLib3Session(timeout=timeouts)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> AWSResponse:
        """Send a request, and once more after a failure that may pass.

        Returns a complete answer with status 200 or 304. Raises ClientError for another status,
        and BotoCoreError where no answer came; of a body they hold nothing but AWS's code.
        """
        request = AWSRequest(method, self.url + path, headers, body)
        request.headers["User-Agent"] = "lambda-mips-api"
        if trace := self.environment.get("_X_AMZN_TRACE_ID"):  # which SQS hands to the worker
            request.headers["X-Amzn-Trace-Id"] = trace
        try:
            return self._send_once(request)
        except (failures.BotoCoreError, failures.ClientError) as exc:
            if not _is_worth_repeating(exc):
                raise
        self.sleep(random.random() * LONGEST_PAUSE_SECONDS)  # noqa: S311 - no secret
        return self._send_once(request)

    @cached_property
    def url(self) -> str:
        """Where the service is, and the bucket. Raises NoRegionError."""
        own = self.environment.get(f"AWS_ENDPOINT_URL_{self.service.upper()}")
        if given := own or self.environment.get("AWS_ENDPOINT_URL"):
            return f"{given.rstrip('/')}/{self.bucket}".rstrip("/")
        partitions = RuleSetStandardLibrary(create_loader().load_data("partitions"))
        suffix = partitions.aws_partition(self._region)["dnsSuffix"]
        host = filter(None, (self.bucket, self.service, self._region, suffix))
        return f"https://{'.'.join(host)}"

    @property
    def _region(self) -> str:
        if region := self.environment.get("AWS_DEFAULT_REGION"):  # as the SDK; Lambda sets it
            return region
        raise failures.NoRegionError

    def _credentials(self) -> Any:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        key, secret, token = map(self.environment.get, names)
        if key and secret:
            return SimpleNamespace(access_key=key, secret_key=secret, token=token)
        # With SnapStart, or outside of Lambda. The import is half of what a client costs.
        from core.adapters.aws import session  # noqa: PLC0415

        try:
            found = session().get_credentials()
            return found and found.get_frozen_credentials()
        except RuntimeError as exc:  # renewed, and expired all the same
            raise failures.CredentialRetrievalError(provider="", error_msg="expired") from exc

    def _send_once(self, request: AWSRequest) -> AWSResponse:
        signer = _SIGNERS[self.service](self._credentials(), self.service, self._region)
        signer.add_auth(request)
        prepared = request.prepare()
        response = _answer_of_a_hook(prepared) or self._http.send(prepared)
        if response.status_code not in (200, 304):
            raise _refusal(response)
        received = len(response.content)
        announced = int(response.headers.get("Content-Length", received))
        if response.status_code == 200 and received != announced:
            raise failures.IncompleteReadError(actual_bytes=received, expected_bytes=announced)
        return response


def _answer_of_a_hook(request: AWSPreparedRequest) -> AWSResponse | None:
    """Ask what hooks into the SDK's `before-send` event, as emulators of AWS do.

    Nothing on Lambda loads the SDK's handlers in a reader, so there it costs a look-up.
    """
    handlers = getattr(sys.modules.get("botocore.handlers"), "BUILTIN_HANDLERS", ())
    hooks = (hook for event, hook, *_ in handlers if event == "before-send")
    answers = (hook(event_name="before-send", request=request) for hook in hooks)
    return next(filter(None, answers), None)


def _refusal(response: AWSResponse) -> failures.ClientError:
    found, status = _CODE.search(response.content), response.status_code
    code = found[1].decode() if found else str(status)
    error: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return failures.ClientError(error, "send")


def _is_worth_repeating(exc: Exception) -> bool:
    if isinstance(exc, failures.ClientError):
        status = exc.response["ResponseMetadata"]["HTTPStatusCode"]
        return status == 429 or status >= 500 or error_code(exc) in _SLOW_DOWN
    return isinstance(exc, failures.ConnectionError | failures.HTTPClientError)
