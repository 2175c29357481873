"""The reader's cold start and first answer against the bare SDK's: a fresh process per sample.

What is compared is CPU time, user and system, as the kernel counts it for the process, and its
peak memory. Elapsed time would also count other programs. What a start costs is computing: on
Lambda, too, its length follows from the CPU share. The `.pyc` files are there, as they are in the
artifact. The process ends with `os._exit`, so that ending costs nothing.

This process imports next to nothing: a child's peak memory is never less than what its parent had.
"""

import compileall
import contextlib
import os
import signal
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tools.bench.channel import Channel
from tools.bench.harness import alternating, ratio_of_medians
from tools.bench.processes import ROOT

ROUNDS, TURNS = 15, 3

BASELINE = 'import os, boto3; boto3.client("s3"); os._exit(0)'
READER = """
import json, os
from handlers.reader import parse_request, reader
reader()
with open("events/reader_accounts.json") as event:
    parse_request(json.load(event), "invocation")
os._exit(0)
"""
BARE_ANSWER = """
import os, boto3
bucket, key = os.environ["CACHE_BUCKET"], os.environ["CACHE_PREFIX"] + "v1/programs.json"
boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
os._exit(0)
"""
ANSWER = """
import json, os, types
from handlers.reader import lambda_handler
with open("events/reader_accounts.json") as event:
    answer = lambda_handler(json.load(event), types.SimpleNamespace(aws_request_id="invocation"))
os._exit(answer["statusCode"] != 200)
"""


@dataclass(frozen=True, slots=True)
class Start:
    """What one process cost."""

    cpu_seconds: float
    elapsed_seconds: float
    peak_memory: int


def start(script: str, environment: Mapping[str, str] = os.environ) -> Start:
    """Run a script in a fresh interpreter. Raises RuntimeError if it fails."""
    arguments = [sys.executable, "-c", script]
    began = time.perf_counter()
    pid = os.posix_spawn(sys.executable, arguments, environment)
    try:
        _, status, usage = os.wait4(pid, 0)
    except BaseException:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        raise
    if status != 0:
        raise RuntimeError(f"a process to be measured failed with status {status}")
    elapsed = time.perf_counter() - began
    return Start(usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss)


def ratio(subjects: Sequence[Start], baselines: Sequence[Start], cost: str) -> float:
    """Return the ratio of the medians of one cost."""
    return ratio_of_medians(*([getattr(s, cost) for s in each] for each in (subjects, baselines)))


def main() -> None:
    """Start both in turns; tell the ratios of each round."""
    channel, _ = Channel.from_arguments()
    for folder in ("core", "handlers"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    # Nothing is asked, so AWS's own endpoints are looked up, as they are on Lambda.
    on_aws = {name: os.environ[name] for name in os.environ if name != "AWS_ENDPOINT_URL"}
    reader, baseline = partial(start, READER, on_aws), partial(start, BASELINE, on_aws)
    answer, bare_answer = partial(start, ANSWER), partial(start, BARE_ANSWER)
    alternating(reader, baseline, 1)
    channel.begin(ROUNDS)
    for _ in range(ROUNDS):
        readers, bare = alternating(reader, baseline, TURNS)
        channel.value("cold_cpu", ratio(readers, bare, "cpu_seconds"))
        channel.value("cold_rss", ratio(readers, bare, "peak_memory"))
        answers, bare_answers = alternating(answer, bare_answer, TURNS)
        channel.value("cold_answer", ratio(answers, bare_answers, "cpu_seconds"))
        computing = [each.cpu_seconds / each.elapsed_seconds for each in readers]
        channel.value("cold_computing", statistics.median(computing))
        channel.step()


if __name__ == "__main__":
    main()
