"""Six hours without MIP under constant reads: served throughout, and nothing piles up."""

import pytest

from core.errors import AmbiguousLoginError, TransientUpstreamError
from core.model.datasets import PROGRAM_LISTS
from core.reading.lookup import Found
from tests.reliability.world import World

HOURS = 6
DOZEN = 12


def refused(call: str) -> None:
    raise TransientUpstreamError(f"no connection to MIP for {call}")


def no_answer_to_login(call: str) -> None:
    if call == "login":
        raise AmbiguousLoginError("MIP did not answer login in time; a session may be open")


def unavailable_after_login(call: str) -> None:
    if call not in {"login", "logout"}:
        raise TransientUpstreamError(f"MIP answered 503 to {call}")


OUTAGES = {
    "refused": (refused, 0.0),
    "refused slowly": (refused, 45.0),
    "login unanswered": (no_answer_to_login, 45.0),
    "unavailable after login": (unavailable_after_login, 5.0),
}


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
def test_outage_leaves_a_handful_of_dead_letters_and_recovers(outage: str, is_warm: bool) -> None:
    world = World(readers=3)
    if is_warm:
        world.read()
        world.deliver()
        world.clock.advance(hours=25)
    begun, logins = world.deliveries, world.mip.made["login"]
    world.mip.trouble, world.mip.seconds = OUTAGES[outage]
    world.pass_time(HOURS * 3600, each=lambda: check_reads(world, is_warm=is_warm))
    assert len(world.dead_letters.letters) <= DOZEN
    assert world.mip.made["login"] - logins <= world.deliveries - begun
    assert world.mip.locked_out_by == []
    world.mip.trouble, world.mip.seconds = (lambda _call: None), 0.0
    world.mip.change()
    world.pass_time(3700 + 300, each=world.read)
    assert world.version_served(world.read()) == 2


def check_reads(world: World, *, is_warm: bool) -> None:
    for reader in range(len(world.readers)):
        result = world.read(reader)
        if is_warm:
            assert world.version_served(result) == 1


def test_outage_under_reads_of_every_route_and_the_schedule_stays_countable() -> None:
    """Each route has its own pace, and the schedule one message."""
    world = World(readers=3)
    world.mip.trouble = refused

    def read_all() -> None:
        for reader in range(len(world.readers)):
            world.read(reader, PROGRAM_LISTS)
            world.read(reader, world.balances)

    world.steer(action="refresh")
    world.pass_time(HOURS * 3600, each=read_all)
    assert len(world.dead_letters.letters) <= 2 * DOZEN


def test_outage_that_ends_soon_leaves_no_dead_letter() -> None:
    world = World()
    world.mip.trouble = refused
    world.read()
    world.pass_time(100)
    world.mip.trouble = lambda _call: None
    world.pass_time(200)
    assert isinstance(world.read(), Found)
    assert world.dead_letters.letters == []
