"""Alarms for moto's CloudFormation, which does not know them, though its CloudWatch does."""

import re
from typing import Any

from moto.cloudformation.parsing import get_model_map, get_name_type_map
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel

# Arguments of moto's function that are not CloudFormation's names in another spelling.
_OTHER_NAMES = {"AlarmName": "name", "AlarmDescription": "description", "OKActions": "ok_actions"}
_WHOLE_NUMBERS = ("EvaluationPeriods", "DatapointsToAlarm", "Period")
# What moto's own function insists on, and an alarm may leave out.
_DEFAULTS = {"AlarmDescription": "", "Dimensions": [], "AlarmActions": []}


def register() -> None:
    """Have moto look for the types it can make once more; it finds the class below by its base."""
    get_model_map.cache_clear()
    get_name_type_map.cache_clear()


class StackAlarm(CloudFormationModel):
    """An alarm that a stack made. It can be looked at; nothing feeds it, so it never rings."""

    def __init__(self, name: str, arn: str) -> None:
        self.physical_resource_id = name
        self._arn = arn

    def get_cfn_attribute(self, _: str) -> str:
        """Answer GetAtt, which can ask for the ARN only."""
        return self._arn

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Tell whether GetAtt may ask for this."""
        return attr == "Arn"

    @staticmethod
    def cloudformation_type() -> str:
        """Name the type of resource that this class makes."""
        return "AWS::CloudWatch::Alarm"

    @staticmethod
    def cloudformation_name_type() -> str:
        """Name the property that gives the resource its name."""
        return "AlarmName"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "StackAlarm":
        """Make the alarm, with every reference in its properties resolved."""
        properties = _DEFAULTS | cloudformation_json["Properties"] | {"AlarmName": resource_name}
        arguments = {_argument(name): _value(name, value) for name, value in properties.items()}
        made = cloudwatch_backends[account_id][region_name].put_metric_alarm(**arguments)
        return cls(resource_name, made.alarm_arn)


def _argument(property_name: str) -> str:
    """`TreatMissingData` as `treat_missing_data`."""
    if property_name in _OTHER_NAMES:
        return _OTHER_NAMES[property_name]
    return re.sub(r"(?<!^)(?=[A-Z])", "_", property_name).lower()


def _value(property_name: str, value: Any) -> Any:
    """The value as a number, where it may come from a parameter as text."""
    if property_name in _WHOLE_NUMBERS:
        return int(value)
    return float(value) if property_name == "Threshold" else value
