"""The stand-in's control paths: look at it, and make it misbehave, while it runs."""

from collections.abc import Callable, Mapping
from typing import Any

from local.mip.faults import Fault
from local.mip.replies import Reply
from local.mip.service import MipCloud

PREFIX = "/_control/"

# Given the stand-in, the call that the path names (or None), and the body.
type _Action = Callable[[MipCloud, str | None, Any], object]


def control(mip: MipCloud, method: str, path: str, body: object) -> Reply:
    """Answer a request below `/_control/`.

    Every change is answered with the state after it; what is wrong with a request, with 400 and
    a message that names what is allowed.
    """
    name, _, call = path.removeprefix(PREFIX).partition("/")
    methods = {verb for verb, known in _ACTIONS if known == name}
    if not methods or (call and name not in _PER_CALL):
        choices = ", ".join(
            f"{verb} {PREFIX}{known}{'/{call}' if known in _PER_CALL else ''}"
            for verb, known in _ACTIONS
        )
        return Reply(404, {"message": f"there is no such path; there are {choices}"})
    if method not in methods:
        allow = ", ".join(sorted(methods))
        return Reply(405, {"message": f"allowed: {allow}"}, headers={"Allow": allow})
    try:
        _ACTIONS[method, name](mip, call or None, body)
    except ValueError as exc:
        return Reply(400, {"message": str(exc)})
    return Reply(payload=mip.state())


def _set_fault(mip: MipCloud, call: str | None, body: Any) -> None:
    if call is None:
        raise ValueError(f"name the call: {PREFIX}faults/{{call}}")
    mip.set_fault(call, Fault.from_json(body))


def _set_latency(mip: MipCloud, call: str | None, body: Any) -> None:
    if not isinstance(body, dict) or body.keys() != {"seconds"}:
        raise ValueError('the body must be {"seconds": number}')
    mip.set_latency(body["seconds"], call)


def _set_credentials(mip: MipCloud, _: str | None, body: Any) -> None:
    given = body if isinstance(body, dict) else {}
    texts = all(isinstance(text, str) for text in given.values())
    if not given or not texts or not given.keys() <= {"user", "password", "org"}:
        raise ValueError("the body must be an object with the texts user, password or org")
    mip.set_credentials(**given)


_PER_CALL = ("faults", "latency")
_ACTIONS: Mapping[tuple[str, str], _Action] = {
    ("GET", "state"): lambda *_: None,
    ("PUT", "faults"): _set_fault,
    ("DELETE", "faults"): lambda mip, call, _: mip.clear_faults(call),
    ("PUT", "latency"): _set_latency,
    ("DELETE", "latency"): lambda mip, call, _: mip.set_latency(0, call),
    ("PUT", "credentials"): _set_credentials,
    ("POST", "expire"): lambda mip, *_: mip.expire_sessions(),
    ("POST", "reset"): lambda mip, *_: mip.reset(),
}
