"""API Gateway on loopback: HTTP -> proxy event -> function -> HTTP, by the template's routes."""

import concurrent.futures
import contextlib
import io
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Protocol

from local.control_room.answers import HttpStream
from local.functions.functions import Functions, StoppedError
from local.functions.sandbox import Outcome, Request
from local.gateway.proxy_event import (
    Api,
    HttpAnswer,
    HttpRequest,
    MalformedAnswerError,
    build_event,
    read_answer,
)
from local.gateway.responses import (
    INTEGRATION_FAILURE,
    INTEGRATION_TIMEOUT,
    MISSING_TOKEN,
    TOO_LARGE,
    GatewayError,
    answer,
    incomplete_signature,
)
from local.gateway.routes import Match, match
from local.loopback import HOST, ConnectionsMixin
from local.template.stack_template import StackTemplate

INTEGRATION_SECONDS = 29.0
MAX_BODY_BYTES = 10 * 2**20
SIGNATURE_PARTS = ("Credential", "SignedHeaders", "Signature")
# A client that takes nothing of a stream for so long is given up.
STREAM_WRITE_SECONDS = 10


class LocalPages(Protocol):
    """What is served beside the API, which AWS does not have, and is told of the API's requests."""

    def serves(self, path: str) -> bool:
        """Whether a path is its own."""
        ...

    def respond(self, request: HttpRequest) -> HttpAnswer | HttpStream:
        """Answer a request for one of its paths."""
        ...

    def saw_request(self, request: HttpRequest, answer: HttpAnswer, seconds: float) -> None:
        """The API has answered a request."""
        ...


class Gateway:
    """The API of one stack, on a listening socket that it takes over."""

    def __init__(
        self,
        listener: socket.socket,
        template: StackTemplate,
        functions: Functions,
        api_id: str,
        integration_seconds: float = INTEGRATION_SECONDS,
        local_pages: LocalPages | None = None,
    ) -> None:
        self._routes = template.routes
        self._responses = template.gateway_responses
        self._functions = functions
        self._api = Api(api_id, template.stage)
        self._integration_seconds = integration_seconds
        self._local_pages = local_pages
        self._server = _Server(listener, self.respond)
        self._server.start_serving("API gateway")

    @property
    def url(self) -> str:
        """Where it listens; as a stage's URL, without a path."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop listening and cut open connections."""
        self._server.stop_serving()

    def respond(self, request: HttpRequest) -> HttpAnswer | HttpStream:
        """Answer one request: as API Gateway does, or with a local page."""
        pages = self._local_pages
        if pages is None:
            return self._respond(request)
        if pages.serves(request.path):
            return pages.respond(request)
        began = time.monotonic()
        answer = self._respond(request)
        pages.saw_request(request, answer, time.monotonic() - began)
        return answer

    def _respond(self, request: HttpRequest) -> HttpAnswer:
        """Route, authorise, invoke, translate: what API Gateway does with one request."""
        result = self._result(request)
        if isinstance(result, GatewayError):
            result = answer(result, self._responses)
        result.headers.append(("x-amzn-RequestId", request.request_id))
        result.headers.append(("x-amz-apigw-id", request.request_id.replace("-", "")[:16]))
        return result

    def _result(self, request: HttpRequest) -> HttpAnswer | GatewayError:
        found = match(self._routes, request.method, request.path)
        if found is None:
            return MISSING_TOKEN
        refusal = _signature_problem(request) if found.route.requires_iam else None
        if refusal:
            return refusal
        if len(request.body) > MAX_BODY_BYTES:
            return TOO_LARGE
        return self._invoke(request, found)

    def _invoke(self, request: HttpRequest, found: Match) -> HttpAnswer | GatewayError:
        function = self._functions[found.route.function]
        event = json.dumps(build_event(request, found, self._api))
        try:
            running = self._functions.submit(function, Request(event))
            outcome = running.result(self._integration_seconds)
            return _read(outcome)
        except concurrent.futures.TimeoutError:
            # As on AWS, the function itself runs on.
            return INTEGRATION_TIMEOUT
        except (StoppedError, concurrent.futures.CancelledError):
            return INTEGRATION_FAILURE
        except MalformedAnswerError as exc:
            print(f"gateway: malformed Lambda proxy response: {exc}", file=sys.stderr)
            return INTEGRATION_FAILURE


def _read(outcome: Outcome) -> HttpAnswer | GatewayError:
    return INTEGRATION_FAILURE if outcome.failed else read_answer(outcome.payload)


def _signature_problem(request: HttpRequest) -> GatewayError | None:
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


class _Server(ConnectionsMixin, HTTPServer):
    def __init__(
        self,
        listener: socket.socket,
        respond: Callable[[HttpRequest], HttpAnswer | HttpStream],
    ) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        # The socket that HTTPServer made itself was never bound.
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.respond = respond


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120  # of an idle connection, in seconds
    server: _Server

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        response = self.server.respond(
            HttpRequest(
                self.command,
                path,
                query,
                list(self.headers.items()),
                body,
                self.client_address[0],
                self.request_version,
            )
        )
        if isinstance(response, HttpStream):
            self._stream(response)
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Write nothing: the functions log their requests."""

    def _body(self) -> bytes | None:
        """The request's body; None if it has no known length, which is answered here."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.send_error(411)
            return None
        if int(length) > MAX_BODY_BYTES:
            # Not read, so the connection can carry no other request.
            self.close_connection = True
            return b"\0" * (MAX_BODY_BYTES + 1)
        return self.rfile.read(int(length))

    def _send(self, response: HttpAnswer) -> None:
        has_body = response.status not in (204, 304)
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            if has_body or name.lower() != "content-type":
                self.send_header(name, value)
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)

    def _stream(self, response: HttpStream) -> None:
        """Write each chunk as it comes, until the stream ends or the client is gone."""
        self.close_connection = True
        self.connection.settimeout(STREAM_WRITE_SECONDS)
        try:
            self.send_response_only(response.status)
            self.send_header("Date", self.date_time_string())
            for name, value in response.headers:
                self.send_header(name, value)
            self.end_headers()
            for chunk in response.chunks:
                self.wfile.write(chunk)
                self.wfile.flush()
        except OSError:
            # What could not be written is in the buffer still, and must not be tried again.
            with contextlib.suppress(OSError):
                self.wfile.close()
            self.wfile = io.BytesIO()
        finally:
            response.ended()
