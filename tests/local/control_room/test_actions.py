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
    return (
        state["status"]["queue"] == {"visible": 0, "in_flight": 0}
        and not state["running"]["worker"]
    )


def entry(state: dict[str, Any], dataset: str) -> dict[str, Any] | None:
    entries = state["status"]["entries"]
    return next(
        (found for found in entries if found["dataset"] == dataset and found["state"] != "purged"),
        None,
    )


@pytest.fixture
def watching(service: LocalStack) -> Watching:
    """A watcher of a stack that is at rest, with a purged cache and a healthy MIP Cloud."""
    watching = Watching(service)
    act(service, "heal")
    act(service, "release")
    watching.until(is_quiet)
    act(service, "discard", all=True)
    act(service, "purge")
    watching.until(
        lambda state: (
            state["status"]["missing"] == []
            and {found["state"] for found in state["status"]["entries"]} <= {"purged"}
            and state["status"]["dead_letters"] == 0
            and state["mip"]["active"] == []
        )
    )
    watching.events.clear()
    return watching


@pytest.fixture
def disturbed(service: LocalStack) -> Iterator[None]:
    yield
    with contextlib.suppress(OSError):
        act(service, "heal")


def test_a_cold_read_is_shown_with_what_it_took(service: LocalStack, watching: Watching) -> None:
    status, answer = act(service, "read", route="/tags", query="limit=1")
    assert status == 200
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


def test_balances_are_read_with_a_signature(service: LocalStack, watching: Watching) -> None:
    _, answer = act(service, "read", route="/balances")
    assert answer["status"] == 200
    assert "--aws-sigv4 aws:amz:us-east-1:execute-api --user test:test" in answer["curl"]
    assert answer["preview"].startswith("AccountNumber,")
    state = watching.until(lambda state: entry(state, "balances"))
    assert entry(state, "balances")["to"] is not None


@pytest.mark.parametrize(
    ("query", "status", "request_line"),
    [
        ("limit=-1", 400, "GET /tags?limit=-1"),
        ("?limit=1&q=a b#ü&x", 200, "GET /tags?limit=1&q=a+b%23%C3%BC&x="),
        ("%zz\r\nX: y", 200, "GET /tags?%25zz%0D%0AX%3A+y="),
    ],
)
def test_any_parameters_are_sent_and_what_the_api_makes_of_them_is_shown(
    service: LocalStack, query: str, status: int, request_line: str
) -> None:
    told, answer = act(service, "read", route="/tags", query=query)
    assert (told, answer["status"], answer["request"]) == (200, status, request_line)


def test_a_client_that_has_the_answer_already_is_told_so(service: LocalStack) -> None:
    etag = act(service, "read", route="/tags")[1]["headers"]["ETag"]
    headers = f"If-None-Match: {etag}\n\nPrefer: wait=0"
    _, answer = act(service, "read", route="/tags", headers=headers)
    assert (answer["status"], answer["preview"]) == (304, "")
    assert answer["curl"] == (
        f"curl -i -H 'If-None-Match: {etag}' -H 'Prefer: wait=0' {service.api_url}/tags"
    )


def test_a_signature_of_ones_own_replaces_the_made_up_one(service: LocalStack) -> None:
    _, answer = act(service, "read", route="/balances", headers="authorization: Basic x")
    assert answer["status"] == 403
    assert "sigv4" not in answer["curl"]


def test_an_expired_entry_is_stale_and_the_next_read_has_it_rebuilt(
    service: LocalStack, watching: Watching
) -> None:
    act(service, "read", route="/tags")
    assert act(service, "expire", dataset="programs")[1]["count"] == 1
    stale = watching.until(lambda state: is_stale(state, "programs"))
    _, answer = act(service, "read", route="/tags")
    assert "; hit; ttl=-" in answer["headers"]["Cache-Status"]
    until = entry(stale, "programs")["fresh_until"]
    watching.until(
        lambda state: (
            not is_stale(state, "programs") and entry(state, "programs")["fresh_until"] > until
        ),
    )


def is_stale(state: dict[str, Any], dataset: str) -> bool:
    found = entry(state, dataset)
    return found is not None and found["state"] == "stale"


def test_a_refresh_of_everything_fills_the_cache(service: LocalStack, watching: Watching) -> None:
    assert act(service, "refresh")[1]["count"] == 1
    watching.until(
        lambda state: [found["state"] for found in state["status"]["entries"]] == ["fresh"] * 5
    )


def test_a_purge_of_one_entry_leaves_the_others(service: LocalStack, watching: Watching) -> None:
    act(service, "read", route="/tags")
    act(service, "read", route="/balances")
    assert act(service, "purge", dataset="programs")[1]["count"] == 1
    watching.until(lambda state: entry(state, "balances") and not entry(state, "programs"))


def test_a_poison_message_is_dead_lettered_redriven_and_discarded(
    service: LocalStack, watching: Watching
) -> None:
    act(service, "poison")
    letter = one_letter(watching)
    assert letter["error_type"] == "InvalidMessageError"
    assert "budgets" in letter["body"]
    assert act(service, "redrive", message_id=letter["message_id"])[1]["count"] == 1
    again = one_letter(watching, but=letter["message_id"])
    assert act(service, "discard", message_id=again["message_id"])[1]["count"] == 1
    watching.until(lambda state: state["status"]["letters"] == [])


def one_letter(watching: Watching, but: str = "") -> dict[str, Any]:
    def is_there(state: dict[str, Any]) -> bool:
        found = state["status"]["letters"]
        return len(found) == 1 and found[0]["message_id"] != but

    return watching.until(is_there)["status"]["letters"][0]


@pytest.mark.usefixtures("disturbed")
def test_a_fault_ends_those_that_it_excludes_and_leaves_the_others(
    service: LocalStack, watching: Watching
) -> None:
    for name in ("slow", "shrunk_list", "bad_credentials"):
        assert act(service, "fault", name=name)[1] == {"name": name, "ended": []}
    watching.until(
        lambda state: state["mip"]["active"] == ["slow", "bad_credentials", "shrunk_list"]
    )
    ended = act(service, "fault", name="down")[1]["ended"]
    assert ended == ["bad_credentials", "shrunk_list"]
    watching.until(lambda state: state["mip"]["active"] == ["down", "slow"])
    act(service, "heal", name="slow")
    assert act(service, "fault", name="shrunk_list")[1]["ended"] == ["down"]
    state = watching.until(lambda state: state["mip"]["active"] == ["shrunk_list"])
    assert list(state["mip"]["faults"]) == ["accounts"]


@pytest.mark.usefixtures("disturbed")
def test_what_is_set_by_other_means_is_told_too_and_healed(
    service: LocalStack, watching: Watching
) -> None:
    assert isinstance(service.mip, MipCloud)
    act(service, "fault", name="down")
    service.mip.set_fault("accounts", Fault("status", status=500))
    service.mip.set_latency(1.5, "logout")
    state = watching.look()["mip"]
    assert state["active"] == []
    assert "login has the fault refuse." in state["others"]
    assert "accounts has the fault status." in state["others"]
    assert "logout takes 1.5 s longer." in state["others"]
    act(service, "heal")
    assert watching.look()["mip"]["others"] == []


@pytest.mark.usefixtures("disturbed")
def test_a_message_that_is_held_back_is_shown_and_released(
    service: LocalStack, watching: Watching
) -> None:
    act(service, "fault", name="shrunk_list")
    service.mip.set_fault("accounts", Fault("status", status=418))
    act(service, "refresh", dataset="programs")
    [held] = watching.until(held_messages)["status"]["messages"]
    assert (held["receives"], json.loads(held["body"])["dataset"]) == (1, "programs")
    assert act(service, "release")[1] == {"count": 1}
    act(service, "heal")
    watching.until(lambda state: state["status"]["messages"] == [] or held_messages(state, 2))
    act(service, "release")
    watching.until(is_quiet)


def held_messages(state: dict[str, Any], receives: int = 1) -> list[Any]:
    return [
        message
        for message in state["status"]["messages"]
        if message["held_until"] and not message["at_work"] and message["receives"] >= receives
    ]


@pytest.mark.usefixtures("disturbed")
def test_a_shrunk_list_that_is_accepted_waits_for_no_message_that_is_held_back(
    service: LocalStack, watching: Watching
) -> None:
    act(service, "read", route="/tags")
    act(service, "fault", name="shrunk_list")
    act(service, "fault", name="locked_out")
    act(service, "refresh", dataset="programs")
    watching.until(held_messages)  # for three minutes
    act(service, "heal", name="locked_out")
    assert act(service, "accept_shrink", dataset="programs")[1]["count"] == 1
    watching.until(lambda state: is_quiet(state) and not error_of(state, "programs"))


def test_a_rebuild_has_a_timeline_and_its_lines(service: LocalStack, watching: Watching) -> None:
    act(service, "refresh", dataset="programs")
    number = watching.until_event("stored programs")["rebuild"]
    state = watching.until(lambda state: state["rebuilds"][0]["seconds"] is not None)
    rebuild = state["rebuilds"][0]
    assert (rebuild["number"], rebuild["asked"], rebuild["attempt"]) == (number, ["programs"], 1)
    names = [step["name"] for step in rebuild["steps"]]
    assert names == ["login", "segments", "accounts", "store", "logout"]
    assert sum(step["seconds"] for step in rebuild["steps"]) <= rebuild["seconds"]
    lines = [event["source"] for event in watching.events if event["rebuild"] == number]
    assert {"worker", "mip"} == set(lines)


def test_a_purge_names_its_dataset_and_its_result(service: LocalStack, watching: Watching) -> None:
    act(service, "read", route="/tags")
    act(service, "soft_purge", dataset="programs")
    watching.until_event("soft purge programs: 1 entry marked stale")


@pytest.mark.usefixtures("disturbed")
def test_refused_credentials_are_dead_lettered_and_good_once_stored_anew(
    service: LocalStack, watching: Watching
) -> None:
    act(service, "fault", name="bad_credentials")
    assert act(service, "read", route="/tags")[1]["status"] == 503
    watching.until_event("answered 401 at login (fault: status)")
    assert one_letter(watching)["error_type"] == "CredentialsRefusedError"
    state = watching.until(shown_errors)
    assert shown_errors(state) == ["CredentialsRefusedError"]
    act(service, "heal")
    act(service, "store_credentials")
    act(service, "redrive", all=True)
    watching.until(lambda state: entry(state, "programs"))
    assert "; hit" in act(service, "read", route="/tags")[1]["headers"]["Cache-Status"]


def shown_errors(state: dict[str, Any]) -> list[str]:
    """What fails, where there is an entry and where there is none."""
    shown = [*state["status"]["entries"], *state["status"]["missing"]]
    return [found["last_error"]["error_type"] for found in shown if found["last_error"]]


def error_of(state: dict[str, Any], dataset: str) -> dict[str, Any] | None:
    found = entry(state, dataset)
    return found["last_error"] if found else None


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
