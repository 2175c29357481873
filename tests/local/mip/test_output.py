import socket
import threading

import pytest

from local.mip import Fault, MipCloud, MipCloudServer
from local.mip.calls import ENDPOINTS
from tests.local.mip.client import Client
from tests.local.toy_stack import eventually


def test_nothing_is_printed(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.login()
    client.send("segments")
    client.http.get(client.url + "/nowhere")
    assert capfd.readouterr() == ("", "")


def test_a_call_that_hangs_ends_when_its_client_has_gone(
    client: Client, mip: MipCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    client.login()
    mip.set_fault("segments", Fault(kind="timeout", seconds=3600))
    serving: list[threading.Thread] = []
    mip.on_call = lambda _: serving.append(threading.current_thread())
    lines = (
        f"GET {ENDPOINTS['segments'].path} HTTP/1.1",
        "Host: localhost",
        f"Authorization-Token: {client.token}",
        "",
        "",
    )
    with socket.create_connection(("127.0.0.1", int(client.url.rpartition(":")[2]))) as raw:
        raw.sendall("\r\n".join(lines).encode())
        assert eventually(lambda: serving)
    serving[0].join(5)
    assert not serving[0].is_alive()
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
        lines = (f"POST {ENDPOINTS['login'].path} HTTP/1.1", "Host: localhost", header, "", "")
        raw.sendall("\r\n".join(lines).encode())
        with raw.makefile("rb") as reply:
            assert reply.read().startswith(f"HTTP/1.1 {status} ".encode())
