"""The calls of MIP Cloud: their paths, and the bodies that they take."""

import json
from datetime import date
from typing import Any, NamedTuple


class Endpoint(NamedTuple):
    """Method and path of a call."""

    method: str
    path: str


ENDPOINTS = {
    "login": Endpoint("POST", "/api/v1/sso/mipadv/login"),
    "segments": Endpoint("GET", "/api/coa/segments"),
    "accounts": Endpoint("GET", "/api/coa/segments/accounts"),
    "balances": Endpoint("POST", "/api/model/CBODispBal/methods/GetAccountBalances"),
    "logout": Endpoint("POST", "/api/security/logout"),
}
CALLS = tuple(ENDPOINTS)


class CallRefusedError(Exception):
    """MIP answers a call with this status and message instead of doing it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class LoginRequest(NamedTuple):
    """What a login sends."""

    username: str
    password: str
    org: str


def check_call(name: str) -> None:
    """Raise ValueError, naming the choices, unless there is such a call."""
    if name not in ENDPOINTS:
        raise ValueError(f"there is no call {name!r}; the calls are {', '.join(CALLS)}")


def parse_login(body: object) -> LoginRequest:
    """Read a login's body. Raises CallRefusedError (400) when a field is missing or no text."""
    names = LoginRequest._fields
    fields = [body.get(name) for name in names] if isinstance(body, dict) else []
    texts = [value for value in fields if isinstance(value, str)]
    if len(texts) != len(names):
        raise CallRefusedError(400, f"a login needs the texts {', '.join(names)}")
    return LoginRequest(*texts)


def balances_body(start: str, end: str) -> dict[str, Any]:
    """Return the body with which MIP's own web page asks for a period's GL balances."""
    segment_filter = [
        {"GRID_PHY_ID": 0},
        {"FILTER_SELECT": True},
        {"FILTER_ORDER": -1},
        {"FILTER_FIX": False},
        {"FILTER_DATATYPE": 10},
        {"FILTER_FIELDTYPE": 40},
        {"FILTER_ITEM": "GL"},
        {"FILTER_OPERATOR": "<>"},
        {"FILTER_CRITERIA1": "<Blank>"},
        {"FILTER_CRITERIA2": ""},
    ]
    model = {
        "fields": [{"DISPBAL_DATEFROM": start}, {"DISPBAL_DATETO": end}],
        "DISPBAL_SEGINFO": [{"fields": segment_filter}],
    }
    return {
        "BOInformation": {"constructor": {}, "ModelFields": model},
        "MethodParameters": {"strJson": '{"level":1}'},
    }


def parse_balances(body: Any) -> tuple[date, date]:
    """Return the first and last day that a balances body asks for.

    Raises CallRefusedError (400) when the body differs from what MIP's page sends in anything
    but the two dates and the spacing, or these are no dates (YYYY-MM-DD).
    """
    try:
        fields = body["BOInformation"]["ModelFields"]["fields"]
        start = date.fromisoformat(fields[0]["DISPBAL_DATEFROM"])
        end = date.fromisoformat(fields[1]["DISPBAL_DATETO"])
        inner = json.loads(body["MethodParameters"]["strJson"])
    except (KeyError, IndexError, TypeError, ValueError):
        raise CallRefusedError(
            400, "ModelFields.fields must hold DISPBAL_DATEFROM and DISPBAL_DATETO (YYYY-MM-DD)"
        ) from None
    expected = balances_body(start.isoformat(), end.isoformat())
    given = body | {"MethodParameters": body["MethodParameters"] | {"strJson": '{"level":1}'}}
    # As text, in which 1 is not true.
    if inner != {"level": 1} or _text(given) != _text(expected):
        raise CallRefusedError(400, "the body is not the one that MIP's own page sends")
    return start, end


def _text(body: Any) -> str:
    return json.dumps(body, sort_keys=True)
