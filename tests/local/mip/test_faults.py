import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from core.errors import UpstreamDataError
from core.transform.balances import unbalanced_accounts
from local.mip import ORGANISATION, PASSWORD, USER, Fault, MipCloud, MipCloudServer
from local.mip.calls import ENDPOINTS
from local.mip.faults import RECORD_FIELDS
from local.mip.sample.organisation import sample_organisation
from tests.local.mip.client import Client


def test_a_fault_hits_as_many_calls_as_it_says_or_all_until_it_is_cleared(
    client: Client, mip: MipCloud
) -> None:
    client.login()
    mip.set_fault("segments", Fault(kind="status", times=2))
    assert [client.send("segments").status_code for _ in range(3)] == [503, 503, 200]
    mip.set_fault("segments", Fault(kind="status"))
    assert [client.send("segments").status_code for _ in range(3)] == [503] * 3
    mip.clear_faults("segments")
    assert client.send("segments").status_code == 200


@pytest.mark.parametrize("after", [False, True])
def test_a_faulty_login_opens_a_session_only_if_the_fault_comes_after(
    client: Client, mip: MipCloud, after: bool
) -> None:
    mip.set_fault("login", Fault(kind="status", status=500, after=after))
    assert client.try_login().status_code == 500
    assert mip.open_sessions == int(after)


def test_reset_cuts_the_connection_in_the_middle_of_the_body(client: Client, mip: MipCloud) -> None:
    client.login()
    mip.set_fault("accounts", Fault(kind="reset"))
    reply = client.http.get(
        client.url + ENDPOINTS["accounts"].path,
        headers={"Authorization-Token": client.token or ""},
        stream=True,
    )
    assert reply.status_code == 200
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        reply.content  # noqa: B018 (reads the body)


@pytest.mark.parametrize("after", [False, True])
def test_a_timeout_outlasts_the_client_and_has_its_effect_only_if_it_comes_after(
    client: Client, mip: MipCloud, after: bool
) -> None:
    mip.set_fault("login", Fault(kind="timeout", after=after))
    body = {"username": USER, "password": PASSWORD, "org": ORGANISATION}
    with pytest.raises(requests.ReadTimeout):
        client.send("login", body, timeout=0.05)
    assert mip.open_sessions == int(after)


def test_stopping_the_server_releases_the_calls_that_hang(mip: MipCloud) -> None:
    mip.set_fault("login", Fault(kind="timeout"))
    arrived, threads = threading.Event(), []

    def note(_: str) -> None:
        threads.append(threading.current_thread())
        arrived.set()

    mip.on_call = note
    with ThreadPoolExecutor(1) as pool:
        with MipCloudServer(mip) as server:
            client = Client(server.url)
            pending = pool.submit(client.try_login)
            assert arrived.wait(5)
        with pytest.raises(requests.ConnectionError):
            pending.result(timeout=5)
    threads[0].join(5)
    assert not threads[0].is_alive()


@pytest.fixture
def faulty(client: Client, mip: MipCloud) -> Callable[..., requests.Response]:
    """Make one call under one fault, in an open session."""
    client.login()

    def call(name: str, **fault: Any) -> requests.Response:
        mip.set_fault(name, Fault(**fault))
        return client.anything(name)

    return call


def test_shrink_leaves_out_that_share_of_the_programs_and_nothing_else(
    faulty: Callable[..., requests.Response],
) -> None:
    whole = sample_organisation().accounts()["COA_SEGID"]
    kept = faulty("accounts", kind="shrink", percent=75).json()["COA_SEGID"]
    missing = [record for record in whole if record not in kept]
    assert {record["COA_SEGID"] for record in missing} == {1}
    assert len(missing) == round(0.75 * len(sample_organisation().programs))


@pytest.mark.parametrize(("account", "spoilt"), [(None, "1010"), ("1070", "1070")])
def test_a_fault_spoils_the_account_that_it_names_as_often_as_it_says(
    client: Client, mip: MipCloud, account: str | None, spoilt: str
) -> None:
    client.login()
    mip.set_fault("balances", Fault(kind="unbalanced", account=account, times=1))
    assert [unbalanced_accounts(client.books()) for _ in range(2)] == [[spoilt], []]
    mip.set_fault("balances", Fault(kind="missing_record", account=account))
    with pytest.raises(UpstreamDataError, match="lacks one of its three"):
        client.books()


@pytest.mark.parametrize(
    ("call", "field"), [(call, field) for call, names in RECORD_FIELDS.items() for field in names]
)
def test_missing_field_leaves_that_field_out_of_the_first_record(
    faulty: Callable[..., requests.Response], call: str, field: str
) -> None:
    reply = faulty(call, kind="missing_field", field=field).json()
    records = reply.get("COA_SEGID") or reply["extraInformation"]["Level1"]
    assert [field in record for record in records[:2]] == [False, True]
