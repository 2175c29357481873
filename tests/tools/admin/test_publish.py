"""`publish`: a hand-made list obeys the rules of the service's own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.tools.admin.command_line import CommandLine, programs

QUEUE_KEEPS = timedelta(days=14)
GOOD = b"123456,Community kitchen\n"


def published(admin: CommandLine, folder: Path, body: bytes) -> str:
    """Publish a list; returns what was wrong."""
    (folder / "programs.csv").write_bytes(body)
    result = admin("publish", str(folder / "programs.csv"))
    return "" if result.status == 0 else result.err


def test_list_is_served_by_code_and_older_than_any_queued_message(
    admin: CommandLine, tmp_path: Path
) -> None:
    assert published(admin, tmp_path, b"234567,Night shelter\r\n" + GOOD) == ""
    stored, now = admin.stored(), datetime.now(UTC)
    names = [("123456", "Community kitchen"), ("234567", "Night shelter")]
    assert list(stored.data.active.items()) == names
    assert stored.data.with_inactive == stored.data.active
    assert now - stored.built_at > QUEUE_KEEPS
    assert stored.fresh_until > now + timedelta(hours=47)


@pytest.mark.parametrize(
    "body",
    [
        b"Code,Name\n123456,A\n",
        b"123456,A",
        b'123456, "A" \n',
        "123456,Éducation - 2/3 @ home\n".encode(),
    ],
)
def test_list_that_is_right_is_taken(admin: CommandLine, tmp_path: Path, body: bytes) -> None:
    assert published(admin, tmp_path, body) == ""


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (GOOD + b"\n234567,A\n", "line 2: is blank"),
        (b"\xef\xbb\xbf" + GOOD, "line 1: begins with a byte order mark (BOM)"),
        (GOOD + GOOD, "line 2: the code 123456 is on line 1 already"),
        (b"123456x,A\n", "line 1: the code '123456x' must be 6 letters or digits"),
        ("12345é,A\n".encode(), "line 1: the code '12345é' must be 6 letters or digits"),
        (b"123456\n", "line 1: must be code,name, a name with a comma in quotes"),
        (b"123456,A,B\n", "it has 3 parts"),
        (b"123456,\n", "line 1: the name is missing"),
        (b"123456,Day & night\n", "possible is 'Day  night'"),
        (b"123456," + b"n" * 246 + b"\n", "at most 245 characters, not 246"),
        (GOOD + b"234567,Caf\xe9\n", "line 2: is not UTF-8"),
        (b"", "it lists no program"),
        (b"code,name\n", "it lists no program"),
    ],
)
def test_list_that_is_wrong_names_the_line_and_changes_nothing(
    admin: CommandLine, tmp_path: Path, body: bytes, problem: str
) -> None:
    before = admin.put(programs(datetime(2026, 10, 12, tzinfo=UTC)))
    assert problem in published(admin, tmp_path, body)
    assert admin.newest() == before


def test_every_wrong_line_is_named_at_once(admin: CommandLine, tmp_path: Path) -> None:
    told = published(admin, tmp_path, b"1,A\n123456,A\n2,B\n")
    assert ("line 1:" in told, "line 2:" in told, "line 3:" in told) == (True, False, True)


def test_file_that_cannot_be_read_is_told(admin: CommandLine, tmp_path: Path) -> None:
    result = admin("publish", str(tmp_path / "none.csv"))
    assert (result.status, "cannot be read: No such file" in result.err) == (1, True)
