"""The command line, and its manual: `--help`."""

import argparse
import re
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from core.model.datasets import ALL, BALANCES, PROGRAMS
from tools.admin.target import DEFAULT_STACK, LOCAL_PORT

PROGRAM = "python -m tools.admin"
DESCRIPTION = """\
Look after lambda-mips-api: see what is cached, queued and failing, and act on it.

The commands are the same for a stack on AWS and for the one that `make local` runs. Each makes
calls that anybody with the rights can make; docs/operations.md shows the same with the stock
`aws` CLI. Every answer is new: what fails prints an error, and never an earlier result."""
EPILOG = f"""\
which stack:
  On AWS, credentials and region come from where every AWS tool takes them (AWS_PROFILE,
  AWS_DEFAULT_REGION, ~/.aws/); the stack's name from --stack, or the variable STACK, or
  {DEFAULT_STACK}.
  --local means the local stack on port {LOCAL_PORT}; so does AWS_ENDPOINT_URL on this machine.

what a status line says:
  fresh       served
  stale       served, and rebuilt after the next read or by the schedule
  purged      the next read waits for a rebuild
  missing     was asked for and could not be built yet: answered with 503
  unreadable  counts as missing, and is rebuilt by the next read
  "next attempt" is when a failed rebuild is due again; until then readers ask for nothing.

examples:
  {PROGRAM} status
  {PROGRAM} watch --until idle
  {PROGRAM} refresh programs --wait
  {PROGRAM} refresh --from 2026-10-01 --to 2026-10-31
  {PROGRAM} purge programs --soft
  {PROGRAM} versions --limit 5 --json
  {PROGRAM} logs --correlation-id c7d9b2a4-1111-4222-8333-944455566677
  make admin ARGS="status --local"

rights (IAM actions; --local needs none):
  every command          cloudformation:DescribeStackResources
  status, watch          lambda:InvokeFunction, events:DescribeRule
  refresh --wait         the same
  refresh, purge, letters, redrive, discard    lambda:InvokeFunction
  schedule               events:DescribeRule, events:EnableRule, events:DisableRule
  versions, diff         s3:ListBucketVersions, s3:GetObjectVersion
  restore                s3:GetObjectVersion, s3:GetObject, s3:PutObject, events:DescribeRule
  publish                s3:GetObject, s3:PutObject, events:DescribeRule
  logs                   logs:FilterLogEvents

exit status:
  0  done
  1  refused, failed, or not rebuilt; the reason is on stderr
  2  the command line is wrong
  130  broken off with Ctrl-C

`{PROGRAM} COMMAND --help` tells more about a command."""
FRESH_HOURS = 48
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Namespace:
    """Read the command line; ends the process with status 2 where it is wrong."""
    parser = ArgumentParser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    _add_common(parser, environment.get("STACK") or DEFAULT_STACK, None, default=False)
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=True
    )
    for add in (
        *(_add_status, _add_watch, _add_refresh, _add_purge),
        *(_add_letters, _add_redrive_and_discard),
        *(_add_versions, _add_diff, _add_restore, _add_publish, _add_schedule, _add_logs),
    ):
        add(commands)
    parsed = parser.parse_args(arguments)
    if parsed.command in ("redrive", "discard") and (parsed.message_id is None) != parsed.all:
        parser.error(f"{parsed.command} needs a message id, as `letters` lists it, or --all")
    return parsed


def _add_common(parser: ArgumentParser, stack: Any, nothing: Any, *, default: Any) -> None:
    """The options that may stand before or after the command."""
    add = parser.add_argument
    add("--stack", metavar="NAME", default=stack, help="the stack's name")
    add("--region", default=nothing, help="its AWS region, such as us-east-1")
    add("--local", action="store_true", default=default, help="the stack that `make local` runs")
    add(
        "--local-port",
        type=partial(_whole_number, 1, 65535),
        default=nothing,
        metavar="PORT",
        help=f"its --aws-port, if it is not {LOCAL_PORT}; implies --local",
    )
    add("--json", action="store_true", default=default, help="print JSON, for programs")


def _command(commands: Any, name: str, summary: str, more: str = "") -> ArgumentParser:
    made: ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{more}".strip(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    _add_common(made, argparse.SUPPRESS, argparse.SUPPRESS, default=argparse.SUPPRESS)
    return made


def _add_status(commands: Any) -> None:
    _command(
        commands,
        "status",
        "what is cached, queued and failing",
        "The first line sums it up. Then come: until when a failed message holds back all those\n"
        "behind it; a session that is noted as open; dead letters; the schedule; every entry.",
    )


def _add_watch(commands: Any) -> None:
    watch = _command(
        commands,
        "watch",
        "the same, live",
        "On a terminal it repaints; into a file it prints what has changed. Ends with Ctrl-C.\n"
        "SQS counts approximately: right after a refresh, `refresh --wait` knows more.",
    )
    watch.add_argument(
        "--until", choices=["idle"], help="end when nothing is queued or at work, and MIP closed"
    )
    _add_every(watch)


def _add_every(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--every",
        dest="pause",
        type=_pause,
        default=_pause("2"),
        metavar="SECONDS",
        help="how long to wait between two looks (2)",
    )


def _add_refresh(commands: Any) -> None:
    refresh = _command(
        commands,
        "refresh",
        "have entries rebuilt; readers keep the old ones meanwhile",
        "Without a dataset: the programs and the last months of balances, as the schedule does.",
    )
    _add_selection(refresh, ALL)
    refresh.add_argument(
        "--accept-shrink",
        action="store_true",
        help="take a list that lost many programs: they really are gone",
    )
    refresh.add_argument(
        "--wait",
        action="store_true",
        help="wait until they are rebuilt, status 0, or have failed for good, status 1",
    )
    _add_every(refresh)


def _add_purge(commands: Any) -> None:
    purge = _command(
        commands,
        "purge",
        "stop serving entries: the next read waits for a rebuild",
        "Names what it would purge, and asks. Failure records go too, and the edge cache is\n"
        "invalidated. While MIP is down nothing can take the place of what is purged: use --soft.",
    )
    _add_selection(purge, ALL)
    purge.add_argument("--soft", action="store_true", help="only mark them stale: served, rebuilt")
    purge.add_argument("--yes", action="store_true", help="do not ask")


def _add_letters(commands: Any) -> None:
    letters = _command(
        commands,
        "letters",
        "the dead letters: rebuilds that failed for good",
        "The oldest come first. SQS keeps each for 14 days.",
    )
    letters.add_argument(
        "--limit", type=partial(_whole_number, 1, 1000), metavar="N", help="only the oldest N"
    )


def _add_redrive_and_discard(commands: Any) -> None:
    for name, summary in (
        ("redrive", "send dead letters back to be tried again"),
        ("discard", "delete dead letters for good"),
    ):
        act = _command(commands, name, summary)
        act.add_argument("message_id", nargs="?", metavar="ID", help="as `letters` lists it")
        act.add_argument("--all", action="store_true", help="every dead letter")
        act.add_argument("--dry-run", action="store_true", help="only tell which they are")


def _add_versions(commands: Any) -> None:
    versions = _command(
        commands,
        "versions",
        "the earlier versions of an entry",
        "The bucket keeps what was replaced for 30 days. Choose one by its date and by what it\n"
        "holds, look at it with `diff`, and put it back with `restore`.",
    )
    _add_selection(versions, PROGRAMS)
    versions.add_argument(
        "--limit",
        type=partial(_whole_number, 1, 1000),
        default=20,
        metavar="N",
        help="how many, the newest first (20)",
    )


def _add_diff(commands: Any) -> None:
    diff = _command(
        commands,
        "diff",
        "what a rebuild changed: codes added, gone, renamed",
        "Compares the newest entry with the one that the rebuild before it made.",
    )
    _add_selection(diff, PROGRAMS)
    diff.add_argument("--old", metavar="VERSION", help="another version to compare with")
    diff.add_argument("--new", metavar="VERSION", help="another version than the newest")


def _add_restore(commands: Any) -> None:
    restore = _command(
        commands,
        "restore",
        "put an earlier version of an entry back",
        "It is served as fresh for a while. The next rebuild replaces it: `schedule off` first\n"
        "keeps the schedule from that, and `schedule on` afterwards is a step of its own.",
    )
    restore.add_argument("version", metavar="VERSION", help="as `versions` lists it")
    _add_selection(restore, PROGRAMS)
    _add_fresh_for(restore)


def _add_publish(commands: Any) -> None:
    publish = _command(
        commands,
        "publish",
        "serve a hand-made list of programs, in a long outage",
        "FILE has a line `code,name` for each program, in UTF-8: six letters or digits, and a\n"
        "name that a tag can have. Every line is checked before anything is written. The list is\n"
        "dated 15 days back, so that no queued rebuild takes it for its own. The next rebuild\n"
        "replaces it.",
    )
    publish.add_argument("file", type=Path, metavar="FILE")
    _add_fresh_for(publish)


def _add_schedule(commands: Any) -> None:
    schedule = _command(commands, "schedule", "the schedule: show it, or switch it on or off")
    schedule.add_argument("state", nargs="?", choices=["on", "off"])


def _add_logs(commands: Any) -> None:
    logs = _command(
        commands,
        "logs",
        "what the functions logged",
        "All three functions together, the oldest line first. A correlation id tells the story of\n"
        "one rebuild: `refresh` prints it, the API's header x-amzn-RequestId and each dead letter\n"
        "hold it.",
    )
    logs.add_argument("--correlation-id", metavar="ID", help="only the lines that hold this text")
    logs.add_argument(
        "--since",
        type=_time_span,
        default=timedelta(hours=1),
        metavar="TIME",
        help="30m, 2h or 3d (1h)",
    )
    logs.add_argument(
        "--limit",
        type=partial(_whole_number, 1, 10_000),
        default=200,
        metavar="N",
        help="only the last N lines (200)",
    )
    logs.add_argument(
        "--files",
        type=Path,
        default=Path("logs"),
        metavar="DIR",
        help="of the local stack, whose log files are there: its --logs (logs)",
    )


def _add_selection(parser: ArgumentParser, default: str) -> None:
    choices = [PROGRAMS, BALANCES] if default == PROGRAMS else [PROGRAMS, BALANCES, ALL]
    parser.add_argument(
        "dataset", nargs="?", choices=choices, help=f"{', '.join(choices)} ({default})"
    )
    parser.add_argument(
        "--from", dest="start", metavar="DATE", help="balances of one period, such as 2026-10-01"
    )
    parser.add_argument("--to", dest="end", metavar="DATE", help="its last day, such as 2026-10-31")


def _add_fresh_for(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--fresh-for",
        type=partial(_whole_number, 1, 720),
        default=FRESH_HOURS,
        metavar="HOURS",
        help=f"after that, readers ask for a rebuild ({FRESH_HOURS})",
    )


def _whole_number(lowest: int, highest: int, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not lowest <= int(text) <= highest:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {lowest} to {highest}, not {text!r}"
        )
    return int(text)


def _pause(text: str) -> Any:
    return partial(time.sleep, _whole_number(1, 3600, text))


def _time_span(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,4})([mhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"must be a number of minutes, hours or days, such as 30m, 2h or 3d, not {text!r}"
        )
    return timedelta(**{UNITS[match[2]]: int(match[1])})
