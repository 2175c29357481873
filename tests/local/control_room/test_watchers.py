"""The parts behind the stream: queues per watcher, the chronicle, and the observing thread."""

import threading
import time
from collections.abc import Iterator

import pytest

from local.control_room.chronicle import KEPT, Chronicle
from local.control_room.happenings import Happening
from local.control_room.observer import Observer
from local.control_room.watchers import MOST_UNSENT, Watchers
from tests.local.toy_stack import eventually


def test_who_does_not_read_is_cut_and_nobody_waits_for_them() -> None:
    watchers = Watchers()
    slow, quick = watchers.add(), watchers.add()
    told = quick.events()
    for number in range(MOST_UNSENT + 1):
        watchers.tell(b"%d" % number)
        assert next(told) == b"%d" % number
    assert len(list(slow.events())) == MOST_UNSENT


def test_who_comes_after_the_end_is_told_nothing() -> None:
    watchers = Watchers()
    watchers.close()
    assert list(watchers.add().events()) == [b""]


def test_the_chronicle_keeps_the_last_happenings_that_the_log_shows() -> None:
    chronicle = Chronicle(Watchers())
    for number in range(KEPT + 1):
        chronicle.add(Happening("api", f"number {number}", ()))
    chronicle.add(Happening("reader", "not listed", (), listed=False))
    kept = [event.decode() for event in chronicle.kept()]
    assert len(kept) == KEPT
    assert '"number 1"' in kept[0]
    assert f'"number {KEPT}"' in kept[-1]


@pytest.fixture
def looks() -> list[float]:
    return []


@pytest.fixture
def watched() -> threading.Event:
    return threading.Event()


@pytest.fixture
def observer(looks: list[float], watched: threading.Event) -> Iterator[Observer]:
    def look() -> dict[str, str]:
        looks.append(time.monotonic())
        return {"always": "the same"}

    observer = Observer(look, lambda _: None, watched.is_set)
    yield observer
    observer.request_stop()
    observer.join()


def test_nothing_is_looked_at_while_nobody_watches(
    observer: Observer, looks: list[float], watched: threading.Event
) -> None:
    before = threading.active_count()
    observer.nudge()
    assert threading.active_count() == before
    watched.set()
    observer.welcome()
    assert eventually(lambda: looks)
    watched.clear()
    seen = len(looks)
    for _ in range(4):
        observer.nudge()
        assert eventually(lambda: not observer._nudged.is_set())
    # One look may have been under way when the last watcher went.
    assert len(looks) <= seen + 1


def test_the_same_state_is_told_once_and_once_to_each_newcomer(
    looks: list[float], watched: threading.Event
) -> None:
    told: list[object] = []
    watched.set()

    def look() -> dict[str, str]:
        looks.append(0)
        return {"always": "the same"}

    observer = Observer(look, told.append, watched.is_set)
    observer.welcome()
    assert eventually(lambda: len(looks) >= 3)
    assert len(told) == 1
    observer.welcome()
    assert eventually(lambda: len(told) == 2)
    observer.request_stop()
    observer.join()


def test_what_was_told_before_the_end_is_sent_still() -> None:
    watchers = Watchers()
    watcher = watchers.add()
    watchers.tell(b"farewell")
    watchers.close()
    assert list(watcher.events()) == [b"farewell", b""]
