"""Lambda's Invoke, in front of moto: moto's own would want Docker; every other call is moto's."""

import base64
import json
import re
import sys
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from local.functions.functions import Function, FunctionNotFoundError, Functions, StoppedError
from local.functions.sandbox import Invocation, Outcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

INVOKE_PATH = re.compile(r"/2015-03-31/functions/(?P<function>.+)/invocations/?")
MAX_PAYLOAD_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20}


@dataclass(frozen=True)
class InvokeRefusedError(Exception):
    """An invocation that Lambda would refuse; `kind` is the error's name in AWS's model."""

    status: HTTPStatus
    kind: str
    message: str


class InvokeApi:
    """A WSGI application: invocations go to the functions, everything else to the one behind."""

    def __init__(self, functions: Functions, behind: "WSGIApplication") -> None:
        self._functions = functions
        self._behind = behind

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one HTTP request."""
        path = INVOKE_PATH.fullmatch(environ.get("PATH_INFO", ""))
        if environ["REQUEST_METHOD"] != "POST" or not path:
            return self._behind(environ, start_response)
        http = HttpRequest(environ)
        try:
            response = self._invoke(path["function"], http)
        except InvokeRefusedError as refusal:
            response = _refusal(refusal)
        return response(environ, start_response)

    def _invoke(self, reference: str, http: HttpRequest) -> Response:
        functions = self._functions
        function = _find(functions, reference)
        kind = http.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in MAX_PAYLOAD_BYTES:
            raise InvokeRefusedError(
                HTTPStatus.BAD_REQUEST,
                "InvalidParameterValueException",
                f"InvocationType must be one of {', '.join(MAX_PAYLOAD_BYTES)}, not {kind}",
            )
        request = Invocation(_payload(http, kind))
        try:
            running = functions.submit(function, request)
            if kind == "Event":
                running.add_done_callback(lambda done: _report(function, done))
                return _accepted(request)
            return _answer(running.result(), tail=http.headers.get("X-Amz-Log-Type") == "Tail")
        except StoppedError as exc:
            raise InvokeRefusedError(
                HTTPStatus.INTERNAL_SERVER_ERROR, "ServiceException", str(exc)
            ) from exc


def _find(functions: Functions, reference: str) -> Function:
    try:
        return functions.find(reference.removesuffix(":$LATEST"))
    except FunctionNotFoundError as exc:
        raise InvokeRefusedError(
            HTTPStatus.NOT_FOUND, "ResourceNotFoundException", f"Function not found: {reference}"
        ) from exc


def _payload(http: HttpRequest, kind: str) -> str:
    limit = MAX_PAYLOAD_BYTES[kind]
    data = http.get_data()
    if len(data) > limit:
        message = (
            f"{len(data)} byte payload is too large for the {kind} invocation type "
            f"(limit {limit} bytes)"
        )
        raise InvokeRefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestTooLargeException", message
        )
    try:
        text = data.decode() or "{}"
        json.loads(text)
    except ValueError as exc:
        message = f"Could not parse request body into json: {exc}"
        raise InvokeRefusedError(
            HTTPStatus.BAD_REQUEST, "InvalidRequestContentException", message
        ) from exc
    return text


def _accepted(request: Invocation) -> Response:
    return Response(status=HTTPStatus.ACCEPTED, headers={"x-amzn-RequestId": request.request_id})


def _answer(outcome: Outcome, *, tail: bool) -> Response:
    response = Response(outcome.payload, mimetype="application/json")
    response.headers["x-amzn-RequestId"] = outcome.request_id
    response.headers["X-Amz-Executed-Version"] = "$LATEST"
    if outcome.failed:
        response.headers["X-Amz-Function-Error"] = "Unhandled"
    if tail:
        response.headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log_tail).decode()
    return response


def _refusal(refusal: InvokeRefusedError) -> Response:
    body = json.dumps({"Type": "User", "Message": refusal.message, "message": refusal.message})
    response = Response(body, status=refusal.status, mimetype="application/json")
    response.headers["x-amzn-ErrorType"] = refusal.kind
    return response


def _report(function: Function, done: "Future[Outcome]") -> None:
    """Nobody waits for an Event's outcome; Lambda's two retries of a failed one are left out."""
    if done.cancelled() or isinstance(done.exception(), StoppedError):
        return
    outcome = done.result()
    if outcome.failed:
        print(
            f"{function.spec.logical_id}: the invocation {outcome.request_id} failed: "
            f"{outcome.payload}",
            file=sys.stderr,
        )
