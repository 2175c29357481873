"""Whatever comes in: documented answers only, no exception, and nothing that poisons the cache.

The handlers' own functions, over the fakes. Examples are the same in every run.
"""

import json
import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import InvalidCommandError
from core.model.datasets import PROGRAM_LISTS, entry_key, failure_key
from core.model.entry import encode
from core.model.failures import encode_failure
from core.model.messages import RebuildMessage
from core.model.query import ProgramsQuery
from core.model.selection import Selection
from core.operating.commands import ARGUMENTS
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

STATUSES = {200, 304, 400, 404, 405, 503}
CSV_TYPE = "text/csv; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
RECORD = event("worker_programs")["Records"][0]
RECORD["attributes"]["SentTimestamp"] = str(int(NOW.timestamp() * 1000))
PATHS = ("/accounts", "/tags", "/balances")
LOGIN_KEY = f"{PREFIX}v1/failures/login.json"

fixed_budget = settings(max_examples=150, derandomize=True, database=None, deadline=None)


class _Telemetry(RecordingTelemetry):
    """Takes what the handlers themselves tell, too."""

    def begin(self, *_: object) -> None:
        """Know nothing of invocations."""

    def flush(self) -> None:
        """Hold nothing back."""


class Fakes(WiredReader):
    """The three functions over one set of fakes, at one moment."""

    def __init__(self) -> None:
        super().__init__(miss_wait_seconds=0)
        self.telemetry = _Telemetry()
        self._worker = WiredWorker(self)
        self._admin = wired_admin(self, RecordingEdge())

    def warm(self) -> "Fakes":
        """Hold fresh programs, a stale report and a dead letter."""
        store_entries(self.store, make_entry(), make_stale_entry(OCTOBER_BALANCES))
        self.dead_letters.send("{}", {"ErrorType": "E"}, "m-0", "m-0")
        return self

    def work(self, *bodies: str) -> list[str]:
        """Deliver a batch; returns the bodies that must come back."""
        records = [
            {**RECORD, "messageId": f"m-{number}", "body": body}
            for number, body in enumerate(bodies, start=1)
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "worker", lambda: self._worker)
            answer = worker.lambda_handler({"Records": records}, Context())
        left = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        return [record["body"] for record in records if record["messageId"] in left]

    def steer(self, payload: object) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(admin, "admin", lambda: self._admin)
            patch.setattr(admin, "utc_now", self.clock)
            return admin.lambda_handler(payload, Context())

    def state(self) -> tuple[object, ...]:
        """Everything that an operator's command could change."""
        letters = [letter.body for letter in self.dead_letters.letters]
        return dict(self.store.objects), list(self.queue.sent), letters, self.secrets.token


json_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["programs", "balances", "all", "2026-10-01", "2026-10-15", "\ud800"])
)
json_values = st.recursive(
    json_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def mostly(usual: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> Any:
    """What is usual two times of three, so that the rest of an example gets to matter."""
    return st.one_of(usual, usual, *(others or (json_values,)))


def near(schema: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have most of the right keys, mostly with right values, and few other ones."""
    right = st.fixed_dictionaries(
        {}, optional={name: mostly(values) for name, values in schema.items()}
    )
    others = st.dictionaries(st.text(max_size=8), json_values, max_size=1)
    return st.builds(
        lambda known, unknown: {**unknown, **known}, right, mostly(st.just({}), others)
    )


# -- the reader ---------------------------------------------------------------

parameter_names = st.text(max_size=8) | st.sampled_from(
    [*(parameter.name for parameter in fields(ProgramsQuery)), "target_date"]
)
parameter_values = st.text(max_size=30) | st.sampled_from(
    [
        *("", "no", "OFF", "1", "0", "-1", "9" * 18, "9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}"),
        *("123456, ,345678", "2026-10-01", "2026-10-15", "2000-01-01", "1999-12-31", "2026-10-1\n"),
    ]
)
header_names = st.text(max_size=8) | st.sampled_from(
    ["If-None-Match", "If-Modified-Since", "PREFER", "Accept", "Host"]
)
header_values = st.text(max_size=40) | st.sampled_from(
    [
        *("text/html", "*/*;q=x, text/html;q=0.1", "*", 'W/"x", "y"'),
        *("Thu, 15 Oct 2026 12:00:00 GMT", "wait=0", "wait=5; x, wait=3", 'wait="9"'),
        *("wait=-1", "wait=99999999999"),
    ]
)


def singles(names: Any, values: Any) -> Any:
    return mostly(st.none() | st.dictionaries(names, values, max_size=4))


def multiples(names: Any, values: Any) -> Any:
    return singles(names, st.lists(values, max_size=3))


requests = st.fixed_dictionaries(
    {
        "httpMethod": mostly(st.just("GET"), st.sampled_from(["HEAD", "POST", "get"]), json_values),
        "resource": mostly(st.sampled_from(["/accounts", "/tags", "/balances", "/"]), json_values),
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


def check_documented(response: dict[str, Any]) -> None:
    """Hold a response against what is documented of its status."""
    status, headers, body = response["statusCode"], response["headers"], response["body"]
    assert status in STATUSES
    json.dumps(response).encode()
    for value in headers.values():
        assert isinstance(value, str)
        assert value.isascii()
        assert value.isprintable()
    if status == 304:
        assert body == ""
    elif status == 200:
        check_data(headers["Content-Type"], body)
    else:
        check_problem(status, headers, body)


def check_data(content_type: str, body: str) -> None:
    body.encode()
    if content_type == CSV_TYPE:
        assert body.startswith(",".join(CSV_HEADER) + "\r\n")
        assert body.endswith("\r\n")
    elif content_type == HTML_TYPE:
        assert body.startswith("<!doctype html>")
    else:
        assert isinstance(json.loads(body), dict | list)


def check_problem(status: int, headers: dict[str, str], body: str) -> None:
    assert headers["Cache-Control"] == "no-store"
    assert ("Retry-After" in headers) == (status == 503)
    if headers["Content-Type"] == HTML_TYPE:
        check_data(HTML_TYPE, body)
        return
    assert headers["Content-Type"] == "application/problem+json"
    document = json.loads(body)
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == status


WARM, COLD = Fakes().warm(), Fakes()


@fixed_budget
@given(requests)
def test_any_request_gets_a_documented_answer_from_a_warm_cache(sample: dict[str, Any]) -> None:
    check_documented(WARM.read(sample))


@fixed_budget
@given(requests)
def test_any_request_gets_a_documented_answer_from_a_cold_cache(sample: dict[str, Any]) -> None:
    response = COLD.read(sample)
    assert response["statusCode"] not in {200, 304}
    check_documented(response)


def test_what_a_cold_reader_queues_can_be_worked_off() -> None:
    """After whatever requests: no reader can fill the dead-letter queue."""
    fakes = Fakes()
    for path in PATHS:
        fakes.get(path)
    assert fakes.work(*fakes.queue.sent) == []
    assert fakes.dead_letters.letters == []
    assert fakes.get("/balances")["statusCode"] == 200


# -- rebuild messages ---------------------------------------------------------

dates = st.sampled_from(["2026-10-01", "2026-10-15", "2026-10-31", "2026-02-29", "1999-12-01"])
message_objects = near(
    {
        "dataset": st.sampled_from(["programs", "balances", "all"]),
        "from": dates,
        "to": dates,
        "reason": st.text(max_size=300),
        "accept_shrink": st.booleans(),
        "correlation_id": st.text(max_size=300),
    }
)
bodies = st.text(max_size=60) | (message_objects | json_values).map(json.dumps)


@fixed_budget
@given(st.lists(bodies, min_size=1, max_size=4))
@example(['{"dataset": "programs", "correlation_id": "\\ud800"}', '{"\\ud800": 1}', "[" * 9999])
def test_any_message_is_satisfied_or_dead_lettered_as_it_was(batch: list[str]) -> None:
    fakes = Fakes()
    assert fakes.work(*batch) == []
    letters = [letter.body for letter in fakes.dead_letters.letters]
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

payloads = json_values | near(
    {
        "action": st.sampled_from(list(ARGUMENTS)),
        "dataset": st.sampled_from(["programs", "balances", "all"]),
        "from": dates,
        "to": dates,
        "soft": st.booleans(),
        "dry_run": st.booleans(),
        "accept_shrink": st.booleans(),
        "limit": st.integers(-1, 1001),
        "message_id": st.sampled_from(["id-1", "m-0", "", "id-9"]),
        "all": st.booleans(),
    }
)
# Few payloads that are drawn freely go together with their action.
fitting = st.one_of(
    [
        st.fixed_dictionaries(
            {"action": st.just(action)},
            optional={name: mostly(values) for name, values in arguments.items()},
        )
        for action, arguments in {
            "status": {},
            "purge": {"dataset": st.just("all"), "soft": st.booleans(), "dry_run": st.booleans()},
            "refresh": {"dataset": st.just("balances"), "from": dates, "to": dates},
            "dead_letters": {"limit": st.integers(0, 2)},
            "redrive": {"all": st.just(True), "dry_run": st.booleans()},
            "discard": {"message_id": st.sampled_from(["id-1", "m-0", "id-9"])},
        }.items()
    ]
)


@fixed_budget
@given(payloads | fitting)
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

moments = st.datetimes(timezones=st.timezones() | st.none(), allow_imaginary=False).map(
    lambda moment: moment.isoformat()
) | st.sampled_from(
    [
        "2026-10-15T12:00:00Z",
        "2026-10-15T14:00:00+02:00",
        "0001-01-01T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999+00:00",
        "9999-12-31T23:59:59-12:00",
        "2026-10-15",
    ]
)
# At most three: a list that has really shrunk beyond what is plausible is to be refused.
names = st.dictionaries(st.text(max_size=8), st.text(max_size=300) | st.just("\ud800"), max_size=3)
rows = st.lists(
    st.tuples(st.just("1000"), st.text(), st.sampled_from(["A", "I", None]), *[st.text()] * 3),
    max_size=2,
)


def entries(name: str, data: st.SearchStrategy[Any]) -> Any:
    shape = {
        "schema": st.just("v1"),
        "dataset": st.just(name),
        "built_at": moments,
        "fresh_until": moments,
        "data": data,
    }
    whole, others = st.fixed_dictionaries(shape), near(shape) | json_values
    return mostly(whole.map(as_bytes), others.map(as_bytes), st.binary())


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()


program_entries = entries(
    "programs", mostly(st.fixed_dictionaries({"active": names, "with_inactive": names}))
)
period = {"from": st.just("2026-10-01"), "to": st.just("2026-10-15")}
report_entries = entries("balances", mostly(st.fixed_dictionaries({**period, "rows": rows})))
whole_numbers = st.integers() | st.floats()
failure_records = mostly(
    st.fixed_dictionaries(
        {
            "error_type": json_values,
            "message": json_values,
            "first_failed_at": moments,
            "last_failed_at": moments,
            "next_attempt_at": moments,
            "attempts": whole_numbers,
            "dead_lettered": st.booleans(),
            "dead_letterings": whole_numbers,
            "correlation_id": json_values,
        }
    )
).map(as_bytes) | st.binary(max_size=20)
refusals = mostly(
    st.fixed_dictionaries(
        {
            "refused_at": moments,
            "versions": st.sampled_from([{"/mips/user": 1, "/mips/pass": 0}, {}]) | json_values,
        }
    )
).map(as_bytes) | st.binary(max_size=20)


ENTRY = json.loads(encode(make_entry()))
FAILURE = json.loads(encode_failure(make_failure()))
REPORT_MESSAGE = RebuildMessage(Selection.of(OCTOBER_BALANCES)).to_body()
REFUSAL = {"refused_at": NOW.isoformat(), "versions": {"/mips/user": 1, "/mips/pass": 1}}


def with_value(document: dict[str, Any], **changed: object) -> bytes:
    return as_bytes(document | changed)


def with_stored(programs: bytes, report: bytes, failure: bytes) -> Fakes:
    fakes = Fakes()
    for dataset, body in ((PROGRAM_LISTS, programs), (OCTOBER_BALANCES, report)):
        fakes.store.put(entry_key(PREFIX, dataset), body)
        fakes.store.put(failure_key(PREFIX, dataset), failure)
    return fakes


@fixed_budget
@given(program_entries, report_entries, failure_records, refusals)
@example(b"", b"", with_value(FAILURE, attempts=math.inf), b"")
@example(b"", b"", b"", with_value(REFUSAL, refused_at="9999-12-31T00:00:00+00:00"))
@example(b"", b"", b"", with_value(REFUSAL, refused_at="2026-10-14T00:00:00"))
@example(with_value(ENTRY, built_at="2026-10-15T14:00:00+02:00"), b"", b"", b"")
@example(with_value(ENTRY, built_at="0001-01-01T00:00:00+14:00"), b"", b"", b"")
def test_any_stored_object_is_served_well_formed_or_rebuilt(
    programs: bytes, report: bytes, failure: bytes, refusal: bytes
) -> None:
    fakes = with_stored(programs, report, failure)
    fakes.store.put(LOGIN_KEY, refusal)
    for path in PATHS:
        response = fakes.get(path)
        assert response["statusCode"] in {200, 503}
        check_documented(response)
    assert fakes.work('{"dataset": "programs"}', REPORT_MESSAGE) == []
    assert fakes.dead_letters.letters == []
    for path in PATHS:
        response = fakes.get(path)
        assert response["statusCode"] == 200
        check_documented(response)


@fixed_budget
@given(program_entries, report_entries, failure_records)
@example(with_value(ENTRY, fresh_until="0001-01-01T00:00:00+00:00"), b"", b"")
@example(with_value(ENTRY, fresh_until="9999-12-31T23:59:59.999999+00:00"), b"", b"")
def test_any_stored_object_can_be_looked_at_and_purged(
    programs: bytes, report: bytes, failure: bytes
) -> None:
    fakes = with_stored(programs, report, failure)
    json.dumps(fakes.steer({"action": "status"}))
    assert fakes.steer({"action": "purge", "soft": True})["count"] == 2
    for entry in fakes.steer({"action": "status"})["entries"]:
        assert entry["state"] in {"stale", "purged"}
    assert fakes.steer({"action": "purge"})["count"] == 2
    assert fakes.get("/accounts")["statusCode"] == 503


@fixed_budget
@given(failure_records)
@example(with_value(FAILURE, dead_letterings=math.inf))
@example(with_value(FAILURE, next_attempt_at="9999-12-31T23:59:59-12:00"))
def test_any_failure_record_can_be_continued(failure: bytes) -> None:
    """A message that fails adds to the record that it finds, whatever that says."""
    fakes = Fakes()
    fakes.store.put(failure_key(PREFIX, PROGRAM_LISTS), failure)
    fakes.upstream.replies["accounts"] = {}
    assert fakes.work('{"dataset": "programs"}') == ['{"dataset": "programs"}']
    check_documented(fakes.get("/accounts"))
    [missing] = fakes.steer({"action": "status"})["missing"]
    assert missing["last_error"]["error_type"] == "UpstreamDataError"
