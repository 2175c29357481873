"""The template, deployed into moto in this process."""

from typing import Any

import boto3

from local.aws.provisioning import Provisioned, provision
from local.template.stack_template import DEFAULT_TEMPLATE, load
from tests.template.stack import REQUIRED


class InProcessAws:
    """Stands for the local stack's AWS."""

    def client(self, service: str) -> Any:
        return boto3.client(service)


def deploy(**parameters: str) -> Provisioned:
    """Make the stack; moto must be in charge."""
    template = load(DEFAULT_TEMPLATE, {**REQUIRED, **parameters})
    return provision(InProcessAws(), template)  # type: ignore[arg-type]
