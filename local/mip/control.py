"""The stand-in's control paths: look at it, and make it misbehave, while it runs."""

from collections.abc import Callable
from typing import Any

from local.mip.faults import Fault
from local.mip.replies import Reply
from local.mip.sample.organisation import ChartAccount
from local.mip.service import MipCloud

PREFIX = "/_control/"

type _Action = Callable[[MipCloud, str | None, Any], Any]


def control(mip: MipCloud, method: str, path: str, body: object) -> Reply:
    """Answer a request below `/_control/`.

    Every change is answered with the state after it; what is wrong with a request, with 400 and
    a message that names what is allowed.
    """
    name, _, call = path.removeprefix(PREFIX).partition("/")
    methods = {verb for verb, known in _ACTIONS if known == name}
    if not methods or (call and name not in _PER_CALL):
        return Reply(404, {"message": f"there is no such path; there are {_choices()}"})
    if method not in methods:
        allow = ", ".join(sorted(methods))
        return Reply(405, {"message": f"allowed: {allow}"}, headers={"Allow": allow})
    try:
        return Reply(payload=_ACTIONS[method, name](mip, call or None, body))
    except ValueError as exc:
        return Reply(400, {"message": str(exc)})


def _choices() -> str:
    calls = dict.fromkeys(_PER_CALL, "/{call}")
    return ", ".join(f"{verb} {PREFIX}{name}{calls.get(name, '')}" for verb, name in _ACTIONS)


def _state(mip: MipCloud, _: str | None, __: Any) -> Any:
    return mip.state()


def _journal(mip: MipCloud, _: str | None, __: Any) -> Any:
    return [entry._asdict() for entry in mip.journal]


def _set_fault(mip: MipCloud, call: str | None, body: Any) -> Any:
    if call is None:
        raise ValueError(f"name the call: {PREFIX}faults/{{call}}")
    mip.set_fault(call, Fault.from_json(body))
    return mip.state()


def _clear_faults(mip: MipCloud, call: str | None, _: Any) -> Any:
    mip.clear_faults(call)
    return mip.state()


def _set_latency(mip: MipCloud, call: str | None, body: Any) -> Any:
    if not isinstance(body, dict) or body.keys() != {"seconds"}:
        raise ValueError('the body must be {"seconds": number}')
    mip.set_latency(body["seconds"], call)
    return mip.state()


def _clear_latency(mip: MipCloud, call: str | None, _: Any) -> Any:
    mip.set_latency(0, call)
    return mip.state()


def _set_credentials(mip: MipCloud, _: str | None, body: Any) -> Any:
    allowed = {"user", "password", "org"}
    if not isinstance(body, dict) or not body or not body.keys() <= allowed:
        raise ValueError("the body must be an object with user, password or org")
    if not all(isinstance(value, str) for value in body.values()):
        raise ValueError("user, password and org must be texts")
    mip.set_credentials(**body)
    return mip.state()


def _set_programs(mip: MipCloud, _: str | None, body: Any) -> Any:
    if not isinstance(body, list) or not all(map(_is_program, body)):
        raise ValueError("the body must be a list of objects with the texts code, status, title")
    mip.set_programs(ChartAccount(**program) for program in body)
    return mip.state()


def _is_program(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"code", "status", "title"}:
        return False
    return all(isinstance(text, str) for text in value.values())


def _reset(mip: MipCloud, _: str | None, __: Any) -> Any:
    mip.reset()
    return mip.state()


def _expire(mip: MipCloud, _: str | None, __: Any) -> Any:
    mip.expire_sessions()
    return mip.state()


_PER_CALL = ("faults", "latency")
_ACTIONS: dict[tuple[str, str], _Action] = {
    ("GET", "state"): _state,
    ("GET", "journal"): _journal,
    ("PUT", "faults"): _set_fault,
    ("DELETE", "faults"): _clear_faults,
    ("PUT", "latency"): _set_latency,
    ("DELETE", "latency"): _clear_latency,
    ("PUT", "credentials"): _set_credentials,
    ("PUT", "programs"): _set_programs,
    ("POST", "expire"): _expire,
    ("POST", "reset"): _reset,
}
