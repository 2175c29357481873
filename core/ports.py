"""What the use cases need from the outside world; adapters and the tests' fakes provide it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.model.messages import RebuildMessage
from core.model.periods import Period
from core.timing import Deadline

Clock = Callable[[], datetime]
"""Tells the present time as an aware datetime."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the cache bucket and the ETag by which it can be replaced."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class NotModified:
    """The object still has the ETag that the caller knows."""


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """One object of a listing."""

    key: str
    size_bytes: int


OBJECTS_AT_ONCE = 8
"""How many objects a use case works on at once, so that thousands do not take minutes."""


class ObjectReader(Protocol):
    """The cache bucket. Every method raises StoreUnavailableError when it does not answer."""

    def read(self, key: str) -> StoredObject | None:
        """Read an object; None if there is none."""
        ...


class CacheReader(ObjectReader, Protocol):
    """The cache bucket as a reader needs it."""

    def read_if_changed(self, key: str, known_etag: str) -> StoredObject | NotModified | None:
        """Read an object unless its ETag is still the known one."""
        ...


class CacheStore(ObjectReader, Protocol):
    """The cache bucket as those need it who write to it."""

    def create(self, key: str, body: bytes) -> str:
        """Write an object where there is none, and return its ETag.

        Raises ConflictError when there is one.
        """
        ...

    def replace(self, key: str, body: bytes, expected_etag: str) -> str:
        """Write an object only if it still has the expected ETag, and return the new one.

        Raises ConflictError when it changed or vanished, and when the answer to a write got lost:
        the SDK writes again, and meets the object that the first try wrote.
        """
        ...

    def put(self, key: str, body: bytes) -> None:
        """Write an object, whatever was there."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, any number of them; absent ones do not matter."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectSummary]:
        """List all objects below a prefix, by key."""
        ...


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """About how many messages wait, and how many are being worked on (or delayed)."""

    visible: int
    in_flight: int


class RebuildSender(Protocol):
    """The queue of rebuild messages, sent to. Raises QueueUnavailableError."""

    def send(self, message: RebuildMessage, deduplication_id: str) -> str:
        """Queue a message and return its id."""
        ...


class RebuildQueue(RebuildSender, Protocol):
    """The queue of rebuild messages. Methods raise QueueUnavailableError."""

    def send_again(self, body: str, deduplication_id: str) -> str:
        """Queue the body of an earlier message as it is, and return the new message's id."""
        ...

    def delay(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Hide received messages, ten at most, for so long before they are delivered again."""
        ...

    def depth(self) -> QueueDepth:
        """Return about how much is queued."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue. `receipt_handle` deletes it, for a short while."""

    message_id: str
    body: str
    receipt_handle: str = field(repr=False)
    sent_at: datetime
    receives: int
    group: str
    attributes: Mapping[str, str]


class DeadLetterQueue(Protocol):
    """The queue of messages that failed for good. Methods raise QueueUnavailableError."""

    def send(
        self, body: str, attributes: Mapping[str, str], group: str, deduplication_id: str
    ) -> None:
        """Add a message in a message group of its own."""
        ...

    def receive_batches(self) -> Iterator[Sequence[DeadLetter]]:
        """Receive all that SQS gives now, batch after batch; they stay hidden until released."""
        ...

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Make received messages visible again."""
        ...

    def delete(self, letter: DeadLetter) -> None:
        """Delete a received message."""
        ...

    def depth(self) -> QueueDepth:
        """Return about how many dead letters there are."""
        ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """MIP's user and password, and the versions of the parameters that hold them."""

    username: str
    password: str = field(repr=False)
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NotedSession:
    """The token of a MIP session that may be open, and when it was noted."""

    token: str = field(repr=False)
    noted_at: datetime


class Secrets(Protocol):
    """The parameter store. Methods raise SecretsUnavailableError."""

    def credentials(self) -> Credentials:
        """Read the credentials."""
        ...

    def noted_session(self) -> NotedSession | None:
        """Return the session that may be open; None if none is noted."""
        ...

    def note_session(self, token: str) -> None:
        """Note a session's token, encrypted, so that any later worker can log the session out."""
        ...

    def note_no_session(self) -> None:
        """Note that no session is open."""
        ...


class SessionNote(Protocol):
    """Tells whether a MIP session may be open."""

    def is_session_open(self) -> bool:
        """Tell whether a session is noted. Raises SecretsUnavailableError."""
        ...


class Upstream(Protocol):
    """MIP Cloud's calls, one HTTP exchange each (and its retries); errors are UpstreamError.

    No call outlasts its deadline, retries included.
    """

    def log_in(self, credentials: Credentials, deadline: Deadline) -> str:
        """Open a session and return its token."""
        ...

    def log_out(self, token: str, deadline: Deadline) -> None:
        """Close a session; returning means that it is closed."""
        ...

    def segments(self, token: str, deadline: Deadline) -> object:
        """Return the reply that numbers the segments."""
        ...

    def accounts(self, token: str, deadline: Deadline) -> object:
        """Return the reply with the accounts of all segments."""
        ...

    def balances(self, token: str, period: Period, deadline: Deadline) -> object:
        """Return the reply with a period's balances; its decimals keep MIP's digits."""
        ...


class EdgeCache(Protocol):
    """The CDN in front of the public routes, if there is one."""

    def invalidate(self) -> str | None:
        """Drop everything; returns the invalidation's id, or None where there is no CDN.

        Raises EdgeUnavailableError.
        """
        ...


class Telemetry(Protocol):
    """Where the service logs and counts what it does. Fields hold no body, secret or token."""

    def info(self, event: str, **fields: object) -> None:
        """Record something that happened as it should."""
        ...

    def warning(self, event: str, **fields: object) -> None:
        """Record something that an operator may want to know."""
        ...

    def count(self, metric: str, value: int = 1, **dimensions: str) -> None:
        """Add to a metric that counts; dimensions have few values each."""
        ...

    def seconds(self, metric: str, value: float, **dimensions: str) -> None:
        """Record a duration or an age."""
        ...
