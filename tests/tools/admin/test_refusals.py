"""What AWS, the admin function and the environment can refuse, and what the operator reads."""

import socket
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.tools.admin.desk import NAME, Desk
from tools.admin import target
from tools.admin.__main__ import main
from tools.admin.aws_errors import explained
from tools.admin.errors import AdminError, AwsError, UsageError
from tools.admin.stack import Stack
from tools.admin.target import Clients, Target, target_of


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


def test_refusal_of_the_admin_function_is_told_in_its_words(desk: Desk) -> None:
    desk.function.failure = {"errorType": "InvalidCommandError", "errorMessage": "give an id"}
    result = desk("letters")
    assert (result.status, result.out) == (1, "")
    assert result.err == "error: the admin function refuses: give an id\n"


def test_crash_of_the_admin_function_is_told_as_such(desk: Desk) -> None:
    desk.function.failure = {"errorType": "StoreUnavailableError", "errorMessage": "S3: 503"}
    result = desk("status")
    assert (result.status, result.out) == (1, "")
    assert "the admin function failed: StoreUnavailableError: S3: 503; see `logs`" in result.err


def test_function_that_answers_something_else_is_not_believed(desk: Desk) -> None:
    desk.function.answers["status"] = [{"action": "other"}]
    assert desk("status").err == f"error: {NAME}-admin gave no answer to status\n"


def test_stack_that_does_not_exist_is_named(desk: Desk) -> None:
    desk.target = Target("nobody", "us-east-1")
    result = desk("status")
    assert result.status == 1
    assert "there is no stack nobody in us-east-1; give --stack or --region" in result.err


def test_stack_of_something_else_is_not_operated_on(aws: None) -> None:
    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=topic)
    with pytest.raises(AwsError, match="the stack other has no AdminFunction"):
        Stack(Target("other", "us-east-1")).invoke("status")


@pytest.mark.parametrize(
    ("message", "right"),
    [
        ("User: x is not authorized to perform: s3:GetObjectVersion on y", "s3:GetObjectVersion"),
        ("Access Denied", "s3:GetObject"),
    ],
)
def test_missing_right_is_named(message: str, right: str) -> None:
    with (
        pytest.raises(AwsError, match=f"lack the right {right} "),
        explained("s3:GetObject"),
    ):
        raise refusal("AccessDenied", message)


@pytest.mark.parametrize(
    ("raised", "error", "advice"),
    [
        (refusal("ExpiredToken"), AwsError, "log in again"),
        (refusal("SlowDown", "easy"), AwsError, "AWS refused s3:GetObject: SlowDown: easy"),
        (botocore.exceptions.NoCredentialsError(), AwsError, "no AWS credentials"),
        (botocore.exceptions.NoRegionError(), UsageError, "give --region"),
        (botocore.exceptions.ProfileNotFound(profile="x"), UsageError, "AWS_PROFILE"),
        (ResponseParserError("<html>"), AwsError, "is not AWS"),
        (
            botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"),
            AwsError,
            "whether it was done is not known",
        ),
    ],
)
def test_what_the_sdk_raises_becomes_advice(
    raised: Exception, error: type[AdminError], advice: str
) -> None:
    with pytest.raises(error, match=advice), explained("s3:GetObject"):
        raise raised


def test_no_credentials_and_no_region_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    assert main(["status"]) == 2
    assert main(["status", "--region", "us-east-1"]) == 1
    told = capsys.readouterr().err
    assert "no region is known" in told
    assert "no AWS credentials" in told


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_endpoint_that_answers_nothing_is_not_waited_for_without_end(
    silent_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "ANSWER_SECONDS", 0.05)
    assert main(["status", "--local-port", str(silent_port)]) == 1
    assert "the local stack does not answer at http://127.0.0.1" in capsys.readouterr().err


def test_local_stack_that_does_not_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main(["status", "--local-port", str(port)]) == 1
    assert "start it with `make local`" in capsys.readouterr().err


def test_invocation_is_never_repeated_by_the_sdk() -> None:
    """A second one could send a dead letter twice."""
    made = Clients(Target(NAME, "us-east-1"))("lambda")
    assert made.meta.config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("options", "environment", "url"),
    [
        ({"local": True}, {}, "http://127.0.0.1:4566"),
        ({"local": True}, {"AWS_ENDPOINT_URL": "https://vpce.example"}, "http://127.0.0.1:4566"),
        ({"local": True}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({}, {"AWS_ENDPOINT_URL": "http://localhost:9/"}, "http://localhost:9"),
        ({"local_port": 7}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:7"),
        ({}, {"AWS_ENDPOINT_URL": "https://vpce.example"}, None),
        ({}, {}, None),
    ],
)
def test_local_stack_is_meant_where_the_options_or_the_endpoint_say_so(
    options: dict[str, Any], environment: dict[str, str], url: str | None
) -> None:
    chosen = {"local": False, "local_port": None, **options}
    meant = target_of(NAME, None, chosen["local_port"], environment, local=chosen["local"])
    assert meant.local_url == url
