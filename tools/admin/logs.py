"""`logs`: what the functions logged, all three together."""

from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime

from tools.admin.log_groups import LogLine, lines_of_files
from tools.admin.output import Answer, Table
from tools.admin.stack import Stack
from tools.admin.words import count

COLUMNS = ("time", "function", "level", "message", "")
# They are the same in every line of one rebuild, or say nothing to a person.
LEFT_OUT = ("correlation_id", "function_request_id", "xray_trace_id", "location", "sampling_rate")


def logs(stack: Stack, arguments: Namespace) -> Answer:
    """Show the lines since a while ago; with an id, those that tell of one rebuild."""
    since = datetime.now(UTC) - arguments.since
    if stack.target.local_url:
        found = lines_of_files(arguments.files, since, arguments.correlation_id)
    else:
        found = stack.logs.lines(since, arguments.correlation_id)
    shown = found[-arguments.limit :]
    document = [asdict(line) | {"at": line.at.astimezone(UTC).isoformat()} for line in shown]
    if not found:
        return Answer(
            document, [f"No lines since {since:%Y-%m-%d %H:%M} UTC; --since looks further back."]
        )
    parts: list[str | Table] = [Table(COLUMNS, list(map(_row, shown)))]
    if len(shown) < len(found):
        parts.append(f"The last {count(len(shown), 'line')} of {len(found):,}; --limit shows more.")
    return Answer(document, parts)


def _row(line: LogLine) -> tuple[str, ...]:
    at = line.at.astimezone(UTC)
    told = [f"{name}={value}" for name, value in line.fields.items() if name not in LEFT_OUT]
    return (
        f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03}",
        line.service,
        line.level,
        line.message,
        " ".join(told),
    )
