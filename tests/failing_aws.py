"""An AWS endpoint on loopback that fails in the way it is told to."""

import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SECRET = "what nobody may log"


@dataclass(frozen=True)
class Answer:
    """What is sent back: a reply, or what `instead` says: a reset, or silence."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    instead: str | None = None


def s3_error(status: int, code: str, **headers: str) -> Answer:
    body = f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"
    return Answer(status, body, {"Content-Type": "application/xml", **headers})


def sqs_error(status: int, code: str) -> Answer:
    body = f'{{"__type":"com.amazonaws.sqs#{code}","message":"{SECRET}"}}'
    return Answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


HTML = f"<html><title>{SECRET}</title></html>"


class FailingAws:
    """Gives the answers in turn, and the last one again and again; notes the requests."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self._silence = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._silence.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, *answers: Answer) -> None:
        self.answers[:] = answers

    def _handler(self) -> Any:
        failing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                failing.requests.append((self.command, self.path, dict(self.headers), body))
                answers = failing.answers
                failing._give(answers.pop(0) if len(answers) > 1 else answers[0], self)

            do_POST = do_GET  # noqa: N815 - so the library calls it

            def log_message(self, *_: object) -> None:
                """Nothing is to be printed."""

        return Handler

    def _give(self, answer: Answer, to: BaseHTTPRequestHandler) -> None:
        if answer.instead == "silence":
            self._silence.wait()
        if answer.instead:
            to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            to.connection.close()
            to.close_connection = True
            return
        to.send_response(answer.status)
        body = answer.body.encode()
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(body)
