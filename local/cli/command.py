"""What `python -m local` does between its options and its exit status."""

import os
import sys

from local.cli.arguments import Arguments, UsageError, credentials
from local.cli.guide import guide
from local.cli.interruption import Interruption
from local.cli.terminal import Terminal
from local.loopback.ports import PortError
from local.stack import LocalStack, MipEndpoints
from local.template.stack_template import TemplateError

PORT_OPTIONS = {"api_port": "--api-port", "aws_port": "--aws-port", "mip_port": "--mip-port"}


def run(arguments: Arguments, interruption: Interruption) -> int:
    """Start the stack, say what to try, and wait to be interrupted; the exit status."""
    terminal = Terminal()
    try:
        stack = _stack(arguments, terminal)
        with stack:
            if arguments.warm:
                for schedule in stack.schedules:
                    schedule.fire()
            _introduce(stack, arguments, terminal)
            interruption.wait()
            terminal.say("Stopping …")
            if arguments.real_mip:
                _let_the_worker_log_out(stack, interruption, terminal)
    except PortError as exc:
        return _fail(f"{exc}; choose another with {_option_of(exc.port, arguments)}")
    except (TemplateError, UsageError) as exc:
        return _fail(str(exc))
    return 0


def _stack(arguments: Arguments, terminal: Terminal) -> LocalStack:
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
        echo=terminal.echo if arguments.verbose else None,
    )


def _introduce(stack: LocalStack, arguments: Arguments, terminal: Terminal) -> None:
    terminal.say("lambda-mips-api runs on this machine. Ctrl-C ends it.\n")
    elsewhere = arguments.mip_login_url or "the template's default"
    for name, where, remark in (
        ("API", stack.api_url, ""),
        ("AWS", stack.aws_url, "S3, SQS, SSM, KMS and Lambda's Invoke; any credentials will do"),
        ("MIP Cloud", stack.mip_url or elsewhere, "stand-in" if stack.mip_url else "the real one"),
        ("Logs", str(stack.logs), "" if arguments.logs else "gone when it ends; --logs keeps them"),
    ):
        terminal.say(f"  {name:<10} {where}   {remark}".rstrip())
    terminal.say()
    for note in stack.notes:
        terminal.say(f"Note: {note}\n")
    terminal.say("What the local AWS leaves out of the template, and why: docs/testing.md.")
    terminal.say("Edited code is loaded by the next invocation; an edited template by a new start.")
    if arguments.warm:
        terminal.say("The cache is being filled.\n")
    else:
        terminal.say("The cache is empty: the first read waits (--warm fills it at once).\n")
    terminal.say(guide(stack))


def _let_the_worker_log_out(
    stack: LocalStack, interruption: Interruption, terminal: Terminal
) -> None:
    """A session that is never logged out of would lock everybody out of MIP Cloud."""
    if stack.functions["WorkerFunction"].running:
        terminal.say("Waiting for the worker to log out of MIP Cloud; Ctrl-C again does not wait.")
    with interruption.until_next_signal():
        stack.finish_batches()


def _option_of(port: int, arguments: Arguments) -> str:
    options = [option for name, option in PORT_OPTIONS.items() if getattr(arguments, name) == port]
    return " or ".join(options) or "one of " + ", ".join(PORT_OPTIONS.values())


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
