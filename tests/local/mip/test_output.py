import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from local.mip_cloud import PASSWORD, MipCloud, MipCloudServer, balances_body
from local.mip_requests import ENDPOINTS
from tests.local.mip.client import Client


def test_nothing_is_printed_unless_verbose(
    client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    client.login()
    client.send("segments")
    client.http.get(client.url + "/nowhere")
    assert capfd.readouterr() == ("", "")


def test_verbose_writes_a_line_per_call_without_anything_secret(
    mip: MipCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    with MipCloudServer(mip, verbose=True) as server:
        client = Client(server.url)
        client.login()
        client.send("segments")
        client.http.close()
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.split()[1:4] for line in err.splitlines()] == [
        ["POST", ENDPOINTS["login"].path, "200"],
        ["GET", ENDPOINTS["segments"].path, "200"],
    ]
    assert client.token is not None
    assert client.token not in err
    assert PASSWORD not in err


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


def test_the_module_runs_alone_says_where_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "local.mip_cloud", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.split(",")[0].rpartition(" ")[2]
        client = Client(url)
        client.login()
        client.http.close()
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert PASSWORD not in first + rest


def test_the_command_line_says_which_port_is_taken(server: MipCloudServer) -> None:
    command = [sys.executable, "-m", "local.mip_cloud", "--port", str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {server.port} " in done.stderr
    assert "Traceback" not in done.stderr
