"""What can go wrong with MIP Cloud at the press of a button, as faults of its stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.mip import CALLS, Fault, MipCloud

SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Preset:
    """Faults by call, and seconds of latency for every call."""

    faults: Mapping[str, Fault] = field(default_factory=dict)
    latency_seconds: float | None = None


def _refused_login(status: int, message: str) -> Preset:
    return Preset({"login": Fault("status", status=status, body={"message": message})})


PRESETS: dict[str, Preset] = {
    "down": Preset({call: Fault("refuse") for call in CALLS}),
    "slow": Preset(latency_seconds=SLOW_SECONDS),
    "locked_out": _refused_login(403, "the user is locked out"),
    "bad_credentials": _refused_login(401, "user name, password or organisation is wrong"),
    "shrunk_list": Preset({"accounts": Fault("shrink", percent=80)}),
}


def switch_on(mip: MipCloud, name: str) -> None:
    """Switch a preset on, beside those that are on already."""
    for call, fault in PRESETS[name].faults.items():
        mip.set_fault(call, fault)
    if (seconds := PRESETS[name].latency_seconds) is not None:
        mip.set_latency(seconds)


def switch_off(mip: MipCloud, name: str | None = None) -> None:
    """Switch a preset off; every fault and latency if none is named."""
    preset = PRESETS[name] if name else Preset(dict.fromkeys(CALLS, Fault("refuse")), 0)
    for call in preset.faults:
        mip.clear_faults(call)
    if preset.latency_seconds is not None:
        mip.set_latency(0)


def active(mip: MipCloud) -> list[str]:
    """Which presets are on."""
    state = mip.state()
    return [
        name
        for name, preset in PRESETS.items()
        if all(state["faults"].get(call) == it.as_json() for call, it in preset.faults.items())
        and preset.latency_seconds in (None, *{state["latency"].get(call) for call in CALLS})
    ]
