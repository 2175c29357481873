"""The functions of a stack, as the local AWS made them."""

from collections.abc import Mapping

from local.aws.provisioning import Provisioned
from local.aws.server import AwsServer
from local.functions.sandbox import FunctionSpec
from local.template.stack_template import StackTemplate


def function_specs(
    aws: AwsServer,
    template: StackTemplate,
    stack: Provisioned,
    environment: Mapping[str, Mapping[str, str]],
    timeouts: Mapping[str, float],
) -> list[FunctionSpec]:
    """Every function, as its stack configured it, with the given changes by logical id."""
    awslambda = aws.client("lambda")
    specs = []
    for logical_id, code_root in template.code_roots.items():
        found = awslambda.get_function_configuration(FunctionName=stack.resources[logical_id])
        variables = found.get("Environment", {}).get("Variables", {})
        specs.append(
            FunctionSpec(
                logical_id=logical_id,
                name=found["FunctionName"],
                arn=found["FunctionArn"],
                handler=found["Handler"],
                code_root=code_root,
                timeout_seconds=timeouts.get(logical_id, found["Timeout"]),
                memory_mb=found["MemorySize"],
                # moto turns a Number parameter's value into a number.
                environment={name: str(value) for name, value in variables.items()}
                | dict(environment.get(logical_id, {})),
            )
        )
    return specs
