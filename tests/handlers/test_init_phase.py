"""The reader's init phase: no garbage is collected in it, and it ends with the first request."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "mips-reader", "AWS_DEFAULT_REGION": "us-east-1"}
READER = {"CACHE_BUCKET": "bucket", "REBUILD_QUEUE_URL": "http://127.0.0.1:1/queue"}

COUNT = "import gc; runs = lambda: sum(generation['collections'] for generation in gc.get_stats())"


def python(script: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"{COUNT}\n{script}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_is_collected_while_the_reader_is_imported_and_built() -> None:
    script = "import handlers.reader; handlers.reader.reader(); print(runs() - before)"
    assert python(f"before = runs()\n{script}", **LAMBDA, **READER) == "0"


@pytest.mark.parametrize("environment", [READER, {}], ids=["right", "wrong"])
def test_garbage_is_collected_again_once_the_reader_was_built(environment: dict[str, str]) -> None:
    """Also where its environment turned out to be wrong: it may be invoked again and again."""
    script = """
import contextlib, handlers.reader
assert not gc.isenabled()
with contextlib.suppress(Exception):
    handlers.reader.reader()
print(gc.isenabled(), gc.get_freeze_count() > 10_000)
"""
    assert python(script, **LAMBDA, **environment) == "True True"


def test_collector_is_left_alone_outside_of_lambda() -> None:
    """A process that imports the handlers, such as these tests, has garbage of its own."""
    script = "import handlers.reader; print(gc.isenabled(), gc.get_freeze_count())"
    assert python(script) == "True 0"
