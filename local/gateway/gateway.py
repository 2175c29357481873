"""API Gateway: HTTP -> proxy event -> function -> HTTP, by the template's routes."""

import concurrent.futures
import json
import re
import time
from collections.abc import Callable, Mapping

from local.functions.functions import Functions, StoppedError
from local.functions.sandbox import Invocation
from local.gateway.proxy_event import Api, MalformedAnswerError, build_event, read_answer
from local.gateway.responses import (
    INTEGRATION_FAILURE,
    INTEGRATION_TIMEOUT,
    MISSING_TOKEN,
    TOO_LARGE,
    GatewayError,
    incomplete_signature,
    response_to,
)
from local.gateway.routes import Match, match
from local.loopback.http_server import Request, Response
from local.standard_error import write_error
from local.template.stack_template import StackTemplate

INTEGRATION_SECONDS = 29.0
LONGEST_BODY_BYTES = 10 * 2**20
SIGNATURE_PARTS = ("Credential", "SignedHeaders", "Signature")


class Gateway:
    """The API of one stack."""

    def __init__(
        self,
        template: StackTemplate,
        functions: Functions,
        api_id: str,
        integration_seconds: float = INTEGRATION_SECONDS,
    ) -> None:
        self._routes = template.routes
        self._responses = template.gateway_responses
        self._functions = functions
        self._api = Api(api_id, template.stage)
        self._integration_seconds = integration_seconds
        self.on_response: Callable[[Request, Response, float], None] = lambda *_: None
        """Called with each request, what was answered to it, and the seconds that it took."""

    def respond(self, request: Request) -> Response:
        """Route, authorise, invoke, translate: what API Gateway does with one request."""
        began = time.monotonic()
        result = self._result(request)
        if isinstance(result, GatewayError):
            result = response_to(result, self._responses, self._api.api_id)
        result.headers.append(("x-amzn-RequestId", request.request_id))
        result.headers.append(("x-amz-apigw-id", request.request_id.replace("-", "")[:16]))
        self.on_response(request, result, time.monotonic() - began)
        return result

    def _result(self, request: Request) -> Response | GatewayError:
        found = match(self._routes, request.method, request.path)
        if found is None:
            return MISSING_TOKEN
        refusal = _signature_problem(request) if found.route.requires_iam else None
        if refusal:
            return refusal
        if request.body is None:
            return TOO_LARGE
        return self._invoke(request, found)

    def _invoke(self, request: Request, found: Match) -> Response | GatewayError:
        function = self._functions[found.route.function]
        event = json.dumps(build_event(request, found, self._api))
        try:
            running = self._functions.submit(function, Invocation(event))
            outcome = running.result(self._integration_seconds)
            return INTEGRATION_FAILURE if outcome.failed else read_answer(outcome.payload)
        except concurrent.futures.TimeoutError:
            # As on AWS, the function itself runs on.
            return INTEGRATION_TIMEOUT
        except (StoppedError, concurrent.futures.CancelledError):
            return INTEGRATION_FAILURE
        except MalformedAnswerError as exc:
            write_error(f"gateway: malformed Lambda proxy response: {exc}")
            return INTEGRATION_FAILURE


def _signature_problem(request: Request) -> GatewayError | None:
    """Whether a SigV4 header is there and whole; what it signs is not checked."""
    header = request.header("Authorization")
    if header is None:
        return MISSING_TOKEN
    scheme, _, rest = header.partition(" ")
    parts: Mapping[str, str] = dict(re.findall(r"(\w+)=([^,\s]+)", rest))
    if scheme != "AWS4-HMAC-SHA256":
        return incomplete_signature(
            f"Authorization header requires the AWS4-HMAC-SHA256 algorithm, not '{scheme}'."
        )
    missing = [name for name in SIGNATURE_PARTS if name not in parts]
    if not missing:
        return None
    problems = [f"Authorization header requires '{name}' parameter." for name in missing]
    return incomplete_signature(" ".join(problems))
