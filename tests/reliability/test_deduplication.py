"""A rebuild that is needed is never dropped, though SQS remembers ids for five minutes."""

from typing import Any

import pytest

from core.errors import UpstreamDataError
from core.model.datasets import PROGRAM_LISTS
from core.reading.lookup import Found, Outcome
from tests.reliability.world import World


@pytest.fixture
def world() -> World:
    """A world whose programs have just been built for a reader that missed them."""
    world = World()
    world.read()
    world.deliver()
    world.clock.advance(seconds=1)
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


@pytest.mark.parametrize(
    "purges",
    [
        pytest.param([{}], id="within the minute of the miss before it"),
        pytest.param([{"soft": True}], id="soft"),
        pytest.param([{"soft": True}] * 2, id="soft, of a stale entry"),
    ],
)
def test_purge_leads_to_a_rebuild(world: World, purges: list[dict[str, bool]]) -> None:
    for purge in purges:
        world.steer(action="purge", **purge)
        world.read()
    assert rebuilt_version(world) == 2


def test_two_purges_within_a_minute_lead_to_two_rebuilds(world: World) -> None:
    for version in (2, 3):
        world.steer(action="purge")
        world.read()
        assert rebuilt_version(world) == version


def test_failure_leads_to_a_rebuild_once_it_has_been_waited_out(world: World) -> None:
    world.mip.fail("accounts", *[UpstreamDataError("no list")] * 5)
    world.steer(action="purge")
    world.read()
    world.pass_time(8 * 60)
    assert len(world.dead_letters.letters) == 1
    world.pass_time(6 * 60, each=world.read)
    assert world.built_at(PROGRAM_LISTS) is not None


@pytest.mark.parametrize("command", [{"action": "purge"}, {"action": "redrive", "all": True}])
def test_command_during_a_pause_leads_to_a_rebuild_at_once(
    world: World, command: dict[str, Any]
) -> None:
    """SQS must not take a redriven message for its first life."""
    world.mip.fail("accounts", *[UpstreamDataError("no list")] * 5)
    world.steer(action="refresh", dataset="programs")
    world.pass_time(8 * 60)
    assert len(world.dead_letters.letters) == 1
    world.steer(**command)
    world.read()
    assert rebuilt_version(world) == 2


def test_refreshes_in_a_row_are_each_queued(world: World) -> None:
    for version in (2, 3):
        world.steer(action="refresh", dataset="programs")
        assert rebuilt_version(world) == version


def test_readers_that_come_all_at_once_queue_one_message(world: World) -> None:
    world.clock.advance(hours=24)
    sent = len(world.queue.sent)
    for _ in range(100):
        for reader in range(len(world.readers)):
            world.read(reader)
    assert len(world.queue.sent) == sent + 1
