"""What can go wrong with MIP Cloud at the press of a button, as faults of its stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.control_room.doors import Doors
from local.mip import CALLS

SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Disturbance:
    """Faults by call, and seconds of latency for every call."""

    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    latency_seconds: float | None = None


DISTURBANCES: dict[str, Disturbance] = {
    "down": Disturbance({call: {"kind": "refuse"} for call in CALLS}),
    "slow": Disturbance(latency_seconds=SLOW_SECONDS),
    "locked_out": Disturbance(
        {
            "login": {
                "kind": "status",
                "status": 403,
                "body": {"message": "the user is locked out"},
            }
        }
    ),
    "bad_credentials": Disturbance(
        {
            "login": {
                "kind": "status",
                "status": 401,
                "body": {"message": "user name, password or organisation is wrong"},
            }
        }
    ),
    "shrunk_list": Disturbance({"accounts": {"kind": "shrink", "percent": 80}}),
}


def disturb(doors: Doors, name: str) -> None:
    """Switch a disturbance on, beside those that are on already."""
    chosen = DISTURBANCES[name]
    for call, fault in chosen.faults.items():
        doors.mip("PUT", f"faults/{call}", fault)
    if chosen.latency_seconds is not None:
        doors.mip("PUT", "latency", {"seconds": chosen.latency_seconds})


def heal(doors: Doors, name: str | None = None) -> None:
    """Switch a disturbance off, or everything that is on."""
    if name is None:
        doors.mip("DELETE", "faults")
        doors.mip("DELETE", "latency")
        return
    chosen = DISTURBANCES[name]
    for call in chosen.faults:
        doors.mip("DELETE", f"faults/{call}")
    if chosen.latency_seconds is not None:
        doors.mip("DELETE", "latency")


def active(state: Mapping[str, Any]) -> list[str]:
    """Which disturbances are on, given the stand-in's state."""
    return [name for name, each in DISTURBANCES.items() if _is_on(each, state)]


def _is_on(each: Disturbance, state: Mapping[str, Any]) -> bool:
    faults, latency = state["faults"], state["latency"]
    faulty = all(faults.get(call) == fault for call, fault in each.faults.items())
    slow = each.latency_seconds is None or all(
        latency.get(call) == each.latency_seconds for call in CALLS
    )
    return faulty and slow
