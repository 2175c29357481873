"""A simulated world: the real use cases over the fakes, on one clock that moves when told to.

Readers, workers that can be killed, an operator, a queue that forgets nothing for five minutes and
has a redrive policy, and a MIP Cloud whose books change and whose sessions expire.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from core.errors import LockedOutError
from core.model.datasets import PROGRAM_LISTS, Dataset, balances_of, entry_key
from core.model.entry import CacheEntry, ProgramLists, Tombstone, decode
from core.model.messages import parse_message
from core.model.periods import period_for
from core.operating.commands import parse_command
from core.ports import Credentials
from core.reading.lookup import Found, NotFound
from core.rebuilding.delivery import Delivery
from core.timing import Deadline
from handlers.admin import perform
from tests.builders import PREFIX, make_accounts_reply, make_credentials, make_reader_settings
from tests.fakes import FakeClock, FakeUpstream, RecordingEdge, RecordingQueue
from tests.wired import INVOCATION_SECONDS, Outside, WiredWorker, wired_admin

IDLE_EXPIRY = timedelta(minutes=10)
"""What MIP's vendor says of a session that nobody uses."""


class WorkerKilledError(BaseException):
    """The worker's process is gone; nothing of it runs any more, no clean-up either."""


class Killable:
    """Something that a worker uses: each call can be the last, before or after its effect."""

    def __init__(self, target: Any, steps: Iterator[int]) -> None:
        self._target = target
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._spend_a_step()
            result = getattr(self._target, name)(*args, **kwargs)
            self._spend_a_step()
            return result

        return call

    def _spend_a_step(self) -> None:
        if next(self._steps, None) is None:
            raise WorkerKilledError


class ChangingMip(FakeUpstream):
    """MIP Cloud with books that change: every version names its one program after itself.

    An idle session expires, and with it a lock-out. `trouble` may raise at any call; `seconds` is
    how long a call takes. `locked_out_by` lists the session that was open at each lock-out.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self._used_at = clock()
        self.version = 0
        self.trouble: Callable[[str], None] = lambda _call: None
        self.seconds = 0.0
        self.locked_out_by: list[str | None] = []
        self.change()

    def change(self) -> None:
        self.version += 1
        self.replies["accounts"] = make_accounts_reply(
            [("12345600", "A", f"version {self.version}")]
        )

    def expire(self) -> None:
        """End the session if nobody has used it for long."""
        if self._clock() - self._used_at > IDLE_EXPIRY:
            self.unlock()

    def log_in(self, credentials: Credentials, deadline: Deadline) -> str:
        self.expire()
        try:
            return super().log_in(credentials, deadline)
        except LockedOutError:
            self.locked_out_by.append(self.open_token)
            raise

    def _begin(self, call: str) -> None:
        self._clock.advance(seconds=self.seconds)
        super()._begin(call)
        self.trouble(call)
        self._used_at = self._clock()


class World(Outside):
    """Everything, with the steps that a test or a model takes."""

    def __init__(self, readers: int = 2) -> None:
        super().__init__()
        self.queue = RecordingQueue(self.clock, redrive_to=self.dead_letters)
        self.upstream = self.mip = ChangingMip(self.clock)
        self.deliveries = 0
        self.readers = [self.lookup(make_reader_settings()) for _ in range(readers)]
        self._admin = wired_admin(self, RecordingEdge(None))

    @property
    def balances(self) -> Dataset:
        """The balances of the present period."""
        today = self.clock().date()
        return balances_of(period_for(today, today))

    def read(
        self, reader: int = 0, dataset: Dataset = PROGRAM_LISTS, wait: float = 0
    ) -> Found | NotFound:
        return self.readers[reader].find(dataset, self.clock.patience(wait), "request-1")

    def version_served(self, result: Found | NotFound) -> int:
        """Which version of the books a body comes from; it must be all there."""
        assert isinstance(result, Found)
        data = result.loaded.entry.data
        assert isinstance(data, ProgramLists)
        [name] = data.active.values()
        assert data.with_inactive == data.active
        return int(name.removeprefix("version "))

    def deliver(self, steps: int = 1_000_000) -> None:
        """Do once what the event source mapping does; the worker is killed after so many steps."""
        deliveries = self.queue.receive(hidden_for_seconds=6 * INVOCATION_SECONDS)
        if not deliveries:
            return
        self.deliveries += 1
        with suppress(WorkerKilledError):
            failed = self._worker(iter(range(steps))).process(*deliveries)
            for delivery in deliveries:
                if delivery.message_id not in failed:
                    self._check_settled(delivery)
                    self.queue.acknowledge(delivery)

    def steer(self, **payload: Any) -> Any:
        """Do what an operator's payload asks for."""
        return perform(parse_command(payload, self.clock().date()), self._admin, "c-1")

    def pass_time(self, seconds: float, step: float = 10, each: Callable[[], Any] = int) -> None:
        """Let time pass in steps; in each something happens, then the queue is polled."""
        until = self.clock() + timedelta(seconds=seconds)
        while self.clock() < until:
            each()
            self.deliver()
            self.clock.advance(seconds=step)

    def settle(self) -> None:
        """Heal everything and run until nothing is queued any more."""
        self.mip._failures.clear()
        self.secrets.stored = make_credentials(user_version=99)
        for _ in range(200):
            if not any(self.queue.messages):
                return
            self.deliver()
            self.clock.advance(minutes=7)
        raise AssertionError("the queue does not come to rest")

    def written(self) -> str:
        """Everything that was logged, stored, queued or dead-lettered, as text."""
        letters = [(letter.body, letter.attributes) for letter in self.dead_letters.letters]
        bodies = [stored.body for stored in self.store.objects.values()]
        return repr(
            (self.telemetry.events, self.telemetry.metrics, self.queue.sent, letters, bodies)
        )

    def _worker(self, steps: Iterator[int]) -> WiredWorker:
        services = ("store", "queue", "dead_letters", "secrets", "upstream")
        killable = {name: Killable(getattr(self, name), steps) for name in services}
        outside = SimpleNamespace(clock=self.clock, telemetry=self.telemetry, **killable)
        return WiredWorker(outside, spread=0.5)

    def _check_settled(self, delivery: Delivery) -> None:
        """A message may only leave the queue satisfied, or dead-lettered with a reason."""
        for letter in self.dead_letters.letters:
            if letter.attributes.get("OriginalMessageId") == delivery.message_id:
                assert letter.attributes["ErrorType"]
                assert letter.attributes["ErrorMessage"]
                return
        if delivery.group != "mips":
            assert any(m.body == delivery.body for m in self.queue.messages)
            return
        message = parse_message(delivery.body, self.clock().date())
        for dataset in message.selection.datasets(self.clock().date(), 2):
            found = self._stored(dataset)
            if isinstance(found, Tombstone) and found.purged_at is not None:
                # It was satisfied when the worker looked, and has been purged since.
                assert found.purged_at >= delivery.sent_at
                continue
            assert isinstance(found, CacheEntry)
            assert found.built_at >= delivery.sent_at

    def built_at(self, dataset: Dataset) -> datetime | None:
        found = self._stored(dataset)
        return found.built_at if isinstance(found, CacheEntry) else None

    def _stored(self, dataset: Dataset) -> CacheEntry | Tombstone | None:
        stored = self.store.objects.get(entry_key(PREFIX, dataset))
        return decode(stored.body, dataset) if stored else None
