"""What each fault of MIP Cloud leads to. `python -m tests.faults.table` writes docs/faults.md anew.

Each row starts with a warm cache, and a message that asks for newer data; the worker is given it
once. Readers are served good data in every row, so the table has no column for that.
"""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from local.mip_cloud import Fault

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

SATISFIED = "satisfied"
COMES_BACK = "comes back"
DEAD_LETTERED = "dead-lettered"


@dataclass(frozen=True)
class Row:
    """One fault of one call; `what` None: nobody listens where the call goes.

    `calls` is how often that call was tried in the invocation. `session_left`: MIP has a session
    open afterwards; `noted`: its token is in the parameter store, so the next run logs it out.
    `new_lines`: how many lines of the report differ from the one before, where MIP's do.
    """

    fault: str
    call: str
    what: Fault | None
    message: str
    error: str | None = None
    calls: int = 1
    session_left: bool = False
    noted: bool = False
    new_lines: int = 0

    @property
    def seen(self) -> int:
        """How many of the tries MIP saw."""
        return self.calls if self.what else 0

    @property
    def logins(self) -> int:
        """How many logins MIP saw."""
        return self.seen if self.call == "login" else 1

    @property
    def session(self) -> str:
        """What became of the session, in words."""
        if self.call == "login" and not self.session_left:
            return "none"
        if self.noted:
            return "noted: the next run logs it out first"
        return "open, unknown to us: until MIP's idle expiry" if self.session_left else "closed"


ROWS = (
    Row("connection refused", "login", None, COMES_BACK, "RequestNotTakenError", calls=4),
    Row("connection refused", "segments", None, COMES_BACK, "RequestNotTakenError", calls=4),
    Row("connection refused", "accounts", None, COMES_BACK, "RequestNotTakenError", calls=4),
    Row("connection refused", "balances", None, COMES_BACK, "RequestNotTakenError", calls=4),
    Row(
        "connection refused",
        "logout",
        None,
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row(
        "reset before the reply",
        "login",
        Fault(kind="refuse"),
        COMES_BACK,
        "AmbiguousLoginError",
    ),
    Row(
        "reset before the reply",
        "segments",
        Fault(kind="refuse"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "reset before the reply",
        "accounts",
        Fault(kind="refuse"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "reset before the reply",
        "balances",
        Fault(kind="refuse"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "reset before the reply",
        "logout",
        Fault(kind="refuse"),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row(
        "reset in mid-body",
        "login",
        Fault(kind="reset"),
        COMES_BACK,
        "AmbiguousLoginError",
        session_left=True,
    ),
    Row(
        "reset in mid-body",
        "segments",
        Fault(kind="reset"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "reset in mid-body",
        "accounts",
        Fault(kind="reset"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "reset in mid-body",
        "balances",
        Fault(kind="reset"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row("reset in mid-body", "logout", Fault(kind="reset"), SATISFIED, calls=2),
    Row("no answer in time", "login", Fault(kind="timeout"), COMES_BACK, "AmbiguousLoginError"),
    Row(
        "no answer in time",
        "segments",
        Fault(kind="timeout"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "no answer in time",
        "accounts",
        Fault(kind="timeout"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "no answer in time",
        "balances",
        Fault(kind="timeout"),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "no answer in time",
        "logout",
        Fault(kind="timeout"),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row(
        "no answer in time, session opened",
        "login",
        Fault(kind="timeout", after=True),
        COMES_BACK,
        "AmbiguousLoginError",
        session_left=True,
    ),
    Row("401", "login", Fault(kind="status", status=401), DEAD_LETTERED, "CredentialsRefusedError"),
    Row("401", "segments", Fault(kind="status", status=401), COMES_BACK, "SessionLostError"),
    Row("401", "accounts", Fault(kind="status", status=401), COMES_BACK, "SessionLostError"),
    Row("401", "balances", Fault(kind="status", status=401), COMES_BACK, "SessionLostError"),
    Row("401", "logout", Fault(kind="status", status=401, after=True), SATISFIED),
    Row("403, locked out", "login", Fault(kind="status", status=403), COMES_BACK, "LockedOutError"),
    Row(
        "403, locked out",
        "segments",
        Fault(kind="status", status=403),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "403, locked out",
        "accounts",
        Fault(kind="status", status=403),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "403, locked out",
        "balances",
        Fault(kind="status", status=403),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "403, locked out",
        "logout",
        Fault(kind="status", status=403),
        SATISFIED,
        session_left=True,
        noted=True,
    ),
    Row("400", "login", Fault(kind="status", status=400), COMES_BACK, "LockedOutError"),
    Row("400", "segments", Fault(kind="status", status=400), COMES_BACK, "UpstreamDataError"),
    Row("400", "accounts", Fault(kind="status", status=400), COMES_BACK, "UpstreamDataError"),
    Row("400", "balances", Fault(kind="status", status=400), COMES_BACK, "UpstreamDataError"),
    Row(
        "400", "logout", Fault(kind="status", status=400), SATISFIED, session_left=True, noted=True
    ),
    Row(
        "429",
        "login",
        Fault(kind="status", status=429),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429",
        "segments",
        Fault(kind="status", status=429),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429",
        "accounts",
        Fault(kind="status", status=429),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429",
        "balances",
        Fault(kind="status", status=429),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429",
        "logout",
        Fault(kind="status", status=429),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row(
        "429 with Retry-After",
        "login",
        Fault(kind="status", status=429, headers={"Retry-After": "7"}),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429 with Retry-After",
        "segments",
        Fault(kind="status", status=429, headers={"Retry-After": "7"}),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429 with Retry-After",
        "accounts",
        Fault(kind="status", status=429, headers={"Retry-After": "7"}),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429 with Retry-After",
        "balances",
        Fault(kind="status", status=429, headers={"Retry-After": "7"}),
        COMES_BACK,
        "RequestNotTakenError",
        calls=4,
    ),
    Row(
        "429 with Retry-After",
        "logout",
        Fault(kind="status", status=429, headers={"Retry-After": "7"}),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row("500", "login", Fault(kind="status", status=500), COMES_BACK, "AmbiguousLoginError"),
    Row(
        "500",
        "segments",
        Fault(kind="status", status=500),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "500",
        "accounts",
        Fault(kind="status", status=500),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "500",
        "balances",
        Fault(kind="status", status=500),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "500",
        "logout",
        Fault(kind="status", status=500),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row("503", "login", Fault(kind="status", status=503), COMES_BACK, "AmbiguousLoginError"),
    Row(
        "503",
        "segments",
        Fault(kind="status", status=503),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "503",
        "accounts",
        Fault(kind="status", status=503),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "503",
        "balances",
        Fault(kind="status", status=503),
        COMES_BACK,
        "TransientUpstreamError",
        calls=4,
    ),
    Row(
        "503",
        "logout",
        Fault(kind="status", status=503),
        SATISFIED,
        calls=4,
        session_left=True,
        noted=True,
    ),
    Row(
        "500, session opened",
        "login",
        Fault(kind="status", status=500, after=True),
        COMES_BACK,
        "AmbiguousLoginError",
        session_left=True,
    ),
    Row(
        "503 once",
        "login",
        Fault(kind="status", status=503, times=1),
        COMES_BACK,
        "AmbiguousLoginError",
    ),
    Row("503 once", "segments", Fault(kind="status", status=503, times=1), SATISFIED, calls=2),
    Row("503 once", "accounts", Fault(kind="status", status=503, times=1), SATISFIED, calls=2),
    Row("503 once", "balances", Fault(kind="status", status=503, times=1), SATISFIED, calls=2),
    Row("503 once", "logout", Fault(kind="status", status=503, times=1), SATISFIED, calls=2),
    Row("HTML with status 200", "login", Fault(kind="html"), COMES_BACK, "LockedOutError"),
    Row("HTML with status 200", "segments", Fault(kind="html"), COMES_BACK, "UpstreamDataError"),
    Row("HTML with status 200", "accounts", Fault(kind="html"), COMES_BACK, "UpstreamDataError"),
    Row("HTML with status 200", "balances", Fault(kind="html"), COMES_BACK, "UpstreamDataError"),
    Row(
        "HTML with status 200",
        "logout",
        Fault(kind="html"),
        SATISFIED,
        session_left=True,
        noted=True,
    ),
    Row(
        "truncated JSON",
        "login",
        Fault(kind="truncated"),
        COMES_BACK,
        "LockedOutError",
        session_left=True,
    ),
    Row("truncated JSON", "segments", Fault(kind="truncated"), COMES_BACK, "UpstreamDataError"),
    Row("truncated JSON", "accounts", Fault(kind="truncated"), COMES_BACK, "UpstreamDataError"),
    Row("truncated JSON", "balances", Fault(kind="truncated"), COMES_BACK, "UpstreamDataError"),
    Row("truncated JSON", "logout", Fault(kind="truncated"), SATISFIED),
    Row(
        "empty object",
        "login",
        Fault(kind="empty_object"),
        COMES_BACK,
        "LockedOutError",
        session_left=True,
    ),
    Row("empty object", "segments", Fault(kind="empty_object"), COMES_BACK, "UpstreamDataError"),
    Row("empty object", "accounts", Fault(kind="empty_object"), COMES_BACK, "UpstreamDataError"),
    Row("empty object", "balances", Fault(kind="empty_object"), COMES_BACK, "UpstreamDataError"),
    Row("empty object", "logout", Fault(kind="empty_object"), SATISFIED),
    Row("empty list", "segments", Fault(kind="empty_list"), COMES_BACK, "UpstreamDataError"),
    Row("empty list", "accounts", Fault(kind="empty_list"), COMES_BACK, "UpstreamDataError"),
    Row("empty list", "balances", Fault(kind="empty_list"), COMES_BACK, "UpstreamDataError"),
    Row("wrong types", "segments", Fault(kind="wrong_types"), COMES_BACK, "UpstreamDataError"),
    Row("wrong types", "accounts", Fault(kind="wrong_types"), COMES_BACK, "UpstreamDataError"),
    Row("wrong types", "balances", Fault(kind="wrong_types"), COMES_BACK, "UpstreamDataError"),
    Row(
        "a field missing", "segments", Fault(kind="missing_field"), COMES_BACK, "UpstreamDataError"
    ),
    Row(
        "a field missing", "accounts", Fault(kind="missing_field"), COMES_BACK, "UpstreamDataError"
    ),
    Row(
        "a field missing", "balances", Fault(kind="missing_field"), COMES_BACK, "UpstreamDataError"
    ),
    Row(
        "the Program segment missing",
        "segments",
        Fault(kind="missing_segment"),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "the GL segment missing",
        "segments",
        Fault(kind="missing_segment", title="GL"),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "programs shrunk by 90 percent",
        "accounts",
        Fault(kind="shrink", percent=90.0),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "executionResult FAILURE",
        "balances",
        Fault(kind="failure"),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "an account with two of its three records",
        "balances",
        Fault(kind="missing_record"),
        COMES_BACK,
        "UpstreamDataError",
    ),
    Row(
        "unbalanced amounts, once",
        "balances",
        Fault(kind="unbalanced", times=1),
        SATISFIED,
        calls=2,
    ),
    Row(
        "unbalanced amounts, persisting",
        "balances",
        Fault(kind="unbalanced"),
        SATISFIED,
        calls=2,
        new_lines=1,
    ),
    Row("amounts as strings", "balances", Fault(kind="string_amounts"), SATISFIED),
    Row("amounts of 15 digits", "balances", Fault(kind="long_amounts"), SATISFIED, new_lines=91),
)


def markdown() -> str:
    """Return the table for people; calls that fare alike share a line."""
    lines = [
        "| Fault | Call | Message | Tries of the call | Logins | Session |",
        "|---|---|---|---|---|---|",
    ]
    for (fault, *cells), rows in groupby(ROWS, key=_cells):
        calls = ", ".join(row.call for row in rows)
        lines.append("| " + " | ".join([fault, calls, *cells]) + " |")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    message = f"{row.message}: `{row.error}`" if row.error else row.message
    return row.fault, message, str(row.calls), str(row.logins), row.session


def renewed(document: str) -> str:
    """Return the document with the present table in place of the one that it holds."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
