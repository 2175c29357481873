"""What an operator can do with dead letters: look, send back, throw away."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from core.errors import InvalidCommandError, QueueUnavailableError
from core.model.messages import MESSAGE_GROUP
from core.operating.commands import Discard, ListDeadLetters, Redrive
from core.operating.dead_letters import DeadLetterCommands
from core.ports import DeadLetter, QueueDepth
from tests.builders import NOW, make_body
from tests.fakes import InMemoryDeadLetters
from tests.wired import Outside

ATTRIBUTES = {
    "ErrorType": "UpstreamDataError",
    "ErrorMessage": "MIP lists no active program",
    "FailedAt": "2026-10-15T11:59:00+00:00",
    "FirstSentAt": "2026-10-15T11:50:00+00:00",
    "Attempts": "5",
    "OriginalMessageId": "m-1",
}


class Unordered(InMemoryDeadLetters):
    """Letters of several message groups come in any order; after them the queue may fail."""

    breaks = False

    def receive_batches(self) -> Iterator[Sequence[DeadLetter]]:
        for batch in super().receive_batches():
            yield list(reversed(batch))
        if self.breaks:
            raise QueueUnavailableError("SQS ReceiveMessage: ServiceUnavailable")


class Commands(Outside, DeadLetterCommands):
    """The commands, and the two queues that they work on."""

    def __init__(self) -> None:
        Outside.__init__(self)
        self.dead_letters = Unordered(self.clock)
        DeadLetterCommands.__init__(self, self.dead_letters, self.queue, self.telemetry)

    def listed(self, limit: int = 1000) -> Any:
        return self.list(ListDeadLetters(limit))

    def redriven(self, message_id: str | None = None, *, dry_run: bool = False) -> Any:
        return self.redrive(Redrive(message_id, dry_run=dry_run))

    def discarded(self, message_id: str | None = None, *, dry_run: bool = False) -> Any:
        return self.discard(Discard(message_id, dry_run=dry_run))

    def fill(self, number: int) -> list[str]:
        """Send letters a minute apart; return their ids, the oldest first."""
        for n in range(number):
            attributes = ATTRIBUTES | {"OriginalMessageId": f"m-{n}"}
            self.dead_letters.send(make_body(reason=str(n)), attributes, f"m-{n}", f"m-{n}")
            self.clock.advance(minutes=1)
        return [letter.message_id for letter in self.dead_letters.letters]

    def move(self, number: int, group: str = MESSAGE_GROUP) -> None:
        """Have SQS move messages by its redrive policy, a minute apart."""
        for n in range(number):
            self.dead_letters.take_over(f"moved-{n}", make_body(reason=str(n)), group)
            self.clock.advance(minutes=1)

    @property
    def depth(self) -> QueueDepth:
        return self.dead_letters.depth()


@pytest.fixture
def commands() -> Commands:
    return Commands()


def test_list_tells_everything_of_a_letter(commands: Commands) -> None:
    commands.dead_letters.send(make_body(), ATTRIBUTES, "m-1", "m-1")
    assert commands.listed() == {
        "action": "dead_letters",
        "summary": "1 dead letter; the oldest come first",
        "count": 1,
        "messages": [
            {
                "message_id": "id-1",
                "body": make_body(),
                "error": {"type": "UpstreamDataError", "message": "MIP lists no active program"},
                "attempts": 5,
                "first_sent_at": "2026-10-15T11:50:00+00:00",
                "failed_at": "2026-10-15T11:59:00+00:00",
                "original_message_id": "m-1",
            }
        ],
    }


def test_letters_of_the_worker_that_sqs_moved_twice_are_given_groups_of_their_own(
    commands: Commands,
) -> None:
    """Sent back from the console they keep their attributes, and come again in one group."""
    for number in range(12):
        commands.dead_letters.send(make_body(), ATTRIBUTES, MESSAGE_GROUP, str(number))
    listed = commands.listed()
    assert listed["count"] == 12
    assert {message["error"]["type"] for message in listed["messages"]} == {"UpstreamDataError"}


@pytest.mark.parametrize("look", ["list", "dry run", "redrive", "discard"])
@pytest.mark.parametrize("group", [MESSAGE_GROUP, "misp"])
def test_letter_that_sqs_has_just_moved_is_never_lost(
    commands: Commands, look: str, group: str
) -> None:
    """A copy under the bare message id would be accepted and dropped, for five minutes."""
    commands.move(12, group)
    if look == "list":
        assert commands.listed()["count"] == 12
    elif look == "discard":
        assert commands.discarded("moved-3")["count"] == 1
    else:
        assert commands.redriven(dry_run=look == "dry run")["count"] == 12
    left = {"list": 12, "dry run": 12, "redrive": 0, "discard": 11}[look]
    assert commands.depth == QueueDepth(visible=left, in_flight=0)
    assert len(commands.queue.sent) == (12 if look == "redrive" else 0)


def test_list_letter_that_the_redrive_policy_moved_is_explained(commands: Commands) -> None:
    """When it was first sent, nobody can tell: SQS counts the time of a moved message anew."""
    commands.dead_letters.take_over("id-1", make_body())
    commands.clock.advance(minutes=3)
    (message,) = commands.listed()["messages"]
    assert message["error"]["type"] == "Unknown"
    assert "redrive policy" in message["error"]["message"]
    assert message["attempts"] == 5
    assert message["failed_at"] == message["first_sent_at"] == NOW.isoformat()
    assert message["original_message_id"] == "id-1"


def test_list_lists_all_of_one_group_of_which_sqs_shows_ten(commands: Commands) -> None:
    commands.move(25)
    listed = commands.listed()
    told = [
        (message["original_message_id"], json.loads(message["body"])["reason"])
        for message in listed["messages"]
    ]
    assert told == [(f"moved-{number}", str(number)) for number in range(25)]
    assert commands.depth == QueueDepth(visible=25, in_flight=0)
    assert commands.listed() == listed


def test_letter_of_the_shared_group_is_chosen_by_either_id(commands: Commands) -> None:
    commands.move(2)
    listed = commands.listed()["messages"]
    commands.redriven(listed[0]["message_id"])
    commands.redriven(listed[1]["original_message_id"])
    assert len(commands.queue.sent) == 2
    assert commands.dead_letters.letters == []


def test_letter_of_the_shared_group_that_cannot_be_copied_stays(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.move(3)

    def refuse(*_: object) -> None:
        raise QueueUnavailableError("SQS SendMessage: ServiceUnavailable")

    monkeypatch.setattr(commands.dead_letters, "send", refuse)
    with pytest.raises(QueueUnavailableError):
        commands.listed()
    assert commands.depth == QueueDepth(visible=3, in_flight=0)


def test_list_letter_with_attributes_of_somebody_else_is_listed(commands: Commands) -> None:
    commands.dead_letters.send("no JSON", {"Attempts": "many"}, "g", "1")
    commands.dead_letters.send("no JSON", {"ErrorType": "Mine", "Attempts": "9" * 5000}, "h", "2")
    second, first = commands.listed()["messages"]
    assert first["attempts"] is second["attempts"] is None
    assert first["error"]["type"] == "Unknown"
    assert second["error"] == {"type": "Mine", "message": "the letter does not say what failed"}


def test_list_shows_the_oldest_counts_all_and_hides_none(commands: Commands) -> None:
    ids = commands.fill(25)
    for limit in (1000, 3):
        listed = commands.listed(limit)
        assert [message["message_id"] for message in listed["messages"]] == ids[:limit]
        assert listed["count"] == 25
    assert commands.depth == QueueDepth(visible=25, in_flight=0)


def test_redrive_all_sends_back_and_then_deletes(commands: Commands) -> None:
    ids = commands.fill(12)
    result = commands.redriven()
    assert sorted(result.pop("message_ids")) == sorted(ids)
    assert result == {
        "action": "redrive",
        "summary": "12 dead letters sent back",
        "dry_run": False,
        "count": 12,
    }
    assert set(commands.queue.sent) == {make_body(reason=str(number)) for number in range(12)}
    assert commands.dead_letters.letters == []


def test_redrive_all_does_not_meet_what_is_dead_lettered_again_meanwhile(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poison message is back in the dead-letter queue faster than one looks."""
    commands.fill(3)
    send = commands.queue.send_again

    def poison(body: str, deduplication_id: str) -> str:
        commands.dead_letters.send(body, ATTRIBUTES, deduplication_id, deduplication_id)
        return send(body, deduplication_id)

    monkeypatch.setattr(commands.queue, "send_again", poison)
    assert commands.redriven()["count"] == 3
    assert len(commands.dead_letters.letters) == 3


def test_redriven_and_discarded_letters_are_told_with_their_correlation_id(
    commands: Commands,
) -> None:
    commands.dead_letters.send(make_body(correlation_id="c-1"), ATTRIBUTES, "m-1", "m-1")
    commands.redriven()
    commands.dead_letters.send("no JSON", ATTRIBUTES, "m-2", "m-2")
    commands.discarded()
    told = [(event, fields["correlation_id"]) for _, event, fields in commands.telemetry.events]
    assert told == [("dead letter redriven", "c-1"), ("dead letter discarded", "m-1")]


def test_redrive_again_within_five_minutes_is_never_swallowed(commands: Commands) -> None:
    for number in range(2):
        commands.dead_letters.send(make_body(), {}, "m-1", str(number))
        commands.redriven()
    assert len(commands.queue.sent) == 2


@pytest.mark.parametrize("by", ["message_id", "OriginalMessageId"])
def test_redrive_one_leaves_the_others_visible(commands: Commands, by: str) -> None:
    ids = commands.fill(12)
    chosen = ids[4] if by == "message_id" else "m-4"
    result = commands.redriven(chosen)
    assert result["message_ids"] == [ids[4]]
    assert commands.queue.sent == [make_body(reason="4")]
    assert commands.depth.visible == 11


def test_redrive_that_fails_half_way_hides_nothing(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.fill(3)
    send = commands.queue.send_again

    def send_one(body: str, deduplication_id: str) -> str:
        if commands.queue.sent:
            raise QueueUnavailableError("SQS SendMessage: ServiceUnavailable")
        return send(body, deduplication_id)

    monkeypatch.setattr(commands.queue, "send_again", send_one)
    with pytest.raises(QueueUnavailableError):
        commands.redriven()
    assert len(commands.queue.sent) == 1
    assert commands.depth.visible == 2


def test_discard_deletes_one_or_all_and_sends_nothing(commands: Commands) -> None:
    ids = commands.fill(12)
    assert commands.discarded(ids[1])["count"] == 1
    assert commands.depth == QueueDepth(visible=11, in_flight=0)
    assert ids[1] not in [letter.message_id for letter in commands.dead_letters.letters]
    assert commands.discarded()["count"] == 11
    assert (commands.dead_letters.letters, commands.queue.sent) == ([], [])


@pytest.mark.parametrize("message_id", [None, "id-2"])
def test_dry_run_only_tells(commands: Commands, message_id: str | None) -> None:
    commands.fill(3)
    count = 3 if message_id is None else 1
    assert commands.redriven(message_id, dry_run=True)["count"] == count
    assert commands.discarded(message_id, dry_run=True)["count"] == count
    assert commands.depth.visible == 3
    assert commands.queue.sent == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_unknown_message_id_is_refused_and_hides_nothing(commands: Commands, dry_run: bool) -> None:
    commands.fill(3)
    with pytest.raises(InvalidCommandError, match="no dead letter has this message_id"):
        commands.discarded("nobody", dry_run=dry_run)
    assert commands.depth.visible == 3


def test_list_that_fails_half_way_hides_nothing(commands: Commands) -> None:
    commands.fill(3)
    commands.dead_letters.breaks = True
    with pytest.raises(QueueUnavailableError):
        commands.listed()
    assert commands.depth.visible == 3
