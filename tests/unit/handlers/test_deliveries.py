"""What the worker reads of an SQS record."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from core.rebuilding.delivery import Delivery
from handlers.deliveries import delivery_of

EVENT = Path(__file__).parents[3] / "events" / "worker_programs.json"


@pytest.mark.parametrize(
    ("named", "group"), [({"MessageGroupId": "misp"}, "misp"), ({}, "mips")], ids=["named", "none"]
)
def test_delivery_is_what_the_record_says(named: dict[str, str], group: str) -> None:
    [record] = json.loads(EVENT.read_text())["Records"]
    record["attributes"] = {
        "ApproximateReceiveCount": "3",
        "SentTimestamp": "1795435200250",
        **named,
    }
    assert delivery_of(SQSRecord(record)) == Delivery(
        message_id=record["messageId"],
        body=record["body"],
        receipt_handle=record["receiptHandle"],
        receives=3,
        sent_at=datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC),
        group=group,
    )
