"""The worker: a batch of rebuild messages in, the ids of the failed ones out.

Source: Lambda Developer Guide, "Implementing partial batch responses".
"""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from core.rebuilding.delivery import correlation_ids
from handlers.deliveries import delivery_of
from handlers.wiring.worker import worker


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process a batch and name the messages that must come back.

    The records are independent: one that fails does not keep the ones after it from being tried.
    """
    services = worker()
    remaining_seconds = context.get_remaining_time_in_millis() / 1000
    deliveries = [delivery_of(record) for record in SQSEvent(event).records]
    services.telemetry.begin(context.aws_request_id, correlation_ids(deliveries))
    try:
        processor = services.batch_processor(remaining_seconds)
        coming_back = processor.process(deliveries, remaining_seconds)
    finally:
        services.telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": item} for item in coming_back]}
