"""What to try next: commands that work as pasted into a fresh terminal."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from local.aws.clients import ACCESS_KEY, REGION, SECRET_KEY
from local.control_room.reading import curl
from local.control_room.room import PREFIX
from local.gateway.routes import readable_paths
from local.stack import LocalStack


def guide(stack: LocalStack) -> str:
    """The commands for this stack, by purpose."""
    return "\n\n".join(
        "\n".join([f"{title}:", *(f"  {command}" for command in commands)])
        for title, commands in _sections(stack)
    )


def _sections(stack: LocalStack) -> Iterator[tuple[str, list[str]]]:
    if stack.control_room:
        yield "Watch it work, in a browser", [f"{stack.api_url}{PREFIX}"]
    yield "Once per terminal", list(_exports(stack))
    yield "Read", list(_reads(stack))
    if "RebuildQueue" in stack.resources:
        yield "Ask for a rebuild", [_send(stack)]
    if "AdminFunction" in stack.functions:
        yield "Operate", list(_operations(stack))
    if stack.mip_url:
        yield "Look at MIP Cloud's stand-in, and break it", list(_faults(stack.mip_url))


def _exports(stack: LocalStack) -> Iterator[str]:
    tools = Path(sys.executable).parent
    yield f'export PATH={shlex.quote(str(tools))}:"$PATH" NO_PROXY=127.0.0.1'
    yield (
        f"export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET_KEY} "
        f"AWS_DEFAULT_REGION={REGION} AWS_ENDPOINT_URL={stack.aws_url}"
    )


def _reads(stack: LocalStack) -> Iterator[str]:
    for path, requires_iam in readable_paths(stack.routes).items():
        yield curl(f"{stack.api_url}{path}", signed=requires_iam)


def _send(stack: LocalStack) -> str:
    # The CLI's first version takes the endpoint of SQS from this option only.
    return (
        f"aws --endpoint-url {stack.aws_url} sqs send-message "
        f"--queue-url {stack.resources['RebuildQueue']} --message-group-id mips "
        """--message-body '{"dataset": "all", "reason": "by hand"}'"""
    )


def _operations(stack: LocalStack) -> Iterator[str]:
    name = stack.functions["AdminFunction"].spec.name
    for payload in (
        '{"action": "status"}',
        '{"action": "purge", "dataset": "programs"}',
        '{"action": "dead_letters"}',
    ):
        yield f"aws lambda invoke --function-name {name} --payload '{payload}' /dev/stdout"


def _faults(mip_url: str) -> Iterator[str]:
    control = f"{mip_url}/_control"
    yield f"curl {control}/state"
    yield f"""curl -X PUT {control}/faults/balances -d '{{"kind": "status", "status": 500}}'"""
    yield f"curl -X PUT {control}/latency -d '{{\"seconds\": 3}}'"
    yield f"curl -X POST {control}/reset"
