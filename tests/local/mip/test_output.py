import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from local.mip import Fault, MipCloudServer
from local.mip.calls import ENDPOINTS
from tests.local.mip.client import Client
from tests.local.toy_stack import eventually


def sent(client: Client, call: str, header: str) -> socket.socket:
    """A connection on which one request was sent."""
    connection = socket.create_connection(("127.0.0.1", int(client.url.rpartition(":")[2])), 5)
    lines = (f"{' '.join(ENDPOINTS[call])} HTTP/1.1", "Host: localhost", header, "", "")
    connection.sendall("\r\n".join(lines).encode())
    return connection


def serving(client: Client) -> list[threading.Thread]:
    """The threads that serve the calls which are to come."""
    threads: list[threading.Thread] = []
    client.mip.on_call = lambda _: threads.append(threading.current_thread())
    return threads


def test_nothing_is_printed(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.login()
    client.statuses("segments")
    client.http.get(client.url + "/nowhere")
    assert capfd.readouterr() == ("", "")


def test_a_call_that_hangs_ends_when_its_client_has_gone(
    client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.mip.set_fault("segments", Fault(kind="timeout"))
    threads = serving(client)
    with sent(client, "segments", "Accept: */*"):
        assert eventually(lambda: threads)
    threads[0].join(5)
    assert not threads[0].is_alive()
    assert capfd.readouterr().err == ""


def test_stopping_the_server_releases_the_calls_that_hang(client: Client) -> None:
    client.mip.set_fault("login", Fault(kind="timeout"))
    threads = serving(client)
    with ThreadPoolExecutor(1) as pool:
        with MipCloudServer(client.mip) as server:
            pending = pool.submit(Client(server).try_login)
            assert eventually(lambda: threads)
        with pytest.raises(requests.ConnectionError):
            pending.result(timeout=5)
    threads[0].join(5)
    assert not threads[0].is_alive()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: x", 411),
        (f"Content-Length: {2**40}", 413),
    ],
)
def test_a_body_without_a_usable_length_is_refused_and_the_connection_closed(
    client: Client, header: str, status: int
) -> None:
    with sent(client, "login", header) as connection, connection.makefile("rb") as reply:
        assert reply.read().startswith(f"HTTP/1.1 {status} ".encode())
