"""What every rebuild queue and every dead-letter queue promises."""

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.model.messages import RebuildMessage, parse_message
from core.model.selection import Selection
from core.ports import DeadLetter, DeadLetterQueue, QueueDepth, RebuildQueue
from tests.builders import NOW
from tests.contract.conftest import Receive

MESSAGE = RebuildMessage(Selection.of(PROGRAM_LISTS), reason="miss", correlation_id="abc")
Rebuilds = tuple[RebuildQueue, Receive]


def test_sent_message_is_received_as_it_was_and_once(rebuilds: Rebuilds) -> None:
    """SQS drops what has the same deduplication id."""
    queue, receive = rebuilds
    for id_ in ("id-1", "id-1", "id-2"):
        assert queue.send(MESSAGE, id_)
    assert [parse_message(body, NOW.date()) for _, body in receive()] == [MESSAGE, MESSAGE]


def test_messages_wait_while_one_of_their_group_is_in_flight(rebuilds: Rebuilds) -> None:
    queue, receive = rebuilds
    queue.send(MESSAGE, "id-1")
    assert len(receive()) == 1
    queue.send(MESSAGE, "id-2")
    assert receive() == []
    assert queue.depth() == QueueDepth(visible=1, in_flight=1)


@pytest.mark.parametrize(("seconds", "count"), [(0, 2), (120, 0)])
def test_delayed_messages_stay_away_and_those_delayed_by_nothing_come_back(
    rebuilds: Rebuilds, seconds: int, count: int
) -> None:
    queue, receive = rebuilds
    queue.send(MESSAGE, "id-1")
    queue.send(MESSAGE, "id-2")
    queue.delay([handle for handle, _ in receive()], seconds)
    assert len(receive()) == count


def test_body_is_sent_again_unchanged(rebuilds: Rebuilds) -> None:
    queue, receive = rebuilds
    queue.send_again("no JSON", "id-1")
    assert [body for _, body in receive()] == ["no JSON"]


def _fill(letters: DeadLetterQueue, count: int) -> None:
    for number in range(count):
        letters.send(f"body {number}", {"ErrorType": "E"}, f"g{number}", f"d{number}")


def _all(letters: DeadLetterQueue) -> list[DeadLetter]:
    return [letter for batch in letters.receive_batches() for letter in batch]


def test_letter_that_is_sent_twice_for_one_message_is_received_once_with_its_attributes(
    letters: DeadLetterQueue,
) -> None:
    for _ in range(2):
        letters.send("body", {"ErrorType": "E"}, "message-1", "message-1")
    [letter] = _all(letters)
    assert (letter.body, letter.attributes, letter.receives) == ("body", {"ErrorType": "E"}, 1)


def test_more_letters_than_one_request_takes_are_received_and_hidden_until_released(
    letters: DeadLetterQueue,
) -> None:
    _fill(letters, 23)
    assert letters.depth() == QueueDepth(visible=23, in_flight=0)
    received = _all(letters)
    assert {letter.body for letter in received} == {f"body {number}" for number in range(23)}
    assert letters.depth() == QueueDepth(visible=0, in_flight=23)
    letters.release(received)
    assert len(_all(letters)) == 23


def test_deleted_letter_is_gone(letters: DeadLetterQueue) -> None:
    _fill(letters, 2)
    first, second = _all(letters)
    letters.delete(first)
    letters.release([second])
    assert [letter.body for letter in _all(letters)] == [second.body]
