"""A hand-made list of programs: a line for each, `code,name`, in UTF-8.

It must obey the rules of the lists that the service builds: what they would lack is refused, not
dropped, for the person who wrote it is there to mend it.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from core.transform.programs import SIGNIFICANT_DIGITS, tag_text
from core.transform.views import LONGEST_TAG_NAME
from tools.admin.errors import RefusedError
from tools.admin.words import count

HEADER = ("code", "name")
BYTE_ORDER_MARK = "\ufeff"
MOST_PROBLEMS = 20
CODE = re.compile(rf"[0-9A-Za-z]{{{SIGNIFICANT_DIGITS}}}")


def read_programs(file: Path) -> dict[str, str]:
    """Read code and name of each program, in the order of the codes.

    Raises RefusedError, which names each line that is wrong and what is allowed.
    """
    lines = _text(file).split("\n")
    if lines[-1] == "":
        lines.pop()
    first = 1 if lines and _is_header(lines[0]) else 0
    programs: dict[str, str] = {}
    numbers: dict[str, int] = {}
    problems: list[str] = []
    for number, line in enumerate(lines[first:], first + 1):
        try:
            code, name = _program(line.removesuffix("\r"))
            if code in programs:
                raise ValueError(f"the code {code} is on line {numbers[code]} already")  # noqa: TRY301
            programs[code], numbers[code] = name, number
        except ValueError as exc:
            problems.append(f"line {number}: {exc}")
    if not programs and not problems:
        problems.append("it lists no program; write a line for each: code,name")
    if problems:
        raise RefusedError(
            "\n  ".join([f"{file} is not a list of programs:", *_first_problems(problems)])
        )
    return dict(sorted(programs.items()))


def _text(file: Path) -> str:
    try:
        body = file.read_bytes()
    except OSError as exc:
        raise RefusedError(f"{file} cannot be read: {exc.strerror}") from exc
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        line = body[: exc.start].count(b"\n") + 1
        raise RefusedError(f"{file} line {line}: is not UTF-8; save the file as UTF-8") from exc


def _is_header(line: str) -> bool:
    return tuple(part.strip().lower() for part in line.split(",")) == HEADER


def _program(line: str) -> tuple[str, str]:
    """Read a line. Raises ValueError, which says what is wrong and what is allowed."""
    if line.startswith(BYTE_ORDER_MARK):
        raise ValueError("begins with a byte order mark (BOM); save the file as UTF-8 without BOM")
    if not line.strip():
        raise ValueError("is blank; remove it")
    fields = next(csv.reader([line], skipinitialspace=True))
    if len(fields) != len(HEADER):
        raise ValueError(
            'must be code,name, a name with a comma in quotes ("); '
            f"it has {count(len(fields), 'part')}"
        )
    code, name = (field.strip() for field in fields)
    if not CODE.fullmatch(code):
        raise ValueError(
            f"the code {code!r} must be {SIGNIFICANT_DIGITS} letters or digits, 0-9, A-Z and a-z; "
            f"it has {len(code)} characters"
        )
    _check_name(name)
    return code, unicodedata.normalize("NFC", name)


def _check_name(name: str) -> None:
    """Raise ValueError unless an AWS tag value can hold the name as it is."""
    if not name:
        raise ValueError("the name is missing")
    if len(name) > LONGEST_TAG_NAME:
        raise ValueError(
            f"the name must have at most {LONGEST_TAG_NAME} characters, not {len(name)}"
        )
    possible = tag_text(name)
    if possible != unicodedata.normalize("NFC", name):
        raise ValueError(
            f"no tag can have the name {name!r}: letters, digits, spaces and . : / = + - @ _ are "
            f"allowed, and it must not begin with aws:; possible is {possible!r}"
        )


def _first_problems(problems: list[str]) -> Iterator[str]:
    yield from problems[:MOST_PROBLEMS]
    if len(problems) > MOST_PROBLEMS:
        yield f"… and {len(problems) - MOST_PROBLEMS} more"
