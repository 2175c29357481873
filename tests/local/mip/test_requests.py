import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from local.mip import USER, MipCloudServer, balances_body
from local.mip.sample.organisation import sample_organisation
from tests.local.mip.client import Client


@pytest.mark.parametrize("body", [None, [], {"username": USER}, {"username": 1, "password": 2}])
def test_a_login_body_without_its_three_texts_is_answered_400(client: Client, body: Any) -> None:
    assert client.send("login", body).status_code == 400


def broken_bodies() -> Iterator[Any]:
    good = json.dumps(balances_body("2026-10-01", "2026-10-31"))
    for old, new in [
        ('"DISPBAL_DATEFROM"', '"DATEFROM"'),
        ('"2026-10-01"', '"01/10/2026"'),
        ('"2026-10-01"', "20261001"),
        ('"2026-10-31"', '"2026-09-30"'),
        ('"2026-10-01"', '"1989-10-01"'),
        ('"FILTER_ITEM": "GL"', '"FILTER_ITEM": "Program"'),
        ('"FILTER_ORDER": -1', '"FILTER_ORDER": "-1"'),
        ('"FILTER_SELECT": true', '"FILTER_SELECT": 1'),
        ('{"FILTER_FIX": false}, ', ""),
        ('{"FILTER_CRITERIA2": ""}', '{"FILTER_CRITERIA2": ""}, {"FILTER_CRITERIA3": ""}'),
        ('{\\"level\\":1}', '{\\"level\\":2}'),
        ('"constructor": {}', '"constructor": {"a": 1}'),
        ('"strJson"', '"strjson"'),
    ]:
        assert old in good
        yield pytest.param(json.loads(good.replace(old, new)), id=f"{old} -> {new}")
    yield None
    yield []


@pytest.mark.parametrize("body", list(broken_bodies()))
def test_a_balances_body_of_another_shape_is_answered_400_with_a_message(
    client: Client, body: Any
) -> None:
    client.login()
    reply = client.send("balances", body)
    assert reply.status_code == 400
    assert reply.json()["message"]


def test_balances_are_those_of_the_period_in_the_body(client: Client) -> None:
    client.login()
    for start, end in (("2026-10-01", "2026-10-31"), ("1999-12-01", "1999-12-31")):
        records = client.balances(start, end).json()["extraInformation"]["Level1"]
        assert {r["DBDETAIL_SUM_FROMDATE"] for r in records} == {start}
        assert {r["DBDETAIL_SUM_THRUDATE"] for r in records} == {end}


def test_the_replies_are_those_of_the_sample_organisation(client: Client) -> None:
    client.login()
    organisation = sample_organisation()
    assert client.send("segments").json() == organisation.segments()
    assert client.send("accounts").json() == organisation.accounts()


def test_the_server_listens_on_loopback_only(server: MipCloudServer) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", server.port), timeout=1).close()
