"""Whatever comes in: documented answers only, no exception, and nothing that poisons the cache.

The handlers' own functions, over the fakes. Examples are the same in every run.
"""

import json
import math
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import InvalidCommandError
from core.model.datasets import PROGRAM_LISTS, entry_key, failure_key
from core.model.entry import encode
from core.model.failures import encode_failure
from core.model.messages import RebuildMessage
from core.model.selection import Selection
from core.transform.views import CSV_HEADER
from handlers import admin, worker
from tests.builders import (
    NOW,
    OCTOBER_BALANCES,
    PREFIX,
    make_entry,
    make_failure,
    make_stale_entry,
    store_entries,
)
from tests.fakes import RecordingEdge, RecordingTelemetry
from tests.handlers.conftest import Context, event
from tests.wired import WiredReader, WiredWorker, wired_admin

PATHS = ("/accounts", "/tags", "/balances")
PROBLEM = {"type", "title", "status", "detail"}
RECORD = event("worker_programs")["Records"][0]
RECORD["attributes"]["SentTimestamp"] = str(int(NOW.timestamp() * 1000))
REPORT_MESSAGE = RebuildMessage(Selection.of(OCTOBER_BALANCES)).to_body()

fixed_budget = settings(max_examples=150, derandomize=True, database=None, deadline=None)


class HandlersTelemetry(RecordingTelemetry):
    """Takes what the handlers themselves tell, too."""

    def begin(self, *_: object) -> None:
        """Know nothing of invocations."""

    def flush(self) -> None:
        """Hold nothing back."""


class Fakes(WiredReader):
    """The three functions over one set of fakes, at one moment."""

    def __init__(self) -> None:
        super().__init__(miss_wait_seconds=0)
        self.telemetry = HandlersTelemetry()
        self.worker = WiredWorker(self)
        self.admin = wired_admin(self, RecordingEdge())

    def warm(self) -> "Fakes":
        """Hold fresh programs, a stale report and a dead letter."""
        store_entries(self.store, make_entry(), make_stale_entry(OCTOBER_BALANCES))
        self.dead_letters.send("{}", {"ErrorType": "E"}, "m-0", "m-0")
        return self

    def work(self, *bodies: str) -> list[str]:
        """Deliver a batch; returns the bodies that must come back."""
        records = {
            f"m-{number}": {**RECORD, "messageId": f"m-{number}", "body": body}
            for number, body in enumerate(bodies, start=1)
        }
        answer = invoke(worker, self.worker, {"Records": list(records.values())})
        return [records[item["itemIdentifier"]]["body"] for item in answer["batchItemFailures"]]

    def steer(self, payload: object) -> Any:
        return invoke(admin, self.admin, payload)

    def letters(self) -> list[str]:
        return [letter.body for letter in self.dead_letters.letters]

    def state(self) -> tuple[object, ...]:
        """Everything that an operator's command could change."""
        objects, sent = dict(self.store.objects), list(self.queue.sent)
        return objects, sent, self.letters(), self.secrets.token


def invoke(handler: ModuleType, services: object, given: object) -> Any:
    """Invoke a handler with these services; the admin takes "today" from the fakes' clock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, handler.__name__.rpartition(".")[2], lambda: services)
        patch.setattr(admin, "utc_now", lambda: NOW)
        return handler.lambda_handler(given, Context())


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()


def words(*known: str) -> st.SearchStrategy[str]:
    """Known words, and any other text."""
    return st.sampled_from(known) | st.text(max_size=40)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | words("programs", "balances", "all", "2026-10-01", "2026-10-15", "\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def mostly(usual: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> Any:
    """What is usual two times of three, so that the rest of an example gets to matter."""
    return st.one_of(usual, usual, *(others or (json_values,)))


def near(schema: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Objects that have most of the right keys, mostly with right values, and few other ones."""
    optional = {name: mostly(values) for name, values in schema.items()}
    right = st.fixed_dictionaries({}, optional=optional)
    others = st.dictionaries(st.text(max_size=8), json_values, max_size=1)
    return st.builds(
        lambda known, unknown: {**unknown, **known}, right, mostly(st.just({}), others)
    )


# -- the reader ---------------------------------------------------------------

parameter_names = words(
    "show_inactive_codes", "show_other_code", "hide_no_program_code", "priority_codes"
) | words("limit", "target_date")
parameter_values = (
    words("", "no", "OFF", "1", "0", "-1", "9" * 18, "9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}")
    | words("123456, ,345678", "2026-10-01", "2026-10-15", "2000-01-01", "1999-12-31")
    | words("2026-10-1\n")
)
header_names = words("If-None-Match", "If-Modified-Since", "PREFER", "Accept", "Host")
header_values = words(
    "text/html", "*/*;q=x, text/html;q=0.1", "*", "Thu, 15 Oct 2026 12:00:00 GMT"
) | words('W/"x", "y"', "wait=0", "wait=5; x, wait=3", 'wait="9"', "wait=-1", "wait=99999999999")


def singles(names: Any, values: Any) -> Any:
    return mostly(st.none() | st.dictionaries(names, values, max_size=4))


def multiples(names: Any, values: Any) -> Any:
    return singles(names, st.lists(values, max_size=3))


requests = st.fixed_dictionaries(
    {
        "httpMethod": mostly(st.just("GET"), st.sampled_from(["HEAD", "POST", "get"]), json_values),
        "resource": mostly(st.sampled_from([*PATHS, "/"]), json_values),
        "queryStringParameters": singles(parameter_names, parameter_values),
        "multiValueQueryStringParameters": multiples(parameter_names, parameter_values),
        "headers": singles(header_names, header_values),
        "multiValueHeaders": multiples(header_names, header_values),
        "requestContext": mostly(
            st.just({"requestId": "r-1"}),
            st.fixed_dictionaries({"requestTimeEpoch": json_values | st.just(10**400)}),
            json_values,
        ),
    }
)


def check_documented(response: Any, *statuses: int) -> None:
    """Hold a response against what is documented of its status."""
    status, headers, body = response["statusCode"], response["headers"], response["body"]
    assert status in statuses
    body.encode()
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
    if status == 304:
        assert body == ""
        return
    if status != 200:
        assert headers["Cache-Control"] == "no-store"
        assert ("Retry-After" in headers) == (status == 503)
    match headers["Content-Type"]:
        case "text/html; charset=utf-8":
            assert body.startswith("<!doctype html>")
        case "application/problem+json":
            document = json.loads(body)
            assert (document.keys(), document["status"]) == (PROBLEM, status)
        case "text/csv; charset=utf-8":
            assert body.startswith(",".join(CSV_HEADER) + "\r\n")
            assert body.endswith("\r\n")
        case "application/json":
            assert isinstance(json.loads(body), dict | list)
        case other:
            raise AssertionError(other)


WARM, COLD = Fakes().warm(), Fakes()


@fixed_budget
@given(requests)
def test_any_request_gets_a_documented_answer(sample: dict[str, Any]) -> None:
    check_documented(WARM.read(sample), 200, 304, 400, 404, 405, 503)
    check_documented(COLD.read(sample), 400, 404, 405, 503)


def test_what_a_cold_reader_queues_can_be_worked_off() -> None:
    """After whatever requests: no reader can fill the dead-letter queue."""
    fakes = Fakes()
    for path in PATHS:
        fakes.get(path)
    assert fakes.work(*fakes.queue.sent) == fakes.letters() == []
    check_documented(fakes.get("/balances"), 200)


# -- rebuild messages ---------------------------------------------------------

dates = st.sampled_from(["2026-10-01", "2026-10-15", "2026-10-31", "2026-02-29", "1999-12-01"])
period = {"dataset": st.sampled_from(["programs", "balances", "all"]), "from": dates, "to": dates}
texts = {"reason": st.text(max_size=300), "correlation_id": st.text(max_size=300)}
message_objects = near(period | texts | {"accept_shrink": st.booleans()})
bodies = st.text(max_size=60) | (message_objects | json_values).map(json.dumps)


@fixed_budget
@given(st.lists(bodies, min_size=1, max_size=4))
@example(['{"dataset": "programs", "correlation_id": "\\ud800"}', '{"\\ud800": 1}', "[" * 9999])
def test_any_message_is_satisfied_or_dead_lettered_as_it_was(batch: list[str]) -> None:
    fakes = Fakes()
    assert fakes.work(*batch) == []
    letters = fakes.letters()
    satisfied = [body for body in batch if body not in letters]
    assert sorted(letters + satisfied) == sorted(batch)
    for letter in fakes.dead_letters.letters:
        assert letter.attributes["ErrorType"] == "InvalidMessageError"
    for body in satisfied:
        dataset = json.loads(body)["dataset"]
        assert any(f"v1/{dataset}" in key for key in fakes.store.objects) or dataset == "all"
    assert bool(fakes.store.objects) == bool(satisfied)
    assert fakes.upstream.open_token is None


# -- admin payloads -----------------------------------------------------------

switches = {"dry_run": st.booleans(), "soft": st.booleans()}
letter = {"message_id": st.sampled_from(["id-1", "m-0", "", "id-9"]), "all": st.booleans()}
actions: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "status": {},
    "purge": period | switches,
    "refresh": period | {"accept_shrink": st.booleans()},
    "dead_letters": {"limit": st.integers(-1, 1001)},
    "redrive": letter | {"dry_run": st.booleans()},
    "discard": letter,
}
fields = {name: values for fitting in actions.values() for name, values in fitting.items()}
# Few payloads that are drawn freely go together with their action.
payloads = st.one_of(
    json_values,
    near({"action": st.sampled_from(sorted(actions)), **fields}),
    *(
        st.fixed_dictionaries({"action": st.just(action)}, optional=fitting)
        for action, fitting in actions.items()
    ),
)


@fixed_budget
@given(payloads)
def test_any_payload_has_a_result_or_is_refused_and_changes_nothing(payload: object) -> None:
    fakes = Fakes().warm()
    before = fakes.state()
    try:
        result = fakes.steer(payload)
    except InvalidCommandError:
        assert fakes.state() == before
        assert fakes.dead_letters.depth().in_flight == 0
    else:
        json.dumps(result, allow_nan=False)
        if isinstance(payload, dict) and payload.get("dry_run") is True:
            assert fakes.state() == before


# -- stored objects -----------------------------------------------------------

moments = (
    st.datetimes(timezones=st.timezones() | st.none(), allow_imaginary=False).map(
        lambda moment: moment.isoformat()
    )
    | st.sampled_from(["2026-10-15T12:00:00Z", "2026-10-15T14:00:00+02:00", "2026-10-15"])
    | st.sampled_from(["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00"])
    | st.sampled_from(["9999-12-31T23:59:59.999999+00:00", "9999-12-31T23:59:59-12:00"])
)
# At most three: a list that has really shrunk beyond what is plausible is to be refused.
names = st.dictionaries(st.text(max_size=8), st.text(max_size=300) | st.just("\ud800"), max_size=3)
rows = st.lists(
    st.tuples(st.just("1000"), st.text(), st.sampled_from(["A", "I", None]), *[st.text()] * 3),
    max_size=2,
)
numbers = st.integers() | st.floats()


def stored(**schema: st.SearchStrategy[Any]) -> Any:
    """Objects as they are stored, others that are near, and what is nothing of the kind."""
    whole = st.fixed_dictionaries(schema)
    return mostly(whole, near(schema), json_values).map(as_bytes) | st.binary(max_size=20)


def entries(name: str, **data: st.SearchStrategy[Any]) -> Any:
    return stored(
        schema=st.just("v1"),
        dataset=st.just(name),
        built_at=moments,
        fresh_until=moments,
        data=mostly(st.fixed_dictionaries(data)),
    )


report = {"from": st.just("2026-10-01"), "to": st.just("2026-10-15"), "rows": rows}
failures = stored(
    error_type=json_values,
    message=json_values,
    first_failed_at=moments,
    last_failed_at=moments,
    next_attempt_at=moments,
    attempts=numbers,
    dead_lettered=st.booleans(),
    dead_letterings=numbers,
    correlation_id=json_values,
)
versions = st.sampled_from([{"/mips/user": 1, "/mips/pass": 0}, {}]) | json_values


def holding(
    programs: bytes = b"", report: bytes = b"", failure: bytes = b"", refusal: bytes = b""
) -> Fakes:
    """What is stored, whatever that is."""
    fakes = Fakes()
    fakes.store.put(entry_key(PREFIX, PROGRAM_LISTS), programs)
    fakes.store.put(entry_key(PREFIX, OCTOBER_BALANCES), report)
    for dataset in (PROGRAM_LISTS, OCTOBER_BALANCES):
        fakes.store.put(failure_key(PREFIX, dataset), failure)
    fakes.store.put(f"{PREFIX}v1/failures/login.json", refusal)
    return fakes


caches = st.builds(
    holding,
    entries("programs", active=names, with_inactive=names),
    entries("balances", **report),
    failures,
    stored(refused_at=moments, versions=versions),
)
ENTRY = json.loads(encode(make_entry()))
FAILURE = json.loads(encode_failure(make_failure()))
REFUSAL = {"refused_at": NOW.isoformat(), "versions": {"/mips/user": 1, "/mips/pass": 1}}


@fixed_budget
@given(caches)
@example(holding(failure=as_bytes(FAILURE | {"attempts": math.inf})))
@example(holding(refusal=as_bytes(REFUSAL | {"refused_at": "9999-12-31T00:00:00+00:00"})))
@example(holding(refusal=as_bytes(REFUSAL | {"refused_at": "2026-10-14T00:00:00"})))
@example(holding(as_bytes(ENTRY | {"built_at": "2026-10-15T14:00:00+02:00"})))
@example(holding(as_bytes(ENTRY | {"built_at": "0001-01-01T00:00:00+14:00"})))
def test_any_stored_object_is_served_well_formed_or_rebuilt(fakes: Fakes) -> None:
    for path in PATHS:
        check_documented(fakes.get(path), 200, 503)
    assert fakes.work('{"dataset": "programs"}', REPORT_MESSAGE) == fakes.letters() == []
    for path in PATHS:
        check_documented(fakes.get(path), 200)


@fixed_budget
@given(caches)
@example(holding(as_bytes(ENTRY | {"fresh_until": "0001-01-01T00:00:00+00:00"})))
@example(holding(as_bytes(ENTRY | {"fresh_until": "9999-12-31T23:59:59.999999+00:00"})))
def test_any_stored_object_can_be_looked_at_and_purged(fakes: Fakes) -> None:
    json.dumps(fakes.steer({"action": "status"}))
    assert fakes.steer({"action": "purge", "soft": True})["count"] == 2
    for entry in fakes.steer({"action": "status"})["entries"]:
        assert entry["state"] in {"stale", "purged"}
    assert fakes.steer({"action": "purge"})["count"] == 2
    assert fakes.get("/accounts")["statusCode"] == 503


@fixed_budget
@given(failures)
@example(as_bytes(FAILURE | {"dead_letterings": math.inf}))
@example(as_bytes(FAILURE | {"next_attempt_at": "9999-12-31T23:59:59-12:00"}))
def test_any_failure_record_can_be_continued(failure: bytes) -> None:
    """A message that fails adds to the record that it finds, whatever that says."""
    fakes = Fakes()
    fakes.store.put(failure_key(PREFIX, PROGRAM_LISTS), failure)
    fakes.upstream.replies["accounts"] = {}
    assert fakes.work('{"dataset": "programs"}') == ['{"dataset": "programs"}']
    check_documented(fakes.get("/accounts"), 503)
    [missing] = fakes.steer({"action": "status"})["missing"]
    assert missing["last_error"]["error_type"] == "UpstreamDataError"
