"""What AWS, the admin function and the environment can refuse, and what the operator reads."""

import socket

import boto3
import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from tests.tools.admin.command_line import NAME, CommandLine, Result
from tools.admin import target
from tools.admin.__main__ import main
from tools.admin.aws_errors import explained
from tools.admin.errors import AdminError, AwsError, UsageError
from tools.admin.target import Clients, Target, target_of


def refusal(code: str, message: str = "no") -> sdk.ClientError:
    return sdk.ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("InvalidCommandError", "give an id", "refuses: give an id"),
        ("UnavailableError", "S3: 503", "failed: UnavailableError: S3: 503; see `logs`"),
    ],
)
def test_failure_of_the_admin_function_is_told_in_its_words(
    admin: CommandLine, kind: str, text: str, told: str
) -> None:
    admin.failure = {"errorType": kind, "errorMessage": text}
    assert admin("letters") == Result(1, "", f"error: the admin function {told}\n")


def test_function_that_answers_something_else_is_not_believed(admin: CommandLine) -> None:
    admin.answers["status"] = [{"action": "other"}]
    assert admin("status").err == f"error: {NAME}-admin gave no answer to status\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "there is no stack nobody in us-east-1; give --stack or --region"),
        ("other", "the stack other has no AdminFunction"),
    ],
)
def test_stack_that_does_not_exist_or_is_of_something_else_is_named(
    admin: CommandLine, name: str, told: str
) -> None:
    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    boto3.client("cloudformation").create_stack(StackName="other", TemplateBody=topic)
    admin.target = Target(name, "us-east-1")
    result = admin("status")
    assert (result.status, told in result.err) == (1, True)


@pytest.mark.parametrize(
    ("raised", "error", "advice"),
    [
        (refusal("AccessDenied"), AwsError, "lack the right s3:GetObject "),
        (refusal("AccessDenied", "not authorized to perform: s3:X on y"), AwsError, "right s3:X "),
        (refusal("ExpiredToken"), AwsError, "log in again"),
        (refusal("SlowDown", "easy"), AwsError, "AWS refused s3:GetObject: SlowDown: easy"),
        (sdk.NoCredentialsError(), AwsError, "no AWS credentials"),
        (sdk.NoRegionError(), UsageError, "give --region"),
        (sdk.ProfileNotFound(profile="x"), UsageError, "AWS_PROFILE"),
        (ResponseParserError("<html>"), AwsError, "is not AWS"),
        (sdk.ReadTimeoutError(endpoint_url="https://x"), AwsError, "was done is not known"),
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
    assert main(["status"]) == 2
    assert main(["status", "--region", "us-east-1"]) == 1
    told = capsys.readouterr().err
    assert "no region is known" in told
    assert "no AWS credentials" in told


@pytest.mark.parametrize("listens", [True, False])
def test_local_stack_that_is_silent_or_does_not_run_is_told_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], listens: bool
) -> None:
    monkeypatch.setattr(target, "ANSWER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not listens:
            listener.close()
        assert main(["status", "--local-port", str(port)]) == 1
    told = f"the local stack does not answer at http://127.0.0.1:{port}; start it with `make local`"
    assert told in capsys.readouterr().err


def test_invocation_is_never_repeated_by_the_sdk() -> None:
    """A second one could send a dead letter twice."""
    made = Clients(Target(NAME, "us-east-1"))("lambda")
    assert made.meta.config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("local", "port", "endpoint", "url"),
    [
        (True, None, None, "http://127.0.0.1:4566"),
        (True, None, "https://vpce.example", "http://127.0.0.1:4566"),
        (True, None, "http://127.0.0.1:9", "http://127.0.0.1:9"),
        (False, None, "http://localhost:9/", "http://localhost:9"),
        (False, 7, "http://127.0.0.1:9", "http://127.0.0.1:7"),
        (False, None, "https://vpce.example", None),
        (False, None, None, None),
    ],
)
def test_local_stack_is_meant_where_the_options_or_the_endpoint_say_so(
    local: bool, port: int | None, endpoint: str | None, url: str | None
) -> None:
    environment = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
    assert target_of(NAME, None, port, environment, local=local).local_url == url
