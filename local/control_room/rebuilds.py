"""The worker's last invocations as timelines, read from what it logs.

When a call to MIP Cloud is over, the worker writes a metric of it (`MipSeconds`), and when an entry
is stored, a line. What lies between the last call and that line is the storing.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

KEPT = 20


@dataclass
class Step:
    """One thing that the worker did; `name` is a call of MIP Cloud, `pause` or `store`."""

    name: str
    seconds: float
    about: str = ""


@dataclass
class Rebuild:
    """One batch, from its START line to its END line; `seconds` is None until then."""

    number: int
    began_at: str
    asked: Sequence[str]
    """What the messages name, a text for each."""
    attempt: int
    waited_seconds: float
    """Since the oldest of the messages was sent."""
    steps: list[Step] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float | None = None


class Rebuilds:
    """Follows the worker, of which one runs at a time. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: deque[Rebuild] = deque(maxlen=KEPT)
        self._records: Sequence[Mapping[str, Any]] = ()
        self._count = 0
        self._began = self._step_ended = now()

    def on_batch(self, event: str) -> None:
        """Note the event that the worker is about to be given."""
        self._records = json.loads(event)["Records"]

    def on_line(self, line: str, fields: Mapping[str, Any] | None) -> None:
        """Follow the worker by a line of its log, whose JSON has these fields if it is JSON."""
        with self._lock:
            if line.startswith("START "):
                self._begin()
            elif rebuild := self._under_way():
                if line.startswith("END "):
                    rebuild.seconds = self._since(self._began)
                elif fields:
                    self._on_fields(rebuild, fields)

    @property
    def running(self) -> int | None:
        """The number of the rebuild that is under way."""
        with self._lock:
            rebuild = self._under_way()
            return rebuild.number if rebuild else None

    def as_json(self) -> list[dict[str, Any]]:
        """The kept rebuilds, the newest first."""
        with self._lock:
            return [asdict(rebuild) for rebuild in reversed(self._kept)]

    def _under_way(self) -> Rebuild | None:
        return self._kept[-1] if self._kept and self._kept[-1].seconds is None else None

    def _begin(self) -> None:
        records, self._records = self._records, ()
        self._count += 1
        self._began = self._step_ended = now = self._now()
        sent = [int(record["attributes"]["SentTimestamp"]) / 1000 for record in records]
        waited = now.timestamp() - min(sent, default=now.timestamp())
        receives = [int(record["attributes"]["ApproximateReceiveCount"]) for record in records]
        self._kept.append(
            Rebuild(
                self._count,
                now.isoformat(timespec="milliseconds"),
                [_asked(record["body"]) for record in records],
                max(receives, default=1),
                round(max(0.0, waited), 3),
            )
        )

    def _on_fields(self, rebuild: Rebuild, fields: Mapping[str, Any]) -> None:
        event = fields.get("message")
        if "MipSeconds" in fields:
            self._add(rebuild, str(fields.get("call")), _number(fields["MipSeconds"]))
        elif event == "call retried":
            self._add(rebuild, "pause", float(fields.get("backoff_seconds", 0)))
        elif event == "entry rebuilt":
            about = str(fields.get("dataset"))
            self._add(rebuild, "store", self._since(self._step_ended), about)
        elif "error_type" in fields and fields["error_type"] not in rebuild.errors:
            rebuild.errors.append(str(fields["error_type"]))

    def _add(self, rebuild: Rebuild, name: str, seconds: float, about: str = "") -> None:
        rebuild.steps.append(Step(name, round(seconds, 3), about))
        self._step_ended = self._now()

    def _since(self, then: datetime) -> float:
        return round((self._now() - then).total_seconds(), 3)


def _number(value: Any) -> float:
    """A metric's value, which Powertools writes as a list."""
    return float(value[0] if isinstance(value, list) else value)


def _asked(body: str) -> str:
    """What a message names; "?" for one that names nothing."""
    try:
        found = json.loads(body)
        period = f" {found['from']} to {found['to']}" if "from" in found else ""
        return f"{found['dataset']}{period}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return "?"
