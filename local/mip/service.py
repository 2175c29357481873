"""MIP Cloud as a state machine, without HTTP: sessions, replies, faults, and what was called."""

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from local.mip.calls import (
    CALLS,
    CallRefusedError,
    check_call,
    parse_balances,
    parse_login,
)
from local.mip.faults import Fault
from local.mip.replies import Reply
from local.mip.sample.organisation import (
    ORGANISATION,
    ChartAccount,
    Organisation,
    sample_organisation,
)
from local.mip.sessions import Sessions
from local.mip.values import is_number

USER = "demo"
PASSWORD = "local-only"  # noqa: S105 (opens nothing but this stand-in)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login must send; `org` is the organisation's name."""

    user: str = USER
    password: str = field(default=PASSWORD, repr=False)
    org: str = ORGANISATION


@dataclass(frozen=True, slots=True)
class Counters:
    """What happened since the start or the last reset. `calls` counts attempts by name."""

    calls: dict[str, int]
    logins: int
    logouts: int
    lockouts: int
    max_open_sessions: int

    @property
    def login_attempts(self) -> int:
        """Return the number of logins that were tried, refused ones included."""
        return self.calls["login"]


class MipCloud:
    """MIP Cloud with one organisation and one user.

    Safe to use from several threads. `clock` gives seconds; sessions and lock-outs follow it.
    `on_call` is called with a call's name when the call arrives, before it has any effect.
    `on_answer` is called before the answer is sent, with the call's name, the status, and the kind
    of the fault in it (None: there was none).
    """

    def __init__(
        self,
        organisation: Organisation | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        lockout_seconds: float = 60.0,
        idle_seconds: float = 120.0,
        credentials: Credentials | None = None,
        on_call: Callable[[str], None] | None = None,
    ) -> None:
        self._initial = (organisation or sample_organisation(), credentials or Credentials())
        self._new_sessions = functools.partial(
            Sessions,
            clock=clock,
            lockout_seconds=lockout_seconds,
            idle_seconds=idle_seconds,
        )
        self._lock = threading.RLock()
        self.on_call = on_call
        self.on_answer: Callable[[str, int, str | None], None] | None = None
        self.reset()

    def reset(self) -> None:
        """Return to the state at construction, with no session, lock-out, fault or count."""
        with self._lock:
            self.organisation, self.credentials = self._initial
            self._sessions = self._new_sessions()
            self._faults: dict[str, Fault] = {}
            self._latency: dict[str, float] = {}
            self._calls = Counter(dict.fromkeys(CALLS, 0))
            self._logins = self._logouts = self._answered = self._max_open_sessions = 0

    def call(
        self,
        name: str,
        *,
        token: str | None = None,
        body: object = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> Reply:
        """Answer one call; `wait` is given the latency in seconds, if there is any.

        What is wrong with token or body is answered as MIP would. Raises ValueError for an
        unknown call.
        """
        check_call(name)
        with self._lock:
            self._calls[name] += 1
            latency = self._latency.get(name, 0.0)
        if self.on_call:
            self.on_call(name)
        if latency:
            wait(latency)
        reply, fault = self._answer(name, token, body)
        with self._lock:
            self._answered += 1
        if self.on_answer:
            self.on_answer(name, reply.status, fault.kind if fault else None)
        return reply

    def set_fault(self, call: str, fault: Fault) -> None:
        """Give a call a fault, in place of any that it has. Raises ValueError if it can't be."""
        fault.check_for(call)
        with self._lock:
            self._faults[call] = fault

    def clear_faults(self, call: str | None = None) -> None:
        """Remove the fault of one call, or of all. Raises ValueError for an unknown call."""
        with self._lock:
            for each in _chosen(call):
                self._faults.pop(each, None)

    def set_latency(self, seconds: float, call: str | None = None) -> None:
        """Delay one call, or all. Raises ValueError unless 0 to 3600 s, or for an unknown call."""
        if not is_number(seconds, 0, 3600):
            raise ValueError("seconds must be a number from 0 to 3600")
        with self._lock:
            self._latency |= dict.fromkeys(_chosen(call), float(seconds))

    def set_credentials(self, **changed: str) -> None:
        """Change `user`, `password` or `org`, as a rotation does. An open session stays open."""
        with self._lock:
            self.credentials = replace(self.credentials, **changed)

    def set_programs(self, programs: Iterable[ChartAccount]) -> None:
        """Replace the programs of the organisation."""
        with self._lock:
            self.organisation = self.organisation.with_programs(programs)

    def expire_sessions(self) -> int:
        """End every open session, as idle expiry would; return how many there were."""
        with self._lock:
            return self._sessions.expire()

    @property
    def open_sessions(self) -> int:
        """The number of sessions that are open now."""
        with self._lock:
            return self._sessions.open_count()

    @property
    def counters(self) -> Counters:
        """What happened since the last reset."""
        with self._lock:
            return Counters(
                calls=dict(self._calls),
                logins=self._logins,
                logouts=self._logouts,
                lockouts=self._sessions.lockouts,
                max_open_sessions=self._max_open_sessions,
            )

    def state(self) -> dict[str, Any]:
        """Return everything an operator may see, as JSON values; no token and no password."""
        with self._lock:
            counters = self.counters
            attempts = {"login_attempts": counters.login_attempts}
            return {
                "open_sessions": self.open_sessions,
                "locked_users": self._sessions.locked(),
                "counters": attempts | asdict(counters),
                "calls_under_way": max(0, self._calls.total() - self._answered),
                "faults": {call: fault.as_json() for call, fault in self._faults.items()},
                "latency": dict(self._latency),
                "programs": len(self.organisation.programs),
            }

    def _answer(self, name: str, token: str | None, body: object) -> tuple[Reply, Fault | None]:
        if fault := self._take_fault(name, follows_effect=False):
            return fault.apply(Reply()), fault
        try:
            reply = Reply(payload=self._effect(name, token, body))
        except CallRefusedError as refusal:
            return Reply(status=refusal.status, payload={"message": refusal.message}), None
        if fault := self._take_fault(name, follows_effect=True):
            return fault.apply(reply), fault
        return reply, None

    def _take_fault(self, name: str, *, follows_effect: bool) -> Fault | None:
        with self._lock:
            fault = self._faults.get(name)
            if fault is None or fault.follows_effect != follows_effect:
                return None
            del self._faults[name]
            if left := fault.hit():
                self._faults[name] = left
            return fault

    def _effect(self, name: str, token: str | None, body: object) -> object:
        """Do what the call is for, and return the payload. Raises CallRefusedError."""
        with self._lock:
            if name == "login":
                return {"AccessToken": self._login(body)}
            if name == "logout":
                self._sessions.logout(token)
                self._logouts += 1
                return {}
            self._sessions.use(token)
            organisation = self.organisation
        if name == "segments":
            return organisation.segments()
        if name == "accounts":
            return organisation.accounts()
        return _balances(organisation, body)

    def _login(self, body: object) -> str:
        request, known = parse_login(body), self.credentials
        accepted = request == (known.user, known.password, known.org)
        token = self._sessions.login(request.username, accepted=accepted)
        self._logins += 1
        self._max_open_sessions = max(self._max_open_sessions, self._sessions.open_count())
        return token


def _chosen(call: str | None) -> tuple[str, ...]:
    if call is None:
        return CALLS
    check_call(call)
    return (call,)


def _balances(organisation: Organisation, body: object) -> object:
    start, end = parse_balances(body)
    try:
        return organisation.balances(start, end)
    except ValueError as exc:
        raise CallRefusedError(400, str(exc)) from exc
