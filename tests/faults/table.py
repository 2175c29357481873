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


def kind(name: str, **more: Any) -> Fault:
    return Fault(kind=name, **more)


def of_balances(fault: str, what: Fault, outcome: Outcome, new_lines: int = 0) -> Case:
    return Case(fault, what, fetch=outcome, call="balances", new_lines=new_lines)


def of_segments(fault: str, what: Fault, outcome: Outcome, asks: Any = None) -> Case:
    return Case(fault, what, fetch=outcome, call="segments", asks=asks)


TRANSIENT, NOT_TAKEN = "TransientUpstreamError", "RequestNotTakenError"
AMBIGUOUS, LOCKED = "AmbiguousLoginError", "LockedOutError"
DATA = back("UpstreamDataError")
TIMED_OUT = "TimedOutError"
SESSION_LOST = login(AMBIGUOUS, session=LOST)
LOGOUT_FAILED, UNCONFIRMED = done(4, NOTED), done(session=NOTED)
FOUR_TRIES = (back(TRANSIENT, 4), LOGOUT_FAILED)
REFUSED = Outcome(DEAD_LETTERED, "CredentialsRefusedError", session=NONE)
HANGS, HANGS_AFTER = kind("timeout"), kind("timeout", after=True)
WAIT = status(429, headers={"Retry-After": "7"})
NO_PROGRAM, NO_GL = kind("missing_segment"), kind("missing_segment", title="GL")
FIELD = "a field missing in a GL account"

CASES = (
    Case("connection refused", None, login(NOT_TAKEN, 4), back(NOT_TAKEN, 4), LOGOUT_FAILED),
    Case("reset before the reply", kind("refuse"), login(AMBIGUOUS), *FOUR_TRIES),
    Case("reset in mid-body", kind("reset"), SESSION_LOST, back(TRANSIENT, 4), done(2)),
    Case("no answer in time", HANGS, login(AMBIGUOUS), back(TIMED_OUT, 4), LOGOUT_FAILED),
    of_balances("no answer in time to balances", HANGS, back(TIMED_OUT, 2)),
    Case("no answer in time, session opened", HANGS_AFTER, SESSION_LOST),
    Case("401", status(401), REFUSED, back("SessionLostError")),
    Case("401, session gone", status(401, after=True), logout=done()),
    Case("403, locked out", status(403), login(LOCKED), DATA, UNCONFIRMED),
    Case("400", status(400), login(LOCKED), DATA, UNCONFIRMED),
    Case("429 with Retry-After", WAIT, login(NOT_TAKEN, 4), back(NOT_TAKEN, 4), LOGOUT_FAILED),
    Case("503", status(503), login(AMBIGUOUS), *FOUR_TRIES),
    Case("503, session opened", status(503, after=True), SESSION_LOST),
    Case("503 once", status(503, times=1), login(AMBIGUOUS), done(2), done(2)),
    Case("HTML with status 200", kind("html"), login(LOCKED), DATA, UNCONFIRMED),
    Case("truncated JSON", kind("truncated"), login(LOCKED, session=LOST), DATA, done()),
    Case("empty object", kind("empty_object"), login(LOCKED, session=LOST), DATA, done()),
    of_segments("empty list of segments", kind("empty_list"), DATA),
    Case("wrong types", kind("wrong_types"), fetch=DATA),
    Case(f"{FIELD}, balances asked for", kind("missing_field"), fetch=DATA, asks=OCTOBER),
    Case(f"{FIELD}, programs asked for", kind("missing_field"), fetch=done()),
    of_segments("the Program segment missing", NO_PROGRAM, DATA),
    of_segments("the Program segment missing, balances asked for", NO_PROGRAM, done(), OCTOBER),
    of_segments("the GL segment missing, balances asked for", NO_GL, DATA, OCTOBER),
    Case("programs shrunk by 90 percent", kind("shrink", percent=90.0), fetch=DATA),
    of_balances("executionResult FAILURE", kind("failure"), DATA),
    of_balances("an empty report", kind("empty_list"), DATA),
    of_balances("an account with two of its three records", kind("missing_record"), DATA),
    of_balances("unbalanced amounts, once", kind("unbalanced", times=1), done(2)),
    of_balances("unbalanced amounts, persisting", kind("unbalanced"), done(2), new_lines=1),
    of_balances("amounts as strings", kind("string_amounts"), done()),
    of_balances("amounts of 15 digits", kind("long_amounts"), done(), new_lines=91),
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
