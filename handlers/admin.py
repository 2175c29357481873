"""The admin: invoked directly by an operator, never through the API."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.operating.commands import (
    Command,
    Discard,
    ListDeadLetters,
    Purge,
    Redrive,
    Refresh,
    Status,
    parse_command,
)
from handlers.wiring.admin import Admin, admin
from handlers.wiring.clock import utc_now


def lambda_handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Do what the payload asks for and return the result.

    A payload that is wrong fails the invocation with InvalidCommandError, and changes nothing.
    """
    services = admin()
    services.telemetry.begin(context.aws_request_id)
    today = services.settings.today(utc_now())
    command = parse_command(event, today)
    services.telemetry.info("admin command", command=type(command).__name__)
    result = perform(command, services, context.aws_request_id)
    services.telemetry.info("admin command done", summary=result["summary"])
    return result


def perform(command: Command, services: Admin, correlation_id: str) -> dict[str, Any]:
    """Perform a command; the rebuilds that it causes carry the correlation id."""
    match command:
        case Status():
            return services.report.write()
        case Purge():
            return services.purger.purge(command)
        case Refresh():
            return services.refresher.refresh(command, correlation_id)
        case ListDeadLetters():
            return services.dead_letters.list(command)
        case Redrive():
            return services.dead_letters.redrive(command)
        case Discard():
            return services.dead_letters.discard(command)
