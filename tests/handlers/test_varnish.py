"""A real shared cache in front of the reader: what its headers make of it (RFC 9111, 5861)."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path

import pytest

from core.model.entry import encode
from tests.builders import make_entry
from tests.handlers.conftest import Service

VARNISH = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin")
pytestmark = pytest.mark.skipif(VARNISH is None, reason="varnishd is not installed")

# Expiring an entry by hand saves the waiting: after EXPIRE the cache serves its copy and asks again
# meanwhile, after OUTDATE it asks first. What comes of an error is Varnish's own advice (Users
# Guide, "Misbehaving servers"): it knows stale-while-revalidate, but not stale-if-error.
VCL = """
vcl 4.1;
import purge;
backend default { .host = "127.0.0.1"; .port = "%d"; }
sub vcl_recv { if (req.method ~ "^(EXPIRE|OUTDATE)$") { return (hash); } }
sub vcl_hit {
  if (req.method == "EXPIRE") { purge.soft(0s); return (synth(204)); }
  if (req.method == "OUTDATE") { purge.soft(0s, 0s, 60s); return (synth(204)); }
}
sub vcl_backend_response { if (beresp.status >= 500 && bereq.is_bgfetch) { return (abandon); } }
"""


class Origin(ThreadingHTTPServer):
    """API Gateway and the reader behind it; it can be told to fail."""

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), OriginRequest)
        self.service = service
        self.is_failing = False
        self.statuses: list[int] = []


class OriginRequest(BaseHTTPRequestHandler):
    server: Origin

    def do_GET(self) -> None:
        answer = self.server.service.get(self.path, dict(self.headers))
        if self.server.is_failing:
            answer |= {"statusCode": 503, "headers": {"Cache-Control": "no-store"}}
        # As API Gateway does.
        answer["headers"].setdefault("Content-Type", "application/json")
        # Noted before it is sent: once the cache has it, a test may look.
        self.server.statuses.append(answer["statusCode"])
        body = answer["body"].encode()
        self.send_response(answer["statusCode"])
        for name, value in {**answer["headers"], "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if answer["statusCode"] != 304 else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origin(service: Service) -> Iterator[Origin]:
    with Origin(service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Varnish:
    """A cache that listens on a socket in its own folder."""

    def __init__(self, folder: Path, origin_port: int) -> None:
        self._socket, self._pid = folder / "socket", folder / "pid"
        (folder / "cache.vcl").write_text(VCL % origin_port)
        command: list[str | Path] = [
            *(VARNISH or "", "-j", "none", "-n", folder / "work", "-a", self._socket),
            *("-f", folder / "cache.vcl", "-P", self._pid, "-s", "malloc,8m"),
            *("-p", "default_grace=0"),  # what the headers allow, and no more
        ]
        # It goes into the background once it serves.
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def stop(self) -> None:
        os.kill(int(self._pid.read_text()), signal.SIGTERM)

    def ask(self, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
        connection = HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._socket))
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response


@pytest.fixture
def varnish(origin: Origin) -> Iterator[Varnish]:
    # pytest's own folder can be too long for the name of a socket.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cache = Varnish(Path(folder), origin.server_port)
        yield cache
        cache.stop()


@pytest.fixture
def two_hours_old(service: Service) -> None:
    """A list that was fetched two hours ago and is fresh for the rest of the day."""
    built_at = datetime.now(UTC) - timedelta(hours=2)
    service.store("v1/programs.json", encode(make_entry(built_at=built_at)))


@pytest.mark.usefixtures("two_hours_old")
def test_five_reads_of_an_entry_two_hours_old_are_one_request_to_the_origin(
    varnish: Varnish, origin: Origin
) -> None:
    assert [varnish.ask("/tags").status for _ in range(5)] == [200] * 5
    assert origin.statuses == [200]


@pytest.mark.usefixtures("two_hours_old")
def test_cached_copy_is_served_while_the_origin_answers_503(
    varnish: Varnish, origin: Origin
) -> None:
    varnish.ask("/tags")
    origin.is_failing = True
    assert varnish.ask("/tags").status == 200, "still fresh"
    assert varnish.ask("/tags", "EXPIRE").status == 204
    # The third request can only follow once the cache has got the first 503.
    until_third = takewhile(lambda _: len(origin.statuses) < 3, range(10_000))
    assert {varnish.ask("/tags").status for _ in until_third} == {200}
    assert origin.statuses[:3] == [200, 503, 503]


@pytest.mark.usefixtures("two_hours_old")
def test_validation_by_the_cache_keeps_the_content_type(varnish: Varnish, origin: Origin) -> None:
    """Varnish takes it from the 304, to which API Gateway adds one where there is none."""
    fetched = varnish.ask("/")
    varnish.ask("/", "OUTDATE")
    validated = varnish.ask("/")
    assert origin.statuses == [200, 304]
    for name in ("Content-Type", "ETag", "Last-Modified"):
        assert validated.headers[name] == fetched.headers[name]


@pytest.mark.usefixtures("service")
def test_error_is_not_kept(varnish: Varnish, origin: Origin) -> None:
    """Varnish names two requests in X-Varnish where it answers from what it has kept."""
    answers = [varnish.ask("/tags") for _ in range(2)]
    assert [answer.status for answer in answers] == [503, 503]
    assert [len(answer.headers["X-Varnish"].split()) for answer in answers] == [1, 1]
    assert origin.statuses
