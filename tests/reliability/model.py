"""A randomised model: any order of reads, deliveries, kills, purges, faults and clock jumps."""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.datasets import PROGRAM_LISTS
from core.errors import (
    InvalidCommandError,
    QueueUnavailableError,
    StoreUnavailableError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.lookup import Found
from tests.builders import make_credentials
from tests.reliability.world import Life, World

CALLS = ("login", "segments", "accounts", "balances", "logout")
SECRETS = ("correct horse", "token-")
JUMPS = (0.5, 16, 61, 130, 301, 1900, 4000, 90_000)
DATASETS = ("programs", "balances")


class CacheModel(RuleBasedStateMachine):
    """The invariants are those of docs/architecture.md; each rule names what may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(readers=2)
        self.purged_at: datetime | None = None
        self.lost_sessions = 0

    @rule(reader=st.integers(0, 1), wait=st.sampled_from([0, 20]))
    def read_programs(self, reader: int, wait: int) -> None:
        """What is served is whole, was true at MIP once, and is newer than the last purge."""
        result = self.world.read(reader, PROGRAM_LISTS, wait)
        if isinstance(result, Found):
            assert 1 <= self.world.version_served(result) <= self.world.mip.version
            if self.purged_at is not None:
                assert result.loaded.entry.built_at > self.purged_at

    @rule(reader=st.integers(0, 1))
    def read_balances(self, reader: int) -> None:
        result = self.world.read(reader, self.world.balances)
        if isinstance(result, Found):
            assert result.loaded.entry.data

    @rule()
    def the_books_change(self) -> None:
        self.world.mip.change()

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule(steps=st.integers(1, 60))
    def deliver_and_kill(self, steps: int) -> None:
        self.world.deliver(Life(steps))
        self._note_lost_session()

    @rule(call=st.sampled_from(["segments", "accounts"]))
    def purge_while_a_rebuild_is_under_way(self, call: str) -> None:
        self.world.steer(action="refresh", dataset="programs")
        self.world.mip.during[call] = self.purge
        self.world.deliver()
        self.world.mip.during.clear()
        self.read_programs(0, 0)

    @rule()
    def purge(self) -> None:
        if self.world.built_at(PROGRAM_LISTS) is not None:
            self.purged_at = self.world.clock()
        self.world.steer(action="purge")
        self.world.clock.advance(seconds=0.01)

    @rule(name=st.sampled_from(DATASETS))
    def purge_softly(self, name: str) -> None:
        self.world.steer(action="purge", dataset=name, soft=True)

    @rule(accept_shrink=st.booleans())
    def refresh(self, accept_shrink: bool) -> None:
        self.world.steer(action="refresh", accept_shrink=accept_shrink)

    @rule()
    def redrive(self) -> None:
        self.world.steer(action="redrive", all=True)

    @rule()
    def discard_one(self) -> None:
        letters = self.world.dead_letters.letters
        try:
            self.world.steer(
                action="discard", message_id=letters[0].message_id if letters else "none"
            )
        except InvalidCommandError:
            assert not letters or letters[0].receives

    @rule(body=st.sampled_from(["", "[]", '{"dataset": "budgets"}', '{"dataset": "all", "x": 1}']))
    def poison(self, body: str) -> None:
        self.world.queue.send_again(body, f"poison-{self.world.clock()}")

    @rule(call=st.sampled_from(CALLS), times=st.integers(1, 4), permanent=st.booleans())
    def mip_fails(self, call: str, times: int, permanent: bool) -> None:
        wrong = permanent and call not in {"login", "logout"}
        error = UpstreamDataError("shape") if wrong else TransientUpstreamError("no line")
        self.world.mip.fail(call, *[error] * times)

    @rule()
    def mip_loses_the_reply_to_a_login(self) -> None:
        self.world.mip.loses_login_reply = True
        self.world.deliver()
        self.world.mip.loses_login_reply = False
        self._note_lost_session()

    @rule(operation=st.sampled_from(["read", "replace", "put", "delete"]))
    def s3_fails_during_a_delivery(self, operation: str) -> None:
        self.world.store.down = lambda done, _key: done == operation
        self.world.deliver()
        self.world.store.down = lambda _done, _key: False
        self._note_lost_session()

    @rule(method=st.sampled_from(["credentials", "store_session_token", "forget_session_token"]))
    def ssm_fails_during_a_delivery(self, method: str) -> None:
        self.world.secrets.down = {method}
        self.world.deliver()
        self.world.secrets.down = set()
        self._note_lost_session()

    @rule()
    def the_dead_letter_queue_fails_during_a_delivery(self) -> None:
        self.world.dead_letters.is_down = True
        self.world.deliver()
        self.world.dead_letters.is_down = False

    @rule()
    def sqs_fails_during_a_read(self) -> None:
        self.world.queue.is_down = True
        try:
            self.world.read()
        except QueueUnavailableError:
            assert self.world.built_at(PROGRAM_LISTS) is None
        finally:
            self.world.queue.is_down = False

    @rule()
    def s3_fails_during_a_read(self) -> None:
        self.world.store.down = lambda _done, _key: True
        try:
            self.world.read()
        except StoreUnavailableError:
            return
        finally:
            self.world.store.down = lambda _done, _key: False
        raise AssertionError("a body was served that S3 had not confirmed")

    @rule(right=st.booleans(), version=st.integers(2, 9))
    def credentials_change(self, right: bool, version: int) -> None:
        password = "correct horse" if right else "wrong horse"
        stored = make_credentials(password_version=version)
        self.world.secrets.stored = type(stored)(stored.username, password, stored.versions)

    @rule(seconds=st.sampled_from(JUMPS))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.advance(seconds=seconds)

    @invariant()
    def no_lock_out_is_caused(self) -> None:
        """But by a session whose token never reached us, until MIP lets it expire."""
        assert self.world.mip.lockouts == 0 or self.lost_sessions

    @invariant()
    def no_open_session_is_without_a_note(self) -> None:
        open_token, note = self.world.mip.open_token, self.world.secrets.token
        assert open_token in (None, note) or self.lost_sessions

    def teardown(self) -> None:
        """Once everything is healed, every message comes to its end, and nothing was told."""
        self.world.settle()
        written = self.world.written()
        for secret in SECRETS:
            assert secret not in written

    def _note_lost_session(self) -> None:
        if self.world.mip.open_token not in (None, self.world.secrets.token):
            self.lost_sessions += 1
