"""A rebuild that is needed is never dropped, though SQS remembers ids for five minutes."""

from typing import Any

import pytest

from core.errors import UpstreamDataError
from core.reading.lookup import Found, Outcome
from tests.reliability.world import World

PURGE: dict[str, Any] = {"action": "purge"}
SOFT_PURGE = PURGE | {"soft": True}
REFRESH = {"action": "refresh", "dataset": "programs"}


@pytest.fixture
def world() -> World:
    """A world whose programs have just been built for a reader that missed them."""
    world = World()
    world.read()
    world.deliver()
    world.clock.advance(seconds=1)
    return world


@pytest.fixture
def failing(world: World) -> World:
    """A world in which a rebuild has just ended in a dead letter."""
    world.mip.fail("accounts", *[UpstreamDataError("no list")] * 5)
    world.steer(**PURGE)
    world.read()
    world.pass_time(8 * 60)
    assert len(world.dead_letters.letters) == 1
    return world


def rebuilt_version(world: World) -> int:
    """Let the books change, the queue be worked off, and read."""
    world.mip.change()
    world.deliver()
    world.clock.advance(seconds=6)
    return world.version_served(world.read(1))


def test_expiry_leads_to_a_rebuild(world: World) -> None:
    world.clock.advance(hours=24)
    assert isinstance(found := world.read(), Found)
    assert found.outcome is Outcome.STALE
    assert rebuilt_version(world) == 2


@pytest.mark.parametrize("payload", [PURGE, SOFT_PURGE, REFRESH])
def test_command_leads_to_a_rebuild_however_soon_after_the_one_before(
    world: World, payload: dict[str, Any]
) -> None:
    for version in (2, 3):
        world.steer(**payload)
        world.read()
        assert rebuilt_version(world) == version


def test_second_soft_purge_of_a_stale_entry_leads_to_a_rebuild(world: World) -> None:
    for _ in range(2):
        world.steer(**SOFT_PURGE)
        world.read()
    assert rebuilt_version(world) == 2


def test_failure_leads_to_a_rebuild_once_it_has_been_waited_out(failing: World) -> None:
    failing.pass_time(6 * 60, each=failing.read)
    assert failing.version_served(failing.read()) == 1


def test_purge_during_a_pause_leads_to_a_rebuild_at_once(failing: World) -> None:
    failing.steer(**PURGE)
    failing.read()
    assert rebuilt_version(failing) == 2


def test_redriven_message_is_not_taken_for_its_first_life(failing: World) -> None:
    failing.steer(action="redrive", all=True)
    assert rebuilt_version(failing) == 2


def test_readers_that_come_all_at_once_queue_one_message(world: World) -> None:
    world.clock.advance(hours=24)
    sent = len(world.queue.sent)
    for _ in range(100):
        for reader in range(len(world.readers)):
            world.read(reader)
    assert len(world.queue.sent) == sent + 1
