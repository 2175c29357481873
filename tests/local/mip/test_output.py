import json
import socket
import threading
import time

import pytest

from local.mip import MipCloud, MipCloudServer, balances_body
from local.mip.calls import ENDPOINTS
from tests.local.mip.client import Client


def test_nothing_is_printed(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.login()
    client.send("segments")
    client.http.get(client.url + "/nowhere")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_goes_away_while_it_waits_disturbs_nobody(
    client: Client, mip: MipCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    mip.set_latency(0.05, "balances")
    client.login()
    arrived = threading.Event()
    mip.on_call = lambda _: arrived.set()
    body = json.dumps(balances_body("2026-10-01", "2026-10-31"))
    request = (
        f"POST {ENDPOINTS['balances'].path} HTTP/1.1",
        f"Authorization-Token: {client.token}",
        f"Content-Length: {len(body)}",
        "",
        body,
    )
    with socket.create_connection(("127.0.0.1", int(client.url.rpartition(":")[2]))) as raw:
        raw.sendall("\r\n".join(request).encode())
        assert arrived.wait(5)
    mip.set_latency(0)
    assert client.send("segments").status_code == 200
    deadline = time.monotonic() + 5
    while len(mip.journal) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert [e.call for e in mip.journal] == ["login", "segments", "balances"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: x", 411),
        (f"Content-Length: {2**40}", 413),
    ],
)
def test_a_body_without_a_usable_length_is_refused_and_the_connection_closed(
    server: MipCloudServer, header: str, status: int
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
        raw.sendall(f"POST {ENDPOINTS['login'].path} HTTP/1.1\r\n{header}\r\n\r\n".encode())
        with raw.makefile("rb") as reply:
            assert reply.read().startswith(f"HTTP/1.1 {status} ".encode())
