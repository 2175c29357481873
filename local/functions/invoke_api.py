"""Lambda's Invoke, in front of moto: moto's own would want Docker; every other call is moto's."""

import base64
import json
import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local.functions.functions import Function, FunctionNotFoundError, Functions, StoppedError
from local.functions.sandbox import Invocation, Outcome
from local.standard_error import write_error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

INVOKE_PATH = re.compile(r"/2015-03-31/functions/(?P<function>.+)/invocations/?")
MAX_PAYLOAD_BYTES = {"RequestResponse": 6 * 2**20, "Event": 2**20}


@dataclass(frozen=True)
class InvokeRefusedError(Exception):
    """An invocation that Lambda would refuse; `kind` is the error's name in AWS's model."""

    status: int
    kind: str
    message: str

    def response(self) -> Response:
        """The refusal as AWS's clients read it."""
        body = json.dumps({"Type": "User", "Message": self.message, "message": self.message})
        headers = {"x-amzn-ErrorType": self.kind}
        return Response(body, self.status, headers, mimetype="application/json")


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
        try:
            response = self._invoke(path["function"], Request(environ))
        except InvokeRefusedError as refusal:
            response = refusal.response()
        return response(environ, start_response)

    def _invoke(self, reference: str, http: Request) -> Response:
        try:
            function = self._functions.find(reference.removesuffix(":$LATEST"))
            kind = http.headers.get("X-Amz-Invocation-Type", "RequestResponse")
            invocation = Invocation(_payload(http, kind))
            running = self._functions.submit(function, invocation)
            if kind == "Event":
                running.add_done_callback(lambda done: _report(function, done))
                return Response(status=202, headers={"x-amzn-RequestId": invocation.request_id})
            return _answer(running.result(), tail=http.headers.get("X-Amz-Log-Type") == "Tail")
        except FunctionNotFoundError as exc:
            message = f"Function not found: {reference}"
            raise InvokeRefusedError(404, "ResourceNotFoundException", message) from exc
        except StoppedError as exc:
            raise InvokeRefusedError(500, "ServiceException", str(exc)) from exc


def _payload(http: Request, kind: str) -> str:
    limit = MAX_PAYLOAD_BYTES.get(kind)
    if limit is None:
        message = f"InvocationType must be one of {', '.join(MAX_PAYLOAD_BYTES)}, not {kind}"
        raise InvokeRefusedError(400, "InvalidParameterValueException", message)
    data = http.get_data() or b"{}"
    if len(data) > limit:
        message = f"{len(data)} byte payload is too large for {kind} (limit {limit} bytes)"
        raise InvokeRefusedError(413, "RequestTooLargeException", message)
    try:
        json.loads(data)
        return data.decode()
    except ValueError as exc:
        message = f"Could not parse request body into json: {exc}"
        raise InvokeRefusedError(400, "InvalidRequestContentException", message) from exc


def _answer(outcome: Outcome, *, tail: bool) -> Response:
    response = Response(outcome.payload, mimetype="application/json")
    response.headers["x-amzn-RequestId"] = outcome.request_id
    response.headers["X-Amz-Executed-Version"] = "$LATEST"
    if outcome.failed:
        response.headers["X-Amz-Function-Error"] = "Unhandled"
    if tail:
        response.headers["X-Amz-Log-Result"] = base64.b64encode(outcome.log_tail).decode()
    return response


def _report(function: Function, done: "Future[Outcome]") -> None:
    """Nobody waits for an Event's outcome; Lambda's two retries of a failed one are left out."""
    if done.cancelled() or isinstance(done.exception(), StoppedError):
        return
    outcome = done.result()
    if outcome.failed:
        told = f"the invocation {outcome.request_id} failed: {outcome.payload}"
        write_error(f"{function.spec.logical_id}: {told}")
