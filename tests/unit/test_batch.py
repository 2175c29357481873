"""A batch of deliveries, from parsing to settlement."""

from datetime import timedelta

import pytest

from core.batch import work_off
from core.datasets import PROGRAM_LISTS, entry_key, failure_key
from core.entry import encode
from core.errors import TransientUpstreamError, UpstreamDataError
from core.rebuild import Rebuilder
from core.session import RefusedCredentials, SessionKeeper
from core.settlement import Delivery, Settlement
from tests.builders import NOW, PREFIX, TODAY, make_body, make_delivery, make_entry, make_rules
from tests.fakes import (
    FakeClock,
    FakeSecrets,
    FakeUpstream,
    InMemoryDeadLetters,
    InMemoryStore,
    RecordingQueue,
    RecordingTelemetry,
)

REMAINING_SECONDS = 300.0
HELD_SECONDS = 310
SEPTEMBER_BODY = make_body("balances", **{"from": "2026-09-01", "to": "2026-09-30"})


class WorkerOnFakes:
    """The worker's use cases over fakes, wired as its composition root does."""

    def __init__(
        self,
        store: InMemoryStore,
        queue: RecordingQueue,
        dead_letters: InMemoryDeadLetters,
        secrets: FakeSecrets,
        upstream: FakeUpstream,
        telemetry: RecordingTelemetry,
        clock: FakeClock,
    ) -> None:
        sessions = SessionKeeper(
            upstream=upstream,
            secrets=secrets,
            refused=RefusedCredentials(store, clock, PREFIX, timedelta(hours=1)),
            telemetry=telemetry,
            invocation_ends=clock.deadline(10**9),
        )
        self._rebuilder = Rebuilder(
            store=store,
            upstream=upstream,
            sessions=sessions,
            telemetry=telemetry,
            clock=clock,
            rules=make_rules(),
        )
        self._settlement = Settlement(
            store=store,
            queue=queue,
            dead_letters=dead_letters,
            telemetry=telemetry,
            clock=clock,
            random=lambda: 0.0,
            cache_prefix=PREFIX,
        )
        self._queue = queue

    def work_off(self, *deliveries: Delivery) -> frozenset[str]:
        return work_off(
            deliveries,
            rebuilder=self._rebuilder,
            settlement=self._settlement,
            today=TODAY,
            remaining_seconds=REMAINING_SECONDS,
        )

    def poll(self) -> int:
        """Receive a batch, work it off, delete what is done; return how many were received."""
        deliveries = self._queue.receive()
        coming_back = self.work_off(*deliveries)
        for delivery in deliveries:
            if delivery.message_id not in coming_back:
                self._queue.acknowledge(delivery)
        return len(deliveries)


@pytest.fixture
def worker(
    store: InMemoryStore,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    secrets: FakeSecrets,
    upstream: FakeUpstream,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> WorkerOnFakes:
    return WorkerOnFakes(store, queue, dead_letters, secrets, upstream, telemetry, clock)


def test_batch_of_good_messages_leaves_nothing_to_come_back(
    worker: WorkerOnFakes, store: InMemoryStore
) -> None:
    deliveries = [make_delivery(message_id="a"), make_delivery(SEPTEMBER_BODY, message_id="b")]
    assert worker.work_off(*deliveries) == frozenset()
    assert len(store.objects) == 2


def test_batch_of_nothing_makes_no_call(worker: WorkerOnFakes, upstream: FakeUpstream) -> None:
    assert worker.work_off() == frozenset()
    assert upstream.calls == []


def test_batch_poison_message_is_dead_lettered_and_the_others_are_unharmed(
    worker: WorkerOnFakes, store: InMemoryStore, dead_letters: InMemoryDeadLetters
) -> None:
    deliveries = [
        make_delivery("no json", message_id="a"),
        make_delivery(message_id="b"),
        make_delivery(make_body(resaon="typo"), message_id="c"),
    ]
    assert worker.work_off(*deliveries) == frozenset()
    assert [letter.attributes["OriginalMessageId"] for letter in dead_letters.letters] == ["a", "c"]
    assert entry_key(PREFIX, PROGRAM_LISTS) in store.objects


def test_batch_of_poison_alone_opens_no_session(
    worker: WorkerOnFakes, upstream: FakeUpstream
) -> None:
    worker.work_off(make_delivery("no json"))
    assert upstream.calls == []


def test_batch_message_that_fails_comes_back_alone(
    worker: WorkerOnFakes, upstream: FakeUpstream
) -> None:
    upstream.fail("balances", UpstreamDataError("x"))
    deliveries = [make_delivery(SEPTEMBER_BODY, message_id="b"), make_delivery(message_id="p")]
    assert worker.work_off(*deliveries) == {"b"}


def test_batch_of_satisfied_messages_opens_no_session(
    worker: WorkerOnFakes, store: InMemoryStore, upstream: FakeUpstream
) -> None:
    store.put(entry_key(PREFIX, PROGRAM_LISTS), encode(make_entry()))
    assert worker.work_off(make_delivery(sent_at=NOW)) == frozenset()
    assert upstream.calls == []


def test_batch_settles_only_after_the_session_is_closed(
    worker: WorkerOnFakes, upstream: FakeUpstream, queue: RecordingQueue
) -> None:
    delays_at_logout: list[list[int]] = []
    upstream.during["logout"] = lambda: delays_at_logout.append(list(queue.delays.values()))
    upstream.fail("accounts", TransientUpstreamError("x"))
    worker.work_off(make_delivery())
    assert delays_at_logout == [[HELD_SECONDS]]
    assert list(queue.delays.values()) == [15]


def test_batch_messages_are_held_until_the_invocation_must_have_ended(
    worker: WorkerOnFakes, queue: RecordingQueue, secrets: FakeSecrets, upstream: FakeUpstream
) -> None:
    held_at_login: list[dict[str, int]] = []
    upstream.during["login"] = lambda: held_at_login.append(dict(queue.delays))
    deliveries = [make_delivery(message_id="a"), make_delivery("no json", message_id="b")]
    worker.work_off(*deliveries)
    assert held_at_login == [{d.receipt_handle: HELD_SECONDS for d in deliveries}]


def test_batch_that_cannot_be_held_is_worked_off_all_the_same(
    worker: WorkerOnFakes, queue: RecordingQueue, telemetry: RecordingTelemetry
) -> None:
    queue.is_down = True
    assert worker.work_off(make_delivery()) == frozenset()
    assert telemetry.warnings() == ["messages not held"]


def test_outage_is_retried_four_times_then_dead_lettered_once(
    worker: WorkerOnFakes,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    upstream: FakeUpstream,
    store: InMemoryStore,
    clock: FakeClock,
) -> None:
    upstream.replies["accounts"] = {"error": "maintenance"}
    queue.send_again(make_body(), "once")
    received = 0
    for _ in range(60):
        received += worker.poll()
        clock.advance(seconds=15)
    assert received == 5
    (letter,) = dead_letters.letters
    assert letter.attributes["Attempts"] == "5"
    assert queue.depth().visible == 0
    assert failure_key(PREFIX, PROGRAM_LISTS) in store.objects
    assert upstream.made["login"] == upstream.made["logout"] == 5


def test_bad_credentials_are_tried_once_however_many_messages_come(
    worker: WorkerOnFakes,
    queue: RecordingQueue,
    dead_letters: InMemoryDeadLetters,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    clock: FakeClock,
) -> None:
    upstream.accepted = type(secrets.stored)("someone", "else", {})
    for number in range(20):
        queue.send_again(make_body(), f"id-{number}")
        worker.poll()
        clock.advance(minutes=2)
    assert len(dead_letters.letters) == 20
    assert upstream.made["login"] == 1


def test_worker_that_died_in_mid_session_is_cleaned_up_by_the_next_batch(
    worker: WorkerOnFakes, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    secrets.token = upstream.open_token = "token-0"
    assert worker.work_off(make_delivery()) == frozenset()
    assert not upstream.is_locked
    assert upstream.open_token is None
