"""CloudFormation makes up a FIFO queue's name with its ending; moto forgets the ending."""

from typing import Any


def change(logical_id: str, properties: dict[str, Any]) -> None:
    """Name the queue as CloudFormation would."""
    if str(properties.get("FifoQueue", "")).lower() == "true" and "QueueName" not in properties:
        properties["QueueName"] = {"Fn::Sub": f"${{AWS::StackName}}-{logical_id}.fifo"}
