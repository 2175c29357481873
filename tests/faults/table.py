"""What each fault of MIP Cloud leads to. `python -m tests.faults.table` writes docs/faults.md anew.

Each case starts with a warm cache and a message that asks for newer data; the worker is given it
once. Readers are served good data in every case, so the table has no column for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.mip import Fault

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

SATISFIED = "satisfied"
COMES_BACK = "comes back"
DEAD_LETTERED = "dead-lettered"

PROGRAMS = {"dataset": "programs"}
OCTOBER = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}

CLOSED = "closed"
NONE = "none"
NOTED = "noted: the next run logs it out first"
LOST = "open, unknown to us: until MIP's idle expiry"


@dataclass(frozen=True)
class Outcome:
    """What becomes of the message, how often the call was tried, and what of the session."""

    message: str
    error: str | None = None
    tries: int = 1
    session: str = CLOSED

    def __str__(self) -> str:
        told = f"{self.message}: `{self.error}`" if self.error else self.message
        tries = f"; {self.tries} tries" if self.tries > 1 else ""
        return f"{told}{tries}; session {self.session}"


def back(error: str, tries: int = 1, session: str = CLOSED) -> Outcome:
    return Outcome(COMES_BACK, error, tries, session)


def login(error: str, tries: int = 1, session: str = NONE) -> Outcome:
    return Outcome(COMES_BACK, error, tries, session)


def done(tries: int = 1, session: str = CLOSED) -> Outcome:
    return Outcome(SATISFIED, None, tries, session)


@dataclass(frozen=True)
class Case:
    """One fault, where it can happen; `what` None: nobody listens where the call goes.

    `call` is the fetch that it happens to, `asks` the message that is delivered. `new_lines`: how
    many lines of the report differ from the one before, where MIP's do.
    """

    fault: str
    what: Fault | None
    login: Outcome | None = None
    fetch: Outcome | None = None
    logout: Outcome | None = None
    call: str = "accounts"
    asks: Any = None
    new_lines: int = 0


def status(code: int, **more: Any) -> Fault:
    return Fault(kind="status", status=code, **more)


TRANSIENT, NOT_TAKEN = "TransientUpstreamError", "RequestNotTakenError"
AMBIGUOUS, LOCKED = "AmbiguousLoginError", "LockedOutError"
DATA = back("UpstreamDataError")
LOGOUT_FAILED = done(4, NOTED)

CASES = (
    Case("connection refused", None, login(NOT_TAKEN, 4), back(NOT_TAKEN, 4), LOGOUT_FAILED),
    Case(
        "reset before the reply",
        Fault(kind="refuse"),
        login(AMBIGUOUS),
        back(TRANSIENT, 4),
        LOGOUT_FAILED,
    ),
    Case(
        "reset in mid-body",
        Fault(kind="reset"),
        login(AMBIGUOUS, session=LOST),
        back(TRANSIENT, 4),
        done(2),
    ),
    Case(
        "no answer in time",
        Fault(kind="timeout"),
        login(AMBIGUOUS),
        back("TimedOutError", 4),
        LOGOUT_FAILED,
    ),
    Case(
        "no answer in time to balances",
        Fault(kind="timeout"),
        fetch=back("TimedOutError", 2),
        call="balances",
    ),
    Case(
        "no answer in time, session opened",
        Fault(kind="timeout", after=True),
        login(AMBIGUOUS, session=LOST),
    ),
    Case(
        "401",
        status(401),
        Outcome(DEAD_LETTERED, "CredentialsRefusedError", session=NONE),
        back("SessionLostError"),
    ),
    Case("401, session gone", status(401, after=True), logout=done()),
    Case("403, locked out", status(403), login(LOCKED), DATA, done(session=NOTED)),
    Case("400", status(400), login(LOCKED), DATA, done(session=NOTED)),
    Case(
        "429 with Retry-After",
        status(429, headers={"Retry-After": "7"}),
        login(NOT_TAKEN, 4),
        back(NOT_TAKEN, 4),
        LOGOUT_FAILED,
    ),
    Case("503", status(503), login(AMBIGUOUS), back(TRANSIENT, 4), LOGOUT_FAILED),
    Case("503, session opened", status(503, after=True), login(AMBIGUOUS, session=LOST)),
    Case("503 once", status(503, times=1), login(AMBIGUOUS), done(2), done(2)),
    Case("HTML with status 200", Fault(kind="html"), login(LOCKED), DATA, done(session=NOTED)),
    Case("truncated JSON", Fault(kind="truncated"), login(LOCKED, session=LOST), DATA, done()),
    Case("empty object", Fault(kind="empty_object"), login(LOCKED, session=LOST), DATA, done()),
    Case("empty list of segments", Fault(kind="empty_list"), fetch=DATA, call="segments"),
    Case("wrong types", Fault(kind="wrong_types"), fetch=DATA),
    Case(
        "a field missing in a GL account, balances asked for",
        Fault(kind="missing_field"),
        fetch=DATA,
        asks=OCTOBER,
    ),
    Case(
        "a field missing in a GL account, programs asked for",
        Fault(kind="missing_field"),
        fetch=done(),
    ),
    Case(
        "the Program segment missing",
        Fault(kind="missing_segment"),
        fetch=DATA,
        call="segments",
    ),
    Case(
        "the Program segment missing, balances asked for",
        Fault(kind="missing_segment"),
        fetch=done(),
        call="segments",
        asks=OCTOBER,
    ),
    Case(
        "the GL segment missing, balances asked for",
        Fault(kind="missing_segment", title="GL"),
        fetch=DATA,
        call="segments",
        asks=OCTOBER,
    ),
    Case("programs shrunk by 90 percent", Fault(kind="shrink", percent=90.0), fetch=DATA),
    Case("executionResult FAILURE", Fault(kind="failure"), fetch=DATA, call="balances"),
    Case("an empty report", Fault(kind="empty_list"), fetch=DATA, call="balances"),
    Case(
        "an account with two of its three records",
        Fault(kind="missing_record"),
        fetch=DATA,
        call="balances",
    ),
    Case(
        "unbalanced amounts, once",
        Fault(kind="unbalanced", times=1),
        fetch=done(2),
        call="balances",
    ),
    Case(
        "unbalanced amounts, persisting",
        Fault(kind="unbalanced"),
        fetch=done(2),
        call="balances",
        new_lines=1,
    ),
    Case("amounts as strings", Fault(kind="string_amounts"), fetch=done(), call="balances"),
    Case(
        "amounts of 15 digits",
        Fault(kind="long_amounts"),
        fetch=done(),
        call="balances",
        new_lines=91,
    ),
)


@dataclass(frozen=True)
class Row:
    """One fault of one call."""

    case: Case
    call: str
    outcome: Outcome

    @property
    def asks(self) -> dict[str, str]:
        """The message that is delivered."""
        return self.case.asks or (OCTOBER if self.call == "balances" else PROGRAMS)

    @property
    def seen(self) -> int:
        """How many of the tries MIP saw."""
        return self.outcome.tries if self.case.what else 0

    @property
    def logins(self) -> int:
        """How many logins MIP saw."""
        return self.seen if self.call == "login" else 1


def rows() -> Iterator[Row]:
    for case in CASES:
        calls = (("login", case.login), (case.call, case.fetch), ("logout", case.logout))
        for call, outcome in calls:
            if outcome:
                yield Row(case, call, outcome)


def markdown() -> str:
    """Return the table for people."""
    lines = ["| Fault | of the login | of a fetch | of the logout |", "|---|---|---|---|"]
    for case in CASES:
        cells = (case.fault, *(str(o) if o else "" for o in (case.login, case.fetch, case.logout)))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def renewed(document: str) -> str:
    """Return the document with the present table in place of the one that it holds."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
