"""What the buttons do to the whole service, and what those who watch see of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.model.datasets import KINDS
from local.control_room.actions import ACTIONS
from local.control_room.faults import PRESETS
from local.mip import Fault
from tests.local.control_room.watching import Watching


def is_quiet(state: Any) -> bool:
    idle = {"visible": 0, "in_flight": 0}
    return state["status"]["queue"] == idle and not state["running"]["worker"]


def is_empty(state: Any) -> bool:
    status = state["status"]
    purged = {entry["state"] for entry in status["entries"]} <= {"purged"}
    return purged and not (status["missing"] or status["dead_letters"] or state["mip"]["active"])


def programs_are(freshness: str, state: Any) -> bool:
    return ("programs", freshness) in [
        (entry["dataset"], entry["state"]) for entry in state["status"]["entries"]
    ]


def errors(state: Any) -> list[str]:
    """What fails, where there is an entry and where there is none."""
    shown = [*state["status"]["entries"], *state["status"]["missing"]]
    return [found["last_error"]["error_type"] for found in shown if found["last_error"]]


def held_back(state: Any) -> list[Any]:
    messages = state["status"]["messages"]
    return [each for each in messages if each["held_until"] and not each["at_work"]]


def one_letter(room: Watching, but: str = "") -> Any:
    def is_there(state: Any) -> bool:
        found = state["status"]["letters"]
        return len(found) == 1 and found[0]["message_id"] != but

    return room.until(is_there)["status"]["letters"][0]


@pytest.fixture
def room(service: Watching) -> Iterator[Watching]:
    """A stack at rest, with a purged cache and a healthy MIP Cloud."""
    service.act("release")
    service.until(is_quiet)
    service.act("discard", all=True)
    service.act("purge")
    service.until(is_empty)
    service.events.clear()
    yield service
    service.act("heal")


def test_a_cold_read_is_shown_with_what_it_took(room: Watching) -> None:
    answer = room.act("read", route="/tags", query="limit=1")
    assert (answer["request"], answer["status"]) == ("GET /tags?limit=1", 200)
    assert answer["headers"]["Cache-Status"] == "mips-cache; fwd=uri-miss; stored"
    assert answer["seconds"] > 0
    assert json.loads(answer["preview"]) == ["No Program / 000000"]
    assert room.until_event("asked for a rebuild")["passes"] == ["reader-queue"]
    room.until_event("logged in to MIP Cloud")
    room.until_event("GET /tags → 200")
    state = room.until(lambda state: programs_are("fresh", state))
    assert state["mip"]["counters"]["logins"] >= 1


def test_balances_are_read_with_a_signature_unless_one_is_given(service: Watching) -> None:
    answer = service.act("read", route="/balances")
    assert answer["status"] == 200
    assert "--aws-sigv4 aws:amz:us-east-1:execute-api --user test:test" in answer["curl"]
    assert answer["preview"].startswith("AccountNumber,")
    answer = service.act("read", route="/balances", headers="authorization: Basic x")
    assert (answer["status"], "sigv4" in answer["curl"]) == (403, False)


@pytest.mark.parametrize(
    ("query", "status", "request_line"),
    [
        ("limit=-1", 400, "GET /tags?limit=-1"),
        ("?limit=1&q=a b#ü&x", 200, "GET /tags?limit=1&q=a+b%23%C3%BC&x="),
        ("%zz\r\nX: y", 200, "GET /tags?%25zz%0D%0AX%3A+y="),
    ],
)
def test_any_parameters_are_sent_and_what_the_api_makes_of_them_is_shown(
    service: Watching, query: str, status: int, request_line: str
) -> None:
    answer = service.act("read", route="/tags", query=query)
    assert (answer["status"], answer["request"]) == (status, request_line)


def test_a_client_that_has_the_answer_already_is_told_so(service: Watching) -> None:
    etag = service.act("read", route="/tags")["headers"]["ETag"]
    headers = f"If-None-Match: {etag}\n\nPrefer: wait=0"
    answer = service.act("read", route="/tags", headers=headers)
    assert (answer["status"], answer["preview"]) == (304, "")
    options = f"-H 'If-None-Match: {etag}' -H 'Prefer: wait=0'"
    assert answer["curl"] == f"curl -i {options} {service.stack.api_url}/tags"


def test_an_expired_entry_is_stale_and_the_next_read_has_it_rebuilt(room: Watching) -> None:
    room.act("read", route="/tags")
    assert room.act("expire", dataset="programs")["count"] == 1
    room.until_event("soft purge programs: 1 entry marked stale")
    room.until(lambda state: programs_are("stale", state))
    assert "; hit; ttl=-" in room.act("read", route="/tags")["headers"]["Cache-Status"]
    room.until(lambda state: programs_are("fresh", state))


def test_a_poison_message_is_dead_lettered_redriven_and_discarded(room: Watching) -> None:
    room.act("poison")
    letter = one_letter(room)
    assert (letter["error_type"], "budgets" in letter["body"]) == ("InvalidMessageError", True)
    assert room.act("redrive", message_id=letter["message_id"])["count"] == 1
    again = one_letter(room, but=letter["message_id"])
    assert room.act("discard", message_id=again["message_id"])["count"] == 1
    room.until(lambda state: state["status"]["letters"] == [])


def test_a_fault_ends_those_that_it_excludes_and_leaves_the_others(room: Watching) -> None:
    for name in ("slow", "shrunk_list", "bad_credentials"):
        assert room.act("fault", name=name) == {"name": name, "ended": []}
    assert room.look()["mip"]["active"] == ["slow", "bad_credentials", "shrunk_list"]
    assert room.act("fault", name="down")["ended"] == ["bad_credentials", "shrunk_list"]
    assert room.look()["mip"]["active"] == ["down", "slow"]
    room.act("heal", name="slow")
    assert room.act("fault", name="shrunk_list")["ended"] == ["down"]
    assert room.look()["mip"]["active"] == ["shrunk_list"]
    assert list(room.mip.state()["faults"]) == ["accounts"]


def test_what_is_set_by_other_means_is_told_too_and_healed(room: Watching) -> None:
    room.act("fault", name="down")
    room.mip.set_fault("accounts", Fault("status", status=500))
    room.mip.set_latency(1.5, "logout")
    mip = room.look()["mip"]
    assert mip["active"] == []
    told = ["login has the fault refuse.", "accounts has the fault status."]
    assert {*told, "logout takes 1.5 s longer."} < set(mip["others"])
    room.act("heal")
    assert room.look()["mip"]["others"] == []


def test_a_message_that_is_held_back_is_shown_and_released(room: Watching) -> None:
    room.mip.set_fault("accounts", Fault("status", status=418))
    room.act("refresh", dataset="programs")
    [held] = held_back(room.until(held_back))
    assert (held["receives"], json.loads(held["body"])["dataset"]) == (1, "programs")
    room.act("heal")
    assert room.act("release") == {"count": 1}
    room.until(lambda state: is_quiet(state) and programs_are("fresh", state))


def test_a_shrunk_list_that_is_accepted_waits_for_no_message_that_is_held_back(
    room: Watching,
) -> None:
    room.act("read", route="/tags")
    room.act("fault", name="shrunk_list")
    room.act("fault", name="locked_out")
    room.act("refresh", dataset="programs")
    room.until(held_back)  # for three minutes
    room.act("heal", name="locked_out")
    assert room.act("accept_shrink", dataset="programs")["count"] == 1
    room.until(lambda state: is_quiet(state) and not errors(state))


def test_a_rebuild_has_a_timeline_and_its_lines(room: Watching) -> None:
    room.act("refresh", dataset="programs")
    number = room.until_event("stored programs")["rebuild"]
    state = room.until(lambda state: state["rebuilds"][0]["seconds"] is not None)
    rebuild = state["rebuilds"][0]
    assert (rebuild["number"], rebuild["asked"], rebuild["attempt"]) == (number, ["programs"], 1)
    names = [step["name"] for step in rebuild["steps"]]
    assert names == ["login", "segments", "accounts", "store", "logout"]
    assert sum(step["seconds"] for step in rebuild["steps"]) <= rebuild["seconds"]
    lines = [event["source"] for event in room.events if event["rebuild"] == number]
    assert {"worker", "mip"} == set(lines)


def test_refused_credentials_are_dead_lettered_and_good_once_stored_anew(room: Watching) -> None:
    room.act("fault", name="bad_credentials")
    assert room.act("read", route="/tags")["status"] == 503
    room.until_event("answered 401 at login (fault: status)")
    assert one_letter(room)["error_type"] == "CredentialsRefusedError"
    assert errors(room.until(errors)) == ["CredentialsRefusedError"]
    room.act("heal")
    room.act("store_credentials")
    room.act("redrive", all=True)
    room.until(lambda state: programs_are("fresh", state))


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("nonsense", {}, f"action must be one of {', '.join(ACTIONS)}"),
        ("", {}, "action must be one of read, "),
        ("read", {"route": "/nowhere"}, "route must be one of "),
        ("read", {"route": ["/tags"]}, "route must be one of "),
        ("read", {"route": "/tags", "query": {"limit": 1}}, "query must be a text"),
        ("read", {"route": "/tags", "headers": "Prefer"}, "headers must be lines"),
        ("read", {"route": "/tags", "headers": "a b: c"}, "headers must be lines"),
        ("read", {"route": "/tags", "headers": "Name: ü"}, "headers must be lines"),
        ("read", {"path": "/tags"}, "read takes route, query, headers; not path"),
        ("expire", {}, f"dataset must be one of {', '.join(KINDS)}"),
        ("purge", {"dataset": "budgets"}, "dataset must be one of programs, balances, all"),
        ("discard", {"message_id": "nobody's"}, "no dead letter has this message_id"),
        ("poison", {"body": "x"}, "poison takes no arguments; not body"),
        ("fault", {}, f"name must be one of {', '.join(PRESETS)}"),
        ("heal", {"name": "cold"}, f"name must be one of {', '.join(PRESETS)}"),
    ],
)
def test_a_bad_argument_is_told_what_is_allowed(
    service: Watching, name: str, arguments: dict[str, Any], problem: str
) -> None:
    status, told = service.press(name, **arguments)
    assert (status, told["status"]) == (400, 400)
    assert problem in told["detail"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 50_000])
def test_a_body_that_is_no_json_object_is_a_400(service: Watching, body: bytes) -> None:
    path = "/_local/actions/poison"
    response, told = service.ask("POST", path, body, Content_Type="application/json")
    assert (response.status, "JSON" in json.loads(told)["detail"]) == (400, True)
