"""What the buttons do to the whole service, and what those who watch see of it."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.model.datasets import KINDS
from local.control_room.actions import ACTIONS
from local.control_room.faults import PRESETS
from local.mip import Fault, MipCloud
from local.stack import LocalStack
from tests.local.control_room.watching import Watching, act, request


def is_quiet(state: dict[str, Any]) -> bool:
    nothing = {"visible": 0, "in_flight": 0}
    return state["status"]["queue"] == nothing and not state["running"]["worker"]


def is_empty(state: dict[str, Any]) -> bool:
    status = state["status"]
    return (
        status["missing"] == []
        and {found["state"] for found in status["entries"]} <= {"purged"}
        and status["dead_letters"] == 0
        and state["mip"]["active"] == []
    )


def entry(state: dict[str, Any], dataset: str) -> dict[str, Any] | None:
    entries = (found for found in state["status"]["entries"] if found["state"] != "purged")
    return next((found for found in entries if found["dataset"] == dataset), None)


@pytest.fixture
def watching(service: LocalStack) -> Iterator[Watching]:
    """A watcher of a stack that is at rest, with a purged cache and a healthy MIP Cloud."""
    watching = Watching(service)
    watching.act("heal")
    watching.act("release")
    watching.until(is_quiet)
    watching.act("discard", all=True)
    watching.act("purge")
    watching.until(is_empty)
    watching.events.clear()
    yield watching
    with contextlib.suppress(OSError):
        watching.act("heal")


def test_a_cold_read_is_shown_with_what_it_took(watching: Watching) -> None:
    answer = watching.act("read", route="/tags", query="limit=1")
    assert (answer["request"], answer["status"]) == ("GET /tags?limit=1", 200)
    assert answer["headers"]["Cache-Status"] == "mips-cache; fwd=uri-miss; stored"
    assert answer["seconds"] > 0
    assert json.loads(answer["preview"]) == ["No Program / 000000"]
    told = watching.until_event("asked for a rebuild")
    assert told["passes"] == ["reader-queue"]
    watching.until_event("logged in to MIP Cloud")
    watching.until_event("GET /tags → 200")
    state = watching.until(lambda state: entry(state, "programs"))
    assert entry(state, "programs")["state"] == "fresh"
    assert state["mip"]["counters"]["logins"] >= 1


def test_balances_are_read_with_a_signature_unless_one_is_given(watching: Watching) -> None:
    answer = watching.act("read", route="/balances")
    assert answer["status"] == 200
    assert "--aws-sigv4 aws:amz:us-east-1:execute-api --user test:test" in answer["curl"]
    assert answer["preview"].startswith("AccountNumber,")
    state = watching.until(lambda state: entry(state, "balances"))
    assert entry(state, "balances")["to"] is not None
    answer = watching.act("read", route="/balances", headers="authorization: Basic x")
    assert answer["status"] == 403
    assert "sigv4" not in answer["curl"]


@pytest.mark.parametrize(
    ("query", "status", "request_line"),
    [
        ("limit=-1", 400, "GET /tags?limit=-1"),
        ("?limit=1&q=a b#ü&x", 200, "GET /tags?limit=1&q=a+b%23%C3%BC&x="),
        ("%zz\r\nX: y", 200, "GET /tags?%25zz%0D%0AX%3A+y="),
    ],
)
def test_any_parameters_are_sent_and_what_the_api_makes_of_them_is_shown(
    watching: Watching, query: str, status: int, request_line: str
) -> None:
    answer = watching.act("read", route="/tags", query=query)
    assert (answer["status"], answer["request"]) == (status, request_line)


def test_a_client_that_has_the_answer_already_is_told_so(watching: Watching) -> None:
    etag = watching.act("read", route="/tags")["headers"]["ETag"]
    headers = f"If-None-Match: {etag}\n\nPrefer: wait=0"
    answer = watching.act("read", route="/tags", headers=headers)
    assert (answer["status"], answer["preview"]) == (304, "")
    sent = f"-H 'If-None-Match: {etag}' -H 'Prefer: wait=0'"
    assert answer["curl"] == f"curl -i {sent} {watching.stack.api_url}/tags"


def test_entries_are_refreshed_expired_and_purged(watching: Watching) -> None:
    def states(state: dict[str, Any]) -> list[str]:
        return [found["state"] for found in state["status"]["entries"]]

    assert watching.act("refresh")["count"] == 1
    watching.until(lambda state: states(state) == ["fresh"] * 5)
    assert watching.act("expire", dataset="programs")["count"] == 1
    watching.until(lambda state: sorted(states(state)) == ["fresh"] * 4 + ["stale"])
    answer = watching.act("read", route="/tags")
    assert "; hit; ttl=-" in answer["headers"]["Cache-Status"]
    watching.until(lambda state: states(state) == ["fresh"] * 5)
    assert watching.act("purge", dataset="programs")["count"] == 1
    watching.until(lambda state: sorted(states(state)) == ["fresh"] * 4 + ["purged"])


def test_a_poison_message_is_dead_lettered_redriven_and_discarded(watching: Watching) -> None:
    watching.act("poison")
    letter = one_letter(watching)
    assert letter["error_type"] == "InvalidMessageError"
    assert "budgets" in letter["body"]
    assert watching.act("redrive", message_id=letter["message_id"])["count"] == 1
    again = one_letter(watching, but=letter["message_id"])
    assert watching.act("discard", message_id=again["message_id"])["count"] == 1
    watching.until(lambda state: state["status"]["letters"] == [])


def one_letter(watching: Watching, but: str = "") -> dict[str, Any]:
    def is_there(state: dict[str, Any]) -> bool:
        found = state["status"]["letters"]
        return len(found) == 1 and found[0]["message_id"] != but

    return watching.until(is_there)["status"]["letters"][0]


def test_a_fault_ends_those_that_it_excludes_and_leaves_the_others(watching: Watching) -> None:
    for name in ("slow", "shrunk_list", "bad_credentials"):
        assert watching.act("fault", name=name) == {"name": name, "ended": []}
    watching.until(
        lambda state: state["mip"]["active"] == ["slow", "bad_credentials", "shrunk_list"]
    )
    ended = watching.act("fault", name="down")["ended"]
    assert ended == ["bad_credentials", "shrunk_list"]
    watching.until(lambda state: state["mip"]["active"] == ["down", "slow"])
    watching.act("heal", name="slow")
    assert watching.act("fault", name="shrunk_list")["ended"] == ["down"]
    state = watching.until(lambda state: state["mip"]["active"] == ["shrunk_list"])
    assert list(state["mip"]["faults"]) == ["accounts"]


def test_what_is_set_by_other_means_is_told_too_and_healed(watching: Watching) -> None:
    assert isinstance(watching.stack.mip, MipCloud)
    watching.act("fault", name="down")
    watching.stack.mip.set_fault("accounts", Fault("status", status=500))
    watching.stack.mip.set_latency(1.5, "logout")
    state = watching.look()["mip"]
    assert state["active"] == []
    assert "login has the fault refuse." in state["others"]
    assert "accounts has the fault status." in state["others"]
    assert "logout takes 1.5 s longer." in state["others"]
    watching.act("heal")
    assert watching.look()["mip"]["others"] == []


def is_held_back(state: dict[str, Any]) -> bool:
    messages = state["status"]["messages"]
    return any(message["held_until"] and not message["at_work"] for message in messages)


def test_accepting_a_shrunk_list_waits_for_no_message_that_is_held_back(
    watching: Watching,
) -> None:
    watching.act("read", route="/tags")
    watching.act("fault", name="shrunk_list")
    watching.act("fault", name="locked_out")
    watching.act("refresh", dataset="programs")
    watching.until(is_held_back)  # for three minutes
    watching.act("heal", name="locked_out")
    assert watching.act("accept_shrink", dataset="programs")["count"] == 1
    watching.until(lambda state: is_quiet(state) and not shown_errors(state))


def test_refused_credentials_are_dead_lettered_and_good_once_stored_anew(
    watching: Watching,
) -> None:
    watching.act("fault", name="bad_credentials")
    assert watching.act("read", route="/tags")["status"] == 503
    watching.until_event("answered 401 at login (fault: status)")
    assert one_letter(watching)["error_type"] == "CredentialsRefusedError"
    state = watching.until(shown_errors)
    assert shown_errors(state) == ["CredentialsRefusedError"]
    watching.act("heal")
    watching.act("store_credentials")
    watching.act("redrive", all=True)
    watching.until(lambda state: entry(state, "programs"))
    assert "; hit" in watching.act("read", route="/tags")["headers"]["Cache-Status"]


def shown_errors(state: dict[str, Any]) -> list[str]:
    """What fails, where there is an entry and where there is none."""
    shown = [*state["status"]["entries"], *state["status"]["missing"]]
    return [found["last_error"]["error_type"] for found in shown if found["last_error"]]


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("nonsense", {}, f"action must be one of {', '.join(ACTIONS)}"),
        ("", {}, "action must be one of read, "),
        ("read", {}, "route must be one of "),
        ("read", {"route": "/nowhere"}, "route must be one of "),
        ("read", {"route": ["/tags"]}, "route must be one of "),
        ("read", {"route": "/tags", "query": {"limit": 1}}, "query must be a text"),
        ("read", {"route": "/tags", "headers": "Prefer"}, "headers must be lines"),
        ("read", {"route": "/tags", "headers": "a b: c"}, "headers must be lines"),
        ("read", {"route": "/tags", "headers": "Name: ü"}, "headers must be lines"),
        ("read", {"path": "/tags"}, "read takes route, query, headers; not path"),
        ("expire", {}, f"dataset must be one of {', '.join(KINDS)}"),
        ("purge", {"dataset": "budgets"}, "dataset must be one of programs, balances, all"),
        ("purge", {"soft": True}, "purge takes dataset, from, to; not soft"),
        ("refresh", {"dataset": "balances", "from": "x", "to": "y"}, "from and to"),
        ("redrive", {}, "give either message_id"),
        ("discard", {"message_id": "nobody's"}, "no dead letter has this message_id"),
        ("poison", {"body": "x"}, "poison takes no arguments; not body"),
        ("fault", {}, f"name must be one of {', '.join(PRESETS)}"),
        ("heal", {"name": "cold"}, f"name must be one of {', '.join(PRESETS)}"),
    ],
)
def test_a_bad_argument_is_told_what_is_allowed(
    service: LocalStack, name: str, arguments: dict[str, Any], problem: str
) -> None:
    status, told = act(service, name, **arguments)
    assert (status, told["status"]) == (400, 400)
    assert problem in told["detail"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 50_000])
def test_a_body_that_is_no_json_object_is_a_400(service: LocalStack, body: bytes) -> None:
    response, told = request(
        service, "POST", "/_local/actions/poison", body, Content_Type="application/json"
    )
    assert (response.status, "JSON" in json.loads(told)["detail"]) == (400, True)
