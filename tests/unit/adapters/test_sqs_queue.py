"""What a look at the dead letters asks of SQS; its effects are in tests/contract."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from core.adapters.sqs_queue import SqsDeadLetterQueue

TEMPLATE = Path(__file__).parents[3] / "template.yaml"


class EmptyQueue:
    """An SQS client that notes its requests and has no messages."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {}


def test_look_at_dead_letters_waits_and_hides_them_for_as_long_as_the_admin_can_run() -> None:
    sqs: Any = EmptyQueue()
    assert list(SqsDeadLetterQueue(sqs, "url").receive_batches()) == []
    [request] = sqs.requests
    admin = yaml_parse(TEMPLATE.read_text())["Resources"]["AdminFunction"]["Properties"]
    assert request["VisibilityTimeout"] >= admin["Timeout"]
    # Without a wait SQS asks only some of its servers, and may miss messages.
    assert request["WaitTimeSeconds"] >= 1
    assert request["MaxNumberOfMessages"] == 10
