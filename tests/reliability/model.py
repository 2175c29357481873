"""A randomised model: any order of reads, deliveries, kills, purges, faults and clock jumps."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.errors import (
    InvalidCommandError,
    QueueUnavailableError,
    StoreUnavailableError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.datasets import PROGRAM_LISTS, Dataset
from core.reading.ask import QUEUE_PAUSE
from core.reading.load import earlier_days
from core.reading.lookup import Found, NotFound, Outcome
from tests.builders import make_credentials
from tests.reliability.world import World

CALLS = ("login", "segments", "accounts", "balances", "logout")
SECRETS = ("correct horse", "token-")
NOTES = ("noted_session", "note_session", "note_no_session")
JUMPS = (0.5, 16, 61, 130, 301, 1900, 4000, 90_000)
FOREIGN = st.sampled_from(["misp", "m-1"])
PROGRAMS = '{"dataset": "programs"}'


@contextmanager
def changed(part: object, **values: object) -> Iterator[None]:
    """For a while something of the world is different."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(part, name, value)
        yield


class CacheModel(RuleBasedStateMachine):
    """The invariants are those of docs/architecture.md; each rule names what may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(readers=2)
        self.purged_at = datetime.min.replace(tzinfo=UTC)
        self.lost_tokens: set[str] = set()
        self.sqs_left_alone_until = self.world.clock()

    @rule(reader=st.integers(0, 1), wait=st.sampled_from([0, 20]))
    def read_programs(self, reader: int, wait: int) -> None:
        """What is served is whole, was true at MIP once, and is newer than the last purge."""
        result = self._read(reader, PROGRAM_LISTS, wait)
        if isinstance(result, Found):
            assert 1 <= self.world.version_served(result) <= self.world.mip.version

    @rule(reader=st.integers(0, 1))
    def read_balances(self, reader: int) -> None:
        """What is served is of this period or an earlier day's, and newer than the last purge."""
        balances = self.world.balances
        result = self._read(reader, balances)
        if isinstance(result, Found):
            is_earlier = result.outcome is Outcome.EARLIER_DAY
            allowed = earlier_days(balances.period) if is_earlier else [balances]
            assert result.loaded.entry.dataset in allowed

    @rule()
    def the_books_change(self) -> None:
        self.world.mip.change()

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule(steps=st.integers(1, 60))
    def deliver_and_kill(self, steps: int) -> None:
        self.world.deliver(steps)
        self._note_lost_session()

    @rule(call=st.sampled_from(["segments", "accounts"]))
    def purge_while_a_rebuild_is_under_way(self, call: str) -> None:
        self.world.steer(action="refresh", dataset="programs")
        self._deliver_with(self.world.mip, during={call: self.purge})
        self.read_programs(0, 0)

    @rule()
    def purge(self) -> None:
        self.purged_at = self.world.clock()
        self.world.steer(action="purge")
        self.world.clock.advance(seconds=0.01)

    @rule(group=FOREIGN, call=st.sampled_from(CALLS))
    def a_foreign_group_brings_a_second_worker_in_mid_session(self, group: str, call: str) -> None:
        """It must not touch the first one's session: it makes no call to MIP at all."""
        self.world.steer(action="refresh", dataset="programs")
        made: list[int] = []

        def second_worker() -> None:
            self.a_message_comes_in_a_foreign_group(group)
            before = len(self.world.mip.calls)
            self.world.deliver()
            made.append(len(self.world.mip.calls) - before)

        self._deliver_with(self.world.mip, during={call: second_worker})
        assert sum(made) == 0

    @rule(group=FOREIGN)
    def a_message_comes_in_a_foreign_group(self, group: str) -> None:
        self.world.queue.send_again(PROGRAMS, f"{group} {self.world.clock()}", group)

    @rule()
    def sqs_redrives_by_itself(self) -> None:
        """As the console does: each letter keeps its message group."""
        self.world.dead_letters.move_all(self.world.queue)

    @rule(group=st.sampled_from(["mips", "misp"]))
    def sqs_moves_a_message_by_its_redrive_policy(self, group: str) -> None:
        self.world.dead_letters.take_over(f"moved {self.world.clock()}", PROGRAMS, group)

    @rule()
    def look_at_the_dead_letters(self) -> None:
        before = len(self.world.dead_letters.letters)
        assert self.world.steer(action="dead_letters")["count"] == before
        assert len(self.world.dead_letters.letters) == before

    @rule(operation=st.sampled_from(["create", "replace"]))
    def s3_loses_an_answer_during_a_delivery(self, operation: str) -> None:
        self._deliver_with(self.world.store, is_answer_lost=lambda done, _: done == operation)

    @rule(name=st.sampled_from(["programs", "balances"]))
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
        chosen = letters[0].message_id if letters else "none"
        try:
            self.world.steer(action="discard", message_id=chosen)
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
        self._deliver_with(self.world.mip, loses_login_reply=True)

    @rule(operation=st.sampled_from(["read", "create", "replace", "put", "delete"]))
    def s3_fails_during_a_delivery(self, operation: str) -> None:
        self._deliver_with(self.world.store, down=lambda done, _: done == operation)

    @rule(method=st.sampled_from(["credentials", *NOTES]))
    def ssm_fails_during_a_delivery(self, method: str) -> None:
        self._deliver_with(self.world.secrets, down={method})

    @rule()
    def the_dead_letter_queue_fails_during_a_delivery(self) -> None:
        self._deliver_with(self.world.dead_letters, is_down=True)

    @rule()
    def sqs_fails_during_a_read(self) -> None:
        self.sqs_left_alone_until = self.world.clock() + QUEUE_PAUSE
        with changed(self.world.queue, is_down=True):
            try:
                self.world.read()
            except QueueUnavailableError:
                assert self.world.built_at(PROGRAM_LISTS) is None

    @rule()
    def s3_fails_during_a_read(self) -> None:
        """No body is served that S3 has not confirmed."""
        with (
            changed(self.world.store, down=lambda _done, _key: True),
            pytest.raises(StoreUnavailableError),
        ):
            self.world.read()

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
        assert set(self.world.mip.locked_out_by) <= self.lost_tokens

    @invariant()
    def no_open_session_is_without_a_note(self) -> None:
        self.world.mip.expire()
        assert self._unnoted() <= self.lost_tokens

    @invariant()
    def nothing_fresh_is_shown_as_failing_for_a_conflict(self) -> None:
        for entry in self.world.steer(action="status")["entries"]:
            error = entry["last_error"] or {"error_type": ""}
            assert error["error_type"] != "ConflictError"

    def teardown(self) -> None:
        """Once everything is healed, every message comes to its end, and nothing was told."""
        self.world.settle()
        written = self.world.written()
        for secret in SECRETS:
            assert secret not in written

    def _read(self, reader: int, dataset: Dataset, wait: float = 0) -> Found | NotFound | None:
        """Read; None while a reader leaves alone the queue that it could not reach."""
        try:
            result = self.world.read(reader, dataset, wait)
        except QueueUnavailableError:
            assert self.world.clock() < self.sqs_left_alone_until
            return None
        if isinstance(result, Found):
            assert result.loaded.entry.built_at > self.purged_at
        return result

    def _deliver_with(self, part: object, **values: object) -> None:
        with changed(part, **values):
            self.world.deliver()
        self._note_lost_session()

    def _unnoted(self) -> set[str]:
        """The session that is open at MIP, if no note tells of it."""
        return {self.world.mip.open_token} - {None, self.world.secrets.token}

    def _note_lost_session(self) -> None:
        self.lost_tokens |= self._unnoted()
