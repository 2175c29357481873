import json
import socket
from datetime import date
from typing import Any

import pytest

from local.mip import USER, balances_body
from local.mip.replies import to_json
from local.mip.sample.organisation import sample_organisation
from tests.local.mip.client import Client


@pytest.mark.parametrize("body", [None, {"username": USER}, {"username": 1, "password": 2}])
def test_a_login_body_without_its_three_texts_is_answered_400(client: Client, body: Any) -> None:
    assert client.send("login", body).status_code == 400


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"DISPBAL_DATEFROM"', '"DATEFROM"', "must hold DISPBAL_DATEFROM"),
        ('"2026-10-01"', '"01/10/2026"', "(YYYY-MM-DD)"),
        ('"2026-10-01"', "20261001", "(YYYY-MM-DD)"),
        ('"2026-10-31"', '"2026-09-30"', "end before it starts"),
        ('"2026-10-01"', '"1989-12-01"', "begin on 1990-01-01"),
        ('"FILTER_ITEM": "GL"', '"FILTER_ITEM": "Program"', "not the one"),
        ('"FILTER_SELECT": true', '"FILTER_SELECT": 1', "not the one"),
        ('{"FILTER_FIX": false}, ', "", "not the one"),
        ('"constructor": {}', '"constructor": {"a": 1}', "not the one"),
        ('{\\"level\\":1}', '{\\"level\\":2}', "not the one"),
        ('"strJson"', '"strjson"', "must hold"),
        (None, "null", "must hold"),
    ],
)
def test_a_balances_body_that_mip_would_not_take_is_answered_400_with_what_is_wrong(
    client: Client, old: str | None, new: str, problem: str
) -> None:
    client.login()
    good = json.dumps(balances_body("2026-10-01", "2026-10-31"))
    assert (old or good) in good
    reply = client.send("balances", json.loads(good.replace(old or good, new)))
    assert reply.status_code == 400
    assert problem in reply.json()["message"]


def test_the_replies_are_those_of_the_sample_organisation(client: Client) -> None:
    client.login()
    organisation = sample_organisation()
    assert client.send("segments").json() == organisation.segments()
    assert client.send("accounts").json() == organisation.accounts()
    december = date(1999, 12, 1), date(1999, 12, 31)
    reply = client.balances(*map(str, december))
    assert reply.text == to_json(organisation.balances(*december))


def test_the_server_listens_on_loopback_only(client: Client) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", int(client.url.rpartition(":")[2])), 1).close()
