"""`schedule on` and `schedule off`."""

from argparse import Namespace
from dataclasses import replace

from tools.admin.output import Answer
from tools.admin.stack import Stack

LOCAL_CLOCK = (
    "The local stack's clock was started with the rule and does not look at it again: it fires "
    "until `make local` ends."
)


def schedule(stack: Stack, arguments: Namespace) -> Answer:
    """Show the schedule, or switch it on or off."""
    found = stack.schedule()
    if arguments.state is not None:
        stack.switch_schedule(on=arguments.state == "on")
        found = replace(found, is_on=arguments.state == "on")
    document = {"schedule": {"on": found.is_on, "expression": found.expression}}
    if found.is_on:
        return Answer(document, [f"The schedule is on: {found.expression}."])
    parts = [
        "The schedule is off: nothing is rebuilt until somebody reads a stale entry or refreshes."
    ]
    if stack.target.local_url:
        parts.append(LOCAL_CLOCK)
    return Answer(document, parts)
