"""The worker's use cases over fakes, wired as its composition root wires them over AWS."""

from typing import Any

from core.rebuilding.batch import BatchProcessor
from core.rebuilding.delivery import Delivery
from core.rebuilding.entries import Entries
from core.rebuilding.rebuild import Rebuilder
from core.rebuilding.refused_credentials import RefusedCredentials
from core.rebuilding.session import SessionKeeper
from core.rebuilding.settlement import Settlement
from core.settings import WorkerSettings
from tests.builders import make_worker_settings
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

    def rebuilder(self) -> Rebuilder:
        return Rebuilder(
            entries=Entries(self.store, self.telemetry, self.settings),
            upstream=self.upstream,
            sessions=self.sessions(),
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

    def process(self, *deliveries: Delivery) -> list[str]:
        """Process one batch in one invocation; returns the ids of what must come back."""
        processor = BatchProcessor(
            rebuilder=self.rebuilder(),
            settlement=self.settlement(),
            clock=self.clock,
            settings=self.settings,
        )
        return processor.process(deliveries, INVOCATION_SECONDS)

    def poll(self) -> int:
        """Receive a batch, process it, delete what is done; return how many were received."""
        deliveries = self.queue.receive()
        coming_back = self.process(*deliveries)
        for delivery in deliveries:
            if delivery.message_id not in coming_back:
                self.queue.acknowledge(delivery)
        return len(deliveries)
