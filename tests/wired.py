"""The functions over fakes, wired as their composition roots wire them over AWS."""

from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from core.operating.dead_letters import DeadLetterCommands
from core.operating.purge import Purger
from core.operating.refresh import Refresher
from core.operating.status import StatusReport
from core.ports import EdgeCache
from core.reading.lookup import Lookup
from core.rebuilding.batch import BatchProcessor
from core.rebuilding.delivery import Delivery
from core.rebuilding.entries import Entries
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.refused_credentials import RefusedCredentials
from core.rebuilding.session import SessionKeeper
from core.rebuilding.settlement import Settlement
from core.settings import WorkerSettings
from handlers.proxy import Response, parse_request
from handlers.reader import respond
from handlers.wiring.admin import Admin
from handlers.wiring.reader import Reader
from tests.builders import make_admin_settings, make_reader_settings, make_worker_settings
from tests.fakes import (
    FakeClock,
    FakeSecrets,
    FakeUpstream,
    InMemoryDeadLetters,
    InMemoryStore,
    RecordingQueue,
    RecordingTelemetry,
)

INVOCATION_SECONDS = 300.0


class WiredWorker:
    """A worker, each of whose invocations gets a rebuilder and a settlement of its own.

    Every part may be replaced by one that behaves differently.
    """

    def __init__(
        self,
        *,
        clock: FakeClock,
        store: Any = None,
        queue: Any = None,
        dead_letters: Any = None,
        secrets: Any = None,
        upstream: Any = None,
        telemetry: RecordingTelemetry | None = None,
        settings: WorkerSettings | None = None,
        spread: float = 0.0,
    ) -> None:
        self.clock = clock
        self.store = store or InMemoryStore()
        self.queue = queue or RecordingQueue(clock)
        self.dead_letters = dead_letters or InMemoryDeadLetters(clock)
        self.secrets = secrets or FakeSecrets(clock)
        self.upstream = upstream or FakeUpstream()
        self.telemetry = telemetry or RecordingTelemetry()
        self.settings = settings or make_worker_settings()
        self._spread = spread

    def sessions(self, remaining_seconds: float = INVOCATION_SECONDS) -> SessionKeeper:
        return SessionKeeper(
            upstream=self.upstream,
            secrets=self.secrets,
            refused=RefusedCredentials(self.store, self.clock, self.settings),
            telemetry=self.telemetry,
            clock=self.clock,
            invocation_ends=self.clock.deadline(remaining_seconds),
            settings=self.settings,
        )

    def rebuilder(self, remaining_seconds: float = INVOCATION_SECONDS) -> Rebuilder:
        return Rebuilder(
            entries=Entries(self.store, self.telemetry, self.settings),
            upstream=self.upstream,
            sessions=self.sessions(remaining_seconds),
            telemetry=self.telemetry,
            clock=self.clock,
            settings=self.settings,
        )

    def settlement(self) -> Settlement:
        return Settlement(
            store=self.store,
            queue=self.queue,
            dead_letters=self.dead_letters,
            telemetry=self.telemetry,
            clock=self.clock,
            random=lambda: self._spread,
            settings=self.settings,
        )

    def batch_processor(self, remaining_seconds: float = INVOCATION_SECONDS) -> BatchProcessor:
        return BatchProcessor(
            rebuilder=self.rebuilder(remaining_seconds),
            settlement=self.settlement(),
            clock=self.clock,
            settings=self.settings,
        )

    def process(self, *deliveries: Delivery) -> list[str]:
        """Process one batch in one invocation; returns the ids of what must come back."""
        return self.batch_processor().process(deliveries, INVOCATION_SECONDS)

    def poll(self) -> int:
        """Receive a batch, process it, delete what is done; return how many were received."""
        deliveries = self.queue.receive()
        coming_back = self.process(*deliveries)
        for delivery in deliveries:
            if delivery.message_id not in coming_back:
                self.queue.acknowledge(delivery)
        return len(deliveries)


class WiredReader:
    """A reader's process, and its requests: events go in, responses come out."""

    def __init__(self, time_zone: str = "UTC", **settings: Any) -> None:
        self.clock = FakeClock()
        self.store = InMemoryStore()
        self.queue = RecordingQueue(self.clock)
        self.telemetry = RecordingTelemetry()
        self.settings = make_reader_settings(time_zone=ZoneInfo(time_zone), **settings)
        self.services = cache(self._services)

    def _services(self) -> Reader:
        telemetry: Any = self.telemetry
        lookup = Lookup(
            store=self.store,
            queue=self.queue,
            telemetry=telemetry,
            clock=self.clock,
            sleep=self.clock.sleep,
            settings=self.settings,
        )
        return Reader(self.settings, lookup, telemetry, self.clock, self.clock.monotonic)

    def read(self, event: dict[str, Any]) -> Response:
        return respond(parse_request(event, "invocation-1"), self.services())

    def get(
        self,
        resource: str,
        headers: dict[str, str] | None = None,
        context: dict[str, Any] | None = None,
        **parameters: str,
    ) -> Response:
        return self.read(
            {
                "httpMethod": "GET",
                "resource": resource,
                "path": resource,
                "headers": headers,
                "queryStringParameters": parameters or None,
                "requestContext": context,
            }
        )


def wired_admin(parts: Any, edge: EdgeCache) -> Admin:
    """Make what the admin's handler keeps; `parts` has the clock, the store and the others."""
    settings = make_admin_settings(balance_months=2)
    return Admin(
        settings=settings,
        telemetry=parts.telemetry,
        report=StatusReport(
            store=parts.store,
            queue=parts.queue,
            dead_letters=parts.dead_letters,
            session=parts.secrets,
            clock=parts.clock,
            settings=settings,
        ),
        purger=Purger(store=parts.store, edge=edge, clock=parts.clock, settings=settings),
        refresher=Refresher(queue=parts.queue, clock=parts.clock, settings=settings),
        dead_letters=DeadLetterCommands(parts.dead_letters, parts.queue, parts.telemetry),
    )
