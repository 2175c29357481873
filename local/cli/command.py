"""What `python -m local` does between its options and its exit status."""

import os
import sys

from rich.console import Console

from local.cli.arguments import Arguments, UsageError, credentials
from local.cli.guide import guide
from local.cli.interruption import Interruption
from local.errors import PortInUseError
from local.stack import LocalStack, MipEndpoints
from local.template.stack_template import TemplateError

PORT_OPTIONS = {"api_port": "--api-port", "aws_port": "--aws-port", "mip_port": "--mip-port"}


def run(arguments: Arguments, interruption: Interruption) -> int:
    """Start the stack, say what to try, and wait to be interrupted; the exit status."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        stack = _stack(arguments, console)
        with stack:
            if arguments.warm:
                for schedule in stack.schedules:
                    schedule.fire()
            _introduce(stack, arguments, console)
            interruption.wait()
            console.print("Stopping …")
            if arguments.real_mip:
                _let_the_worker_log_out(stack, interruption, console)
    except PortInUseError as exc:
        option = _option_of(exc.port, arguments)
        return _fail(f"port {exc.port} is taken by another program; choose another with {option}")
    except (TemplateError, UsageError) as exc:
        return _fail(str(exc))
    return 0


def _stack(arguments: Arguments, console: Console) -> LocalStack:
    def echo(function: str, line: str) -> None:
        console.print(f"{function:>14} | {line}", markup=False)

    elsewhere = MipEndpoints(arguments.mip_login_url, arguments.mip_api_url)
    return LocalStack(
        arguments.template,
        arguments.api_port,
        arguments.aws_port,
        arguments.mip_port,
        parameters=arguments.parameters,
        reader_concurrency=arguments.reader_concurrency,
        schedule=True,
        mip=elsewhere if arguments.real_mip else None,
        credentials=credentials(arguments, os.environ),
        logs=arguments.logs,
        echo=echo if arguments.verbose else None,
    )


def _introduce(stack: LocalStack, arguments: Arguments, console: Console) -> None:
    console.print("[bold]lambda-mips-api runs on this machine.[/bold] Ctrl-C ends it.\n")
    elsewhere = arguments.mip_login_url or "the template's default"
    rows = [
        ("API", stack.api_url, ""),
        ("AWS", stack.aws_url, "S3, SQS, SSM, KMS and Lambda's Invoke; any credentials will do"),
        ("MIP Cloud", stack.mip_url or elsewhere, "stand-in" if stack.mip_url else "the real one"),
        ("Logs", str(stack.logs), "" if arguments.logs else "gone when it ends; --logs keeps them"),
    ]
    for name, where, remark in rows:
        console.print(f"  {name:<10} {where}   {remark}".rstrip(), markup=False)
    console.print()
    for note in stack.notes:
        console.print(f"Note: {note}\n", markup=False)
    console.print("What the local AWS leaves out of the template, and why: docs/testing.md.\n")
    if arguments.warm:
        console.print("The cache is being filled.\n")
    else:
        console.print("The cache is empty: the first read waits (--warm fills it at once).\n")
    console.print(guide(stack), markup=False)
    console.file.flush()


def _let_the_worker_log_out(
    stack: LocalStack, interruption: Interruption, console: Console
) -> None:
    """A session that is never logged out of would lock everybody out of MIP Cloud."""
    if stack.functions["WorkerFunction"].running:
        console.print("Waiting for the worker to log out of MIP Cloud; Ctrl-C again does not wait.")
    with interruption.impatient():
        stack.finish_batches()


def _option_of(port: int, arguments: Arguments) -> str:
    options = [option for name, option in PORT_OPTIONS.items() if getattr(arguments, name) == port]
    return " or ".join(options) or "one of " + ", ".join(PORT_OPTIONS.values())


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
