"""What can go wrong with MIP Cloud at the press of a button, as faults of its stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.mip import CALLS, Fault, MipCloud

SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Preset:
    """Faults by call, seconds of latency for every call, and what the page says of them."""

    label: str
    meaning: str
    faults: Mapping[str, Fault] = field(default_factory=dict)
    latency_seconds: float | None = None


def _refused_login(label: str, meaning: str, status: int, message: str) -> Preset:
    fault = Fault("status", status=status, body={"message": message})
    return Preset(label, meaning, {"login": fault})


PRESETS: dict[str, Preset] = {
    "down": Preset("Down", "It takes no connection.", {call: Fault("refuse") for call in CALLS}),
    "slow": Preset("Slow", "Every call takes three seconds.", latency_seconds=SLOW_SECONDS),
    "locked_out": _refused_login(
        "Locked out",
        "Each login is refused: another session is open.",
        403,
        "the user is locked out",
    ),
    "bad_credentials": _refused_login(
        "Bad credentials",
        "Each login is refused: the password is wrong.",
        401,
        "user name, password or organisation is wrong",
    ),
    "shrunk_list": Preset(
        "Shrunk list",
        "Four of five programs are gone from its list.",
        {"accounts": Fault("shrink", percent=80)},
    ),
}


def switch_on(mip: MipCloud, name: str) -> list[str]:
    """Switch a preset on, and return those that it ends: a call can have one fault only."""
    ended = [other for other in active(mip) if other != name and _exclude(other, name)]
    for other in ended:
        switch_off(mip, other)
    for call, fault in PRESETS[name].faults.items():
        mip.set_fault(call, fault)
    if (seconds := PRESETS[name].latency_seconds) is not None:
        mip.set_latency(seconds)
    return ended


def switch_off(mip: MipCloud, name: str) -> None:
    """Switch a preset off."""
    for call in PRESETS[name].faults:
        mip.clear_faults(call)
    if PRESETS[name].latency_seconds is not None:
        mip.set_latency(0)


def heal(mip: MipCloud) -> None:
    """End all faults and latencies, also those that were not set here."""
    mip.clear_faults()
    mip.set_latency(0)


def active(mip: MipCloud) -> list[str]:
    """Which presets are on, as a whole."""
    state = mip.state()
    return [
        name
        for name, preset in PRESETS.items()
        if all(state["faults"].get(call) == it.as_json() for call, it in preset.faults.items())
        and preset.latency_seconds in (None, *_common(state["latency"]))
    ]


def others(mip: MipCloud) -> list[str]:
    """What else is wrong, a sentence each: what a person has set through `/_control/`."""
    state = mip.state()
    on = [PRESETS[name] for name in active(mip)]
    told = [
        f"{call} has the fault {fault['kind']}."
        for call, fault in state["faults"].items()
        if not any(call in preset.faults for preset in on)
    ]
    if any(preset.latency_seconds for preset in on):
        return told
    slow = [
        f"{call} takes {seconds:g} s longer."
        for call, seconds in state["latency"].items()
        if seconds
    ]
    return told + slow


def _exclude(one: str, other: str) -> bool:
    return bool(PRESETS[one].faults.keys() & PRESETS[other].faults.keys())


def _common(latency: Mapping[str, float]) -> set[float]:
    """The latency that every call has; empty where they differ."""
    found = {latency.get(call, 0.0) for call in CALLS}
    return found if len(found) == 1 else set()
