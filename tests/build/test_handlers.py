"""Each handler, imported from the artifact alone in a process of its own, serves an event."""

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws.server import AwsServer
from local.mip import ORGANISATION, PASSWORD, USER, MipCloud, MipCloudServer
from tests.build.conftest import CODE, ROOT
from tests.template.stack import document

DRIVER = Path(__file__).with_name("driver.py")
EVENTS = ROOT / "events"
BUCKET = "cache-bucket"
SSM_PATH = "/lambda/mipsSecret"


class Account:
    """An emulated AWS account with what the functions need, and MIP Cloud's stand-in."""

    def __init__(self, aws: AwsServer, mip: MipCloudServer) -> None:
        self._aws, self._mip = aws, mip
        self.s3 = aws.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self._queues = {name: self._fifo_queue(name) for name in ("rebuild", "dead")}
        for name, value in (("user", USER), ("pass", PASSWORD)):
            aws.client("ssm").put_parameter(
                Name=f"{SSM_PATH}/{name}", Value=value, Type="SecureString"
            )

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self._aws.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CACHE_BUCKET": BUCKET,
            "REBUILD_QUEUE_URL": self._queues["rebuild"],
            "DEAD_LETTER_QUEUE_URL": self._queues["dead"],
            "SSM_PATH": SSM_PATH,
            "MIP_ORG": ORGANISATION,
            "MIP_LOGIN_URL": self._mip.url,
            "MIP_API_URL": self._mip.url,
            "TIME_ZONE": "America/New_York",
        }

    def _fifo_queue(self, name: str) -> str:
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        made = self._aws.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes=attributes)
        return made["QueueUrl"]


@pytest.fixture
def account() -> Iterator[Account]:
    with MipCloudServer(MipCloud(), port=0) as mip:
        aws = AwsServer(port=0)
        try:
            yield Account(aws, mip)
        finally:
            aws.stop()


@pytest.fixture
def invoke(artifact: Path, account: Account, tmp_path: Path) -> Any:
    """Invoke a function of the template with a sample event, from the artifact alone."""

    def invoke(function: str, sample: str) -> dict[str, Any]:
        handler = document()["Resources"][function]["Properties"]["Handler"]
        done = subprocess.run(
            [sys.executable, "-I", "-S", DRIVER, artifact, handler],
            input=(EVENTS / f"{sample}.json").read_text(encoding="utf-8"),
            env=account.environment(),
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return invoke


def test_every_function_does_its_work(invoke: Any, account: Account) -> None:
    assert invoke("WorkerFunction", "worker_programs")["answer"] == {"batchItemFailures": []}
    served = invoke("ReaderFunction", "reader_accounts")["answer"]
    assert served["statusCode"] == 200
    assert json.loads(served["body"])["000000"] == "No Program"
    status = invoke("AdminFunction", "admin_status")["answer"]
    assert [entry["dataset"] for entry in status["entries"]] == ["programs"]


@pytest.mark.parametrize(
    ("function", "sample"),
    [
        ("ReaderFunction", "reader_unknown_path"),
        ("WorkerFunction", "worker_poison"),
        ("AdminFunction", "admin_status"),
    ],
)
def test_nothing_outside_the_artifact_and_the_standard_library_is_imported(
    invoke: Any, artifact: Path, function: str, sample: str
) -> None:
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    allowed = {artifact, DRIVER} | library
    report = invoke(function, sample)
    assert not any("site-packages" in path for path in report["path"])
    assert [f for f in report["files"] if not allowed & {Path(f), *Path(f).parents}] == []


def test_artifact_describes_exactly_the_aws_services_that_the_code_uses(artifact: Path) -> None:
    code = [path.read_text("utf-8") for name in CODE for path in (ROOT / name).rglob("*.py")]
    used = set(re.findall(r'client\(\s*"([a-z0-9-]+)"', "".join(code)))
    assert {"s3", "sqs", "ssm"} <= used
    assert {path.name for path in (artifact / "botocore/data").iterdir() if path.is_dir()} == used
