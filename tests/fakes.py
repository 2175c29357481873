"""Small stand-ins for what lies outside; each obeys its Protocol in `core.ports`.

Each can be taken `down`, and then fails as its adapter would.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from core.errors import (
    AmbiguousLoginError,
    ConflictError,
    CredentialsRefusedError,
    LockedOutError,
    QueueUnavailableError,
    SecretsUnavailableError,
    SessionLostError,
    StoreUnavailableError,
)
from core.model.messages import MAX_RECEIVES, RebuildMessage
from core.model.periods import Period
from core.ports import (
    Credentials,
    DeadLetter,
    NotedSession,
    NotModified,
    ObjectSummary,
    QueueDepth,
    StoredObject,
)
from core.reading.wait import Patience
from core.rebuilding.delivery import Delivery
from core.timing import Deadline
from handlers.time_budget import patience
from tests.builders import (
    NOW,
    make_accounts_reply,
    make_balances_reply,
    make_credentials,
    make_segments_reply,
)

DEDUPLICATION_INTERVAL = timedelta(minutes=5)
LOOK = timedelta(seconds=60)


class FakeClock:
    """Wall and monotonic clock in one; both move only when they are told to, or by `sleep`."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.uptime = 1000.0
        self.sleeps: list[float] = []
        self._planned: list[tuple[datetime, Callable[[], None]]] = []

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.uptime

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        # A clock that stood still for less than its resolution would never reach a deadline.
        self.advance(seconds=max(seconds, 0.000001))

    def advance(self, **duration: float) -> None:
        """Let time pass, as `timedelta` spells it, and have happen what was planned for it."""
        passed = timedelta(**duration)
        self.now += passed
        self.uptime += passed.total_seconds()
        due = [plan for plan in self._planned if plan[0] <= self.now]
        self._planned = [plan for plan in self._planned if plan[0] > self.now]
        for _, action in due:
            action()

    def plan(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen once so many seconds have passed."""
        self._planned.append((self.now + timedelta(seconds=seconds), action))

    def deadline(self, seconds: float) -> Deadline:
        return Deadline.after(seconds, self.monotonic)

    def patience(self, wait_seconds: float = 0) -> Patience:
        """Make the patience of a request that has just been taken."""
        return patience(wait_seconds, None, self.now, self.monotonic)


class InMemoryStore:
    """A bucket: ETags follow the content, as those of S3 do.

    `is_answer_lost` writes, and then answers as S3 does to the SDK's repetition of the write.
    """

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.operations: list[tuple[str, str]] = []
        self.down: Callable[[str, str], bool] = lambda operation, key: False
        self.is_answer_lost: Callable[[str, str], bool] = lambda operation, key: False

    def read(self, key: str) -> StoredObject | None:
        self._begin("read", key)
        return self.objects.get(key)

    def read_if_changed(self, key: str, known_etag: str) -> StoredObject | NotModified | None:
        stored = self.read(key)
        return NotModified() if stored and stored.etag == known_etag else stored

    def create(self, key: str, body: bytes) -> str:
        self._begin("create", key)
        return self._write_if(key not in self.objects, "create", key, body)

    def replace(self, key: str, body: bytes, expected_etag: str) -> str:
        self._begin("replace", key)
        stored = self.objects.get(key)
        is_expected = stored is not None and stored.etag == expected_etag
        return self._write_if(is_expected, "replace", key, body)

    def put(self, key: str, body: bytes) -> None:
        self._begin("put", key)
        self._write(key, body)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._begin("delete", key)
            self.objects.pop(key, None)

    def list(self, prefix: str) -> Iterator[ObjectSummary]:
        self._begin("list", prefix)
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield ObjectSummary(key, len(self.objects[key].body))

    def count(self, operation: str, key: str) -> int:
        """Tell how often an operation met a key."""
        return self.operations.count((operation, key))

    def _begin(self, operation: str, key: str) -> None:
        self.operations.append((operation, key))
        if self.down(operation, key):
            raise StoreUnavailableError("S3: ServiceUnavailable")

    def _write_if(self, allowed: bool, operation: str, key: str, body: bytes) -> str:
        etag = self._write(key, body) if allowed else ""
        if not allowed or self.is_answer_lost(operation, key):
            raise ConflictError("the entry was changed or purged meanwhile")
        return etag

    def _write(self, key: str, body: bytes) -> str:
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self.objects[key] = StoredObject(body, etag)
        return etag


@dataclass
class _Message:
    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    group: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    receives: int = 0
    receipt_handle: str = ""


class _Fifo:
    """The rules of an SQS FIFO queue that the service relies on."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._accepted: dict[str, tuple[datetime, str]] = {}
        self.messages: list[_Message] = []
        self.is_down = False

    def accept(
        self,
        body: str,
        dedup_id: str,
        group: str,
        attributes: Mapping[str, str] | None = None,
        moved_id: str | None = None,
    ) -> str:
        """Queue a message, unless its deduplication id was accepted within five minutes.

        As on AWS, the id is remembered although the message may be deleted by now, and the sender
        is given the first message's id. `moved_id` is the message id that a moved message keeps.
        """
        self._check()
        now = self._clock()
        if dedup_id in self._accepted:
            accepted_at, message_id = self._accepted[dedup_id]
            if now < accepted_at + DEDUPLICATION_INTERVAL:
                return message_id
        message_id = moved_id or f"id-{next(self._ids)}"
        self._accepted[dedup_id] = (now, message_id)
        self.messages.append(_Message(message_id, body, now, now, group, attributes or {}))
        return message_id

    def take(self, most: int, hidden_for: timedelta) -> list[_Message]:
        """Receive messages in order, none of a group that already had some in flight."""
        self._check()
        now = self._clock()
        busy = {message.group for message in self.messages if message.visible_at > now}
        taken = [message for message in self.messages if message.group not in busy][:most]
        for message in taken:
            message.receives += 1
            message.visible_at = now + hidden_for
            message.receipt_handle = f"{message.message_id}#{message.receives}"
        return taken

    def hide(self, receipt_handle: str, duration: timedelta) -> None:
        self._check()
        for message in self.messages:
            if message.receipt_handle == receipt_handle:
                message.visible_at = self._clock() + duration

    def remove(self, receipt_handle: str) -> None:
        self._check()
        self.messages = [m for m in self.messages if m.receipt_handle != receipt_handle]

    def depth(self) -> QueueDepth:
        self._check()
        hidden = sum(message.visible_at > self._clock() for message in self.messages)
        return QueueDepth(visible=len(self.messages) - hidden, in_flight=hidden)

    def _check(self) -> None:
        if self.is_down:
            raise QueueUnavailableError("SQS: ServiceUnavailable")


class RecordingQueue(_Fifo):
    """The rebuild queue.

    `sent` lists what was accepted and is not shortened by receiving; `delays` holds the last
    delay of each receipt handle. With `redrive_to` it has a redrive policy.
    """

    def __init__(
        self, clock: Callable[[], datetime], redrive_to: "InMemoryDeadLetters | None" = None
    ) -> None:
        super().__init__(clock)
        self._redrive_to = redrive_to
        self.sent: list[str] = []
        self.deduplication_ids: list[str] = []
        self.delays: dict[str, int] = {}

    def send(self, message: RebuildMessage, deduplication_id: str) -> str:
        return self.send_again(message.to_body(), deduplication_id)

    def send_again(self, body: str, deduplication_id: str, group: str = "mips") -> str:
        """Queue a body; only others than the service use another group."""
        before = len(self.messages)
        message_id = self.accept(body, deduplication_id, group)
        self.deduplication_ids.append(deduplication_id)
        if len(self.messages) > before:
            self.sent.append(body)
        return message_id

    def delay(self, receipt_handles: Sequence[str], seconds: int) -> None:
        for receipt_handle in receipt_handles:
            self.hide(receipt_handle, timedelta(seconds=seconds))
            self.delays[receipt_handle] = seconds

    def receive(self, most: int = 10, hidden_for_seconds: float = 360) -> list[Delivery]:
        """Deliver a batch, as the event source mapping does: groups may be mixed in it."""
        if self._redrive_to:
            self.messages = list(self._redrive(self._redrive_to))
        return [
            Delivery(m.message_id, m.body, m.receipt_handle, m.receives, m.sent_at, m.group)
            for m in self.take(most, timedelta(seconds=hidden_for_seconds))
        ]

    def acknowledge(self, delivery: Delivery) -> None:
        self.remove(delivery.receipt_handle)

    def _redrive(self, dead_letters: "InMemoryDeadLetters") -> Iterator[_Message]:
        """Move what was received too often, and return what stays."""
        for message in self.messages:
            if message.receives >= MAX_RECEIVES and message.visible_at <= self._clock():
                dead_letters.take_over(message.message_id, message.body, message.group)
            else:
                yield message


class InMemoryDeadLetters(_Fifo):
    """The dead-letter queue."""

    @property
    def letters(self) -> list[DeadLetter]:
        """Look at all letters without receiving them."""
        return [_as_letter(message) for message in self.messages]

    def send(
        self, body: str, attributes: Mapping[str, str], group: str, deduplication_id: str
    ) -> None:
        self.accept(body, deduplication_id, group, dict(attributes))

    def take_over(self, message_id: str, body: str, group: str = "mips") -> None:
        """Receive a message as SQS's redrive policy moves it.

        It keeps its message id and group, and the id becomes its deduplication id (SQS Developer
        Guide, "Configure a dead-letter queue redrive").
        """
        self.accept(body, message_id, group, moved_id=message_id)

    def move_all(self, queue: RecordingQueue) -> None:
        """Do what SQS's own redrive does (StartMessageMoveTask): new ids, the same groups."""
        for message in self.messages:
            queue.send_again(message.body, f"moved {uuid4()}", message.group)
        self.messages = []

    def receive_batches(self) -> Iterator[Sequence[DeadLetter]]:
        while taken := self.take(10, LOOK):
            yield list(map(_as_letter, taken))

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Make letters visible; as on AWS, one that was deleted meanwhile is an error."""
        for letter in letters:
            if letter.receipt_handle not in {m.receipt_handle for m in self.messages}:
                raise QueueUnavailableError("SQS: InvalidParameterValue")
            self.hide(letter.receipt_handle, timedelta(0))

    def delete(self, letter: DeadLetter) -> None:
        self.remove(letter.receipt_handle)


def _as_letter(message: _Message) -> DeadLetter:
    return DeadLetter(
        message_id=message.message_id,
        body=message.body,
        receipt_handle=message.receipt_handle,
        sent_at=message.sent_at,
        receives=message.receives,
        group=message.group,
        attributes=message.attributes,
    )


class FakeSecrets:
    """The parameter store; implements Secrets and SessionNote. `down` names failing methods."""

    def __init__(self, clock: Callable[[], datetime] = lambda: NOW) -> None:
        self.stored = make_credentials()
        self.noted: NotedSession | None = None
        self.down: set[str] = set()
        self.notes: list[str | None] = []
        self._clock = clock

    @property
    def token(self) -> str | None:
        """The token that is noted."""
        return self.noted.token if self.noted else None

    def credentials(self) -> Credentials:
        self._check("credentials")
        return self.stored

    def noted_session(self) -> NotedSession | None:
        self._check("noted_session")
        return self.noted

    def is_session_open(self) -> bool:
        return self.noted_session() is not None

    def note_session(self, token: str) -> None:
        self._check("note_session")
        self.noted = NotedSession(token, self._clock())
        self.notes.append(token)

    def note_no_session(self) -> None:
        self._check("note_no_session")
        self.noted = None
        self.notes.append(None)

    def _check(self, method: str) -> None:
        if method in self.down:
            raise SecretsUnavailableError(f"SSM {method}: ThrottlingException")


class FakeUpstream:
    """MIP Cloud with one user, who has one session at a time.

    A login while a session is open locks the user out until `unlock`. `fail` scripts what the
    next calls of a name raise; `during` names something that happens while a call is under way.
    """

    def __init__(self, accepted: Credentials | None = None) -> None:
        self.accepted = accepted or make_credentials()
        self.replies: dict[str, Any] = {
            "segments": make_segments_reply(),
            "accounts": make_accounts_reply(),
            "balances": make_balances_reply(),
        }
        self.balances_by_period: dict[Period, list[Any]] = {}
        self.calls: list[str] = []
        self.during: dict[str, Callable[[], None]] = {}
        self.open_token: str | None = None
        self.is_locked = False
        self.loses_login_reply = False
        self._failures: dict[str, list[Exception]] = {}
        self._tokens = itertools.count(1)

    @property
    def made(self) -> Counter[str]:
        """Tell how often each call was made."""
        return Counter(self.calls)

    def fail(self, call: str, *errors: Exception) -> None:
        self._failures.setdefault(call, []).extend(errors)

    def unlock(self) -> None:
        self.is_locked = False
        self.open_token = None

    def log_in(self, credentials: Credentials, deadline: Deadline) -> str:
        self._begin("login")
        known = (self.accepted.username, self.accepted.password)
        if (credentials.username, credentials.password) != known:
            raise CredentialsRefusedError("MIP answered 401 to login: no such user")
        if self.is_locked or self.open_token is not None:
            self.is_locked = True
            raise LockedOutError("MIP answered 403 to login: already logged in")
        self.open_token = f"token-{next(self._tokens)}"
        if self.loses_login_reply:
            raise AmbiguousLoginError("MIP did not answer login in time; a session may be open")
        return self.open_token

    def log_out(self, token: str, deadline: Deadline) -> None:
        self._begin("logout")
        if token == self.open_token:
            self.open_token = None

    def segments(self, token: str, deadline: Deadline) -> object:
        return self._answer("segments", token)

    def accounts(self, token: str, deadline: Deadline) -> object:
        return self._answer("accounts", token)

    def balances(self, token: str, period: Period, deadline: Deadline) -> object:
        reply = self._answer("balances", token)
        scripted = self.balances_by_period.get(period)
        return scripted.pop(0) if scripted else reply

    def _answer(self, call: str, token: str) -> object:
        self._begin(call)
        if token != self.open_token:
            raise SessionLostError(f"MIP answered 401 to {call}: the session is gone")
        return self.replies[call]

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if call in self.during:
            self.during[call]()
        failures = self._failures.get(call)
        if failures:
            raise failures.pop(0)


class RecordingEdge:
    """An edge cache that counts its invalidations."""

    def __init__(self, invalidation_id: str | None = "I-1") -> None:
        self.invalidations = 0
        self._id = invalidation_id

    def invalidate(self) -> str | None:
        self.invalidations += 1
        return self._id


MESSAGE_FIELDS = {"message_id", "correlation_id"}
FAILURE_FIELDS = MESSAGE_FIELDS | {"error_type", "problem", "attempts"}
LOG_FIELDS: Mapping[str, set[str]] = {
    "balances do not add up": {"period", "accounts"},
    "call retried": {"call", "attempt", "problem", "backoff_seconds"},
    "dead letter discarded": MESSAGE_FIELDS,
    "dead letter redriven": MESSAGE_FIELDS | {"new_message_id"},
    "entry rebuilt": {"dataset", "seconds"},
    "entry unreadable": {"key", "problem"},
    "failure not recorded": {"dataset", "problem"},
    "failure record left": {"dataset", "problem"},
    "logout not confirmed": {"problem"},
    "message collapsed": MESSAGE_FIELDS,
    "message dead-lettered": FAILURE_FIELDS,
    "message forwarded": MESSAGE_FIELDS | {"group"},
    "message not dead-lettered": MESSAGE_FIELDS | {"problem"},
    "message not delayed": MESSAGE_FIELDS | {"problem"},
    "message not forwarded": MESSAGE_FIELDS | {"problem"},
    "message retried": FAILURE_FIELDS | {"delay_seconds"},
    "messages not held": {"problem"},
    "rebuild failed": {"dataset", "error_type", "problem"},
    "refusal not forgotten": {"problem"},
    "refusal not noted": {"problem"},
    "session closed": set(),
    "session forgotten": {"problem"},
    "session not noted as closed": {"problem"},
    "session not recovered": {"problem"},
    "session opened": set(),
    "session recovered": set(),
    "write refused": {"dataset", "problem"},
}
"""The fields of each line that the worker and the operators' commands write."""


class RecordingTelemetry:
    """Remembers what was logged and counted; a line without one of its fields fails the test."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, object]]] = []
        self.metrics: list[tuple[str, float, dict[str, str]]] = []

    def info(self, event: str, **fields: object) -> None:
        self._log("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._log("warning", event, fields)

    def count(self, metric: str, value: int = 1, **dimensions: str) -> None:
        self.metrics.append((metric, value, dimensions))

    def seconds(self, metric: str, value: float, **dimensions: str) -> None:
        self.metrics.append((metric, value, dimensions))

    def _log(self, level: str, event: str, fields: dict[str, object]) -> None:
        assert set(fields) == LOG_FIELDS.get(event, set(fields)), event
        self.events.append((level, event, fields))

    def warnings(self) -> list[str]:
        return [event for level, event, _ in self.events if level == "warning"]

    def counted(self, metric: str) -> float:
        return sum(value for name, value, _ in self.metrics if name == metric)
