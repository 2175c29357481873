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
from core.settings import ReaderSettings, WorkerSettings
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


class Outside:
    """What lies outside of the functions."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = InMemoryStore()
        self.queue = RecordingQueue(self.clock)
        self.dead_letters = InMemoryDeadLetters(self.clock)
        self.secrets = FakeSecrets(self.clock)
        self.upstream = FakeUpstream()
        self.telemetry = RecordingTelemetry()

    def lookup(self, settings: ReaderSettings) -> Lookup:
        """Start a reader process that remembers nothing."""
        return Lookup(
            store=self.store,
            queue=self.queue,
            telemetry=self.telemetry,
            clock=self.clock,
            sleep=self.clock.sleep,
            settings=settings,
        )


class WiredWorker:
    """A worker, each of whose invocations gets a rebuilder and a settlement of its own.

    `outside` has the parts of an `Outside`, each of which may behave differently.
    """

    def __init__(
        self, outside: Any = None, settings: WorkerSettings | None = None, spread: float = 0.0
    ) -> None:
        outside = outside or Outside()
        self.clock: FakeClock = outside.clock
        self.store, self.queue = outside.store, outside.queue
        self.dead_letters, self.secrets = outside.dead_letters, outside.secrets
        self.upstream, self.telemetry = outside.upstream, outside.telemetry
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


class WiredReader(Outside):
    """A reader's process, and its requests: events go in, responses come out."""

    def __init__(self, time_zone: str = "UTC", **settings: Any) -> None:
        super().__init__()
        self.settings = make_reader_settings(time_zone=ZoneInfo(time_zone), **settings)
        self.services = cache(self._services)

    def _services(self) -> Reader:
        telemetry: Any = self.telemetry
        lookup = self.lookup(self.settings)
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


def wired_admin(outside: Any, edge: EdgeCache) -> Admin:
    """Make what the admin's handler keeps between its invocations."""
    settings = make_admin_settings(balance_months=2)
    return Admin(
        settings=settings,
        telemetry=outside.telemetry,
        report=StatusReport(
            store=outside.store,
            queue=outside.queue,
            dead_letters=outside.dead_letters,
            session=outside.secrets,
            clock=outside.clock,
            settings=settings,
        ),
        purger=Purger(store=outside.store, edge=edge, clock=outside.clock, settings=settings),
        refresher=Refresher(queue=outside.queue, clock=outside.clock, settings=settings),
        dead_letters=DeadLetterCommands(outside.dead_letters, outside.queue, outside.telemetry),
    )
