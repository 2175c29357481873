"""The worker: a batch of rebuild messages in, the failed ones out.

Source: Lambda Developer Guide, "Implementing partial batch responses".
"""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from core.rebuilding.batch import process_batch
from core.rebuilding.settlement import Delivery, correlation_of
from handlers.deliveries import delivery_of
from handlers.wiring.clock import utc_now
from handlers.wiring.worker import worker


class MessageComesBackError(Exception):
    """Tells the batch processor that a message was not settled."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Work off a batch and name the messages that must come back.

    The records are independent: one that fails does not keep the ones after it from being tried.
    """
    services = worker()
    remaining_seconds = context.get_remaining_time_in_millis() / 1000
    deliveries: list[Delivery] = [delivery_of(record) for record in SQSEvent(event).records]
    services.telemetry.begin(context.aws_request_id, correlation_of(deliveries))
    try:
        coming_back = process_batch(
            deliveries,
            rebuilder=services.rebuilder(remaining_seconds),
            settlement=services.settlement(),
            today=services.settings.today(utc_now()),
            remaining_seconds=remaining_seconds,
        )
    finally:
        services.telemetry.flush()

    def report(record: SQSRecord) -> None:
        if record.message_id in coming_back:
            raise MessageComesBackError

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, report, processor, context)
