"""Whatever comes in: no exception, no stack trace to a caller, no poisoned entry."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.commands import parse_command
from core.datasets import PROGRAM_LISTS, entry_key
from core.entry import encode
from core.errors import InvalidCommandError
from core.lookup import Lookup
from core.settings import ReaderSettings
from handlers.proxy import parse_request
from handlers.reader import respond
from handlers.wiring.reader import Reader
from tests.builders import PREFIX, TODAY, make_entry
from tests.fakes import FakeClock, InMemoryStore, RecordingQueue, RecordingTelemetry
from tests.reliability.world import World

BUDGET = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
STATUSES = {200, 304, 400, 404, 405, 503}
NAMES = (
    "show_inactive_codes",
    "show_other_code",
    "hide_no_program_code",
    "priority_codes",
    "limit",
    "target_date",
    "unknown",
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "no", "OFF", "0", "1", "-1", "999999999999999999999", "2026-02-30"]),
    st.dates().map(str),
    st.lists(st.from_regex(r"[0-9A-Za-z]{0,8}", fullmatch=True), max_size=4).map(",".join),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.sampled_from(["If-None-Match", "Prefer", "prefer", "Accept", "X"]), st.text(max_size=30)
)


def make_reader(store: InMemoryStore) -> Reader:
    clock = FakeClock()
    telemetry: Any = RecordingTelemetry()
    lookup = Lookup(
        store=store,
        queue=RecordingQueue(clock),
        telemetry=telemetry,
        clock=clock,
        sleep=clock.sleep,
        cache_prefix=PREFIX,
    )
    environment = {
        "CACHE_BUCKET": "b",
        "REBUILD_QUEUE_URL": "https://queue",
        "MISS_WAIT_SECONDS": "0",
    }
    return Reader(ReaderSettings.from_environment(environment), lookup, telemetry)


def check(response: dict[str, Any]) -> None:
    assert response["statusCode"] in STATUSES
    json.dumps(response, ensure_ascii=False).encode()
    if response["statusCode"] >= 400 and response["body"]:
        problem = json.loads(response["body"])
        assert set(problem) == {"type", "title", "status", "detail"}
        assert "Traceback" not in response["body"]


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
@given(
    path=st.sampled_from(["/accounts", "/tags", "/balances", "/", "", "//"]) | st.text(max_size=9),
    method=st.sampled_from(["GET", "HEAD", "POST", ""]),
    parameters=st.dictionaries(st.sampled_from(NAMES), VALUES),
    headers=HEADERS,
)
@BUDGET
def test_any_request_gets_a_documented_answer(
    is_warm: bool, path: str, method: str, parameters: dict[str, str], headers: dict[str, str]
) -> None:
    store = InMemoryStore()
    if is_warm:
        store.put(entry_key(PREFIX, PROGRAM_LISTS), encode(make_entry()))
    event = {
        "path": path,
        "httpMethod": method,
        "queryStringParameters": parameters,
        "headers": headers,
    }
    check(respond(parse_request(event, "id"), make_reader(store)))


@given(event=st.dictionaries(st.sampled_from(["path", "httpMethod", "headers", "x"]), JSON))
@BUDGET
def test_any_event_gets_a_documented_answer(event: dict[str, Any]) -> None:
    check(respond(parse_request(event, "id"), make_reader(InMemoryStore())))


ENTRY = json.loads(encode(make_entry()))
NEAR_ENTRIES = st.dictionaries(st.sampled_from([*ENTRY, "x"]), JSON).map(
    lambda changes: json.dumps(ENTRY | changes).encode()
)


BODIES = st.binary(max_size=60) | NEAR_ENTRIES | JSON.map(lambda value: json.dumps(value).encode())


@given(body=BODIES)
@BUDGET
def test_any_stored_object_is_served_whole_or_not_at_all(body: bytes) -> None:
    store = InMemoryStore()
    store.put(entry_key(PREFIX, PROGRAM_LISTS), body)
    request = parse_request({"path": "/tags", "httpMethod": "GET"}, "id")
    reader = make_reader(store)
    response = respond(request, reader)
    check(response)
    if response["statusCode"] == 200:
        assert all(isinstance(tag, str) for tag in json.loads(response["body"]))
    store.put(entry_key(PREFIX, PROGRAM_LISTS), encode(make_entry()))
    assert respond(request, reader)["statusCode"] == 200


MESSAGES = st.one_of(
    st.text(max_size=40),
    JSON.map(json.dumps),
    st.fixed_dictionaries(
        {"dataset": st.sampled_from(["programs", "balances", "all", "x", None])},
        optional={
            "from": VALUES,
            "to": VALUES,
            "reason": JSON,
            "accept_shrink": JSON,
            "correlation_id": JSON,
            "other": JSON,
        },
    ).map(json.dumps),
)


@given(body=MESSAGES)
@BUDGET
def test_any_message_ends_satisfied_or_dead_lettered(body: str) -> None:
    """`World.deliver` looks at what became of each message that left the queue."""
    world = World(readers=1)
    world.queue.send_again(body, "id")
    assert world.deliver() == 1
    assert world.queue.depth().in_flight == 0
    for letter in world.dead_letters.letters:
        assert letter.body == body
        assert letter.attributes["ErrorType"] == "InvalidMessageError"


PAYLOADS = JSON | st.fixed_dictionaries(
    {"action": st.sampled_from(["status", "purge", "refresh", "redrive", "discard", "x"])},
    optional={
        "dataset": st.sampled_from(["programs", "balances", "all", 1]) | JSON,
        "from": VALUES | JSON,
        "to": VALUES | JSON,
        "soft": JSON,
        "dry_run": JSON,
        "limit": JSON,
        "message_id": JSON,
        "all": JSON,
    },
)


@given(payload=PAYLOADS)
@BUDGET
def test_any_admin_payload_is_understood_or_refused_with_the_choices(payload: object) -> None:
    try:
        command: object = parse_command(payload, TODAY)
    except InvalidCommandError as exc:
        command = str(exc)
    assert command
