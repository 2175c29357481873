"""Each handler, imported from the artifact alone in a process of its own, serves an event."""

import json
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack import LocalStack
from tests.build.conftest import CODE, ROOT, called
from tests.conftest import FAKE_AWS
from tests.template.stack import document

DRIVER = Path(__file__).with_name("driver.py")
ENTRY = ROOT / "tests" / "samples" / "entries" / "v1" / "programs.json"
Invoke = Callable[[str, str], Any]


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    """AWS and MIP Cloud for the functions, of which none runs here."""
    zone = {"TimeZone": "America/New_York"}
    with LocalStack(gateway_port=0, aws_port=0, mip_port=0, parameters=zone, poll=False) as running:
        yield running


@pytest.fixture
def invoke(artifact: Path, stack: LocalStack, tmp_path: Path) -> Invoke:
    """Invoke a function of the template with a sample event, from the artifact alone."""
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    allowed = {artifact, DRIVER} | library

    def invoke(function: str, sample: str) -> Any:
        handler = document()["Resources"][function]["Properties"]["Handler"]
        done = called(
            *(sys.executable, "-I", "-S", DRIVER, artifact, handler),
            input=(ROOT / "events" / f"{sample}.json").read_text(encoding="utf-8"),
            env={**stack.environment(function), **FAKE_AWS, "AWS_ENDPOINT_URL": stack.aws_url},
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout.splitlines()[-1])
        assert not any("site-packages" in path for path in report["path"])
        assert [f for f in report["files"] if not allowed & {Path(f), *Path(f).parents}] == []
        return report["answer"]

    return invoke


def test_reader_serves_an_entry_with_nothing_but_the_artifact(
    invoke: Invoke, stack: LocalStack
) -> None:
    place = {"Bucket": stack.resources["CacheBucket"], "Key": "cache/v1/programs.json"}
    stack.client("s3").put_object(**place, Body=ENTRY.read_bytes())
    answer = invoke("ReaderFunction", "reader_accounts")
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["123456"] == "Part A"


def test_worker_rebuilds_an_entry_from_mip_cloud_with_nothing_but_the_artifact(
    invoke: Invoke, stack: LocalStack
) -> None:
    assert invoke("WorkerFunction", "worker_programs") == {"batchItemFailures": []}
    place = {"Bucket": stack.resources["CacheBucket"], "Key": "cache/v1/programs.json"}
    stored = stack.client("s3").get_object(**place)
    assert json.loads(stored["Body"].read())["dataset"] == "programs"


def test_admin_tells_the_status_with_nothing_but_the_artifact(invoke: Invoke) -> None:
    answer = invoke("AdminFunction", "admin_status")
    assert answer["queue"] == {"visible": 0, "in_flight": 0}


def test_artifact_describes_exactly_the_aws_services_that_the_code_uses(artifact: Path) -> None:
    code = [path.read_text("utf-8") for name in CODE for path in (ROOT / name).rglob("*.py")]
    used = set(re.findall(r'client\(\s*"([a-z0-9-]+)"', "".join(code)))
    assert {"s3", "sqs", "ssm"} <= used
    assert {path.name for path in (artifact / "botocore/data").iterdir() if path.is_dir()} == used
