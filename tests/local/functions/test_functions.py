"""Lambda's Invoke, and functions that run as on Lambda."""

import base64
import json
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.functions.functions import FunctionFailedError
from local.stack import LocalStack
from tests.local.toy_stack import eventually, toy_stack


class Lambda:
    """A stack's functions, as AWS's client invokes them."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.admin = stack.functions["AdminFunction"]
        self._client = stack.client("lambda")

    def invoke(self, event: Any, name: str = "AdminFunction", **options: Any) -> Any:
        payload = event if isinstance(event, bytes) else json.dumps(event)
        options |= {"FunctionName": name, "Payload": payload, "LogType": "Tail"}
        answer = self._client.invoke(**options)
        tail = base64.b64decode(answer.get("LogResult", "")).decode()
        return answer | {"Payload": answer["Payload"].read().decode(), "Tail": tail}

    def error(self, event: Any, name: str = "AdminFunction") -> Any:
        answer = self.invoke(event, name)
        assert answer["FunctionError"] == "Unhandled"
        return json.loads(answer["Payload"])

    def do(self, what: str, **event: Any) -> Any:
        """What the admin returns."""
        return self.stack.invoke("AdminFunction", {"do": what, **event})


@pytest.fixture(scope="module")
def aws() -> Iterator[Lambda]:
    with toy_stack(timeouts={"AdminFunction": 3.0, "ReaderFunction": 0.5}) as running:
        yield Lambda(running)


ARN = "arn:aws:lambda:us-east-1:123456789012:function:lambda-mips-api-admin"


@pytest.mark.parametrize(
    "name",
    ["AdminFunction", "lambda-mips-api-admin", ARN, ARN.partition("1:")[2], f"{ARN}:$LATEST"],
)
def test_a_function_answers_by_logical_id_name_and_arn(aws: Lambda, name: str) -> None:
    answer = aws.invoke({"do": "echo", "text": "grüße"}, name)
    assert json.loads(answer["Payload"])["text"] == "grüße"
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer


@pytest.mark.parametrize(
    ("name", "payload", "status", "code"),
    [
        ("Nobody", b"{}", 404, "ResourceNotFoundException"),
        ("AdminFunction", b"{oh", 400, "InvalidRequestContentException"),
        ("AdminFunction", b'"' + b"x" * 6 * 2**20 + b'"', 413, "RequestTooLargeException"),
    ],
    ids=["function", "json", "size"],
)
def test_what_lambda_refuses_is_refused(
    aws: Lambda, name: str, payload: bytes, status: int, code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        aws.invoke(payload, name)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_raised_exception_is_told_with_its_place_in_the_code(aws: Lambda) -> None:
    error = aws.error({"do": "fail", "text": "oh"})
    assert (error["errorType"], error["errorMessage"]) == ("KeyError", "'oh'")
    assert "toys.py" in error["stackTrace"][-1]
    assert "runtime.py" not in "".join(error["stackTrace"])
    assert len(error["requestId"]) == 36


def test_the_log_tail_holds_what_the_invocation_printed(aws: Lambda) -> None:
    first, second = (
        aws.invoke({"do": "print", "text": text})["Tail"]
        for text in ("no line feed at its end", "the next one's")
    )
    assert "no line feed at its end\nEND RequestId: " in first
    assert second.startswith("START RequestId: ")
    assert "no line feed" not in second
    assert "the next one's\n" in aws.admin.log.path.read_text()


def test_an_event_is_accepted_at_once_and_runs_later(aws: Lambda, tmp_path: Path) -> None:
    event = {"do": "touch", "path": str(tmp_path / "ran")}
    assert aws.invoke(event, InvocationType="Event")["StatusCode"] == 202
    assert eventually((tmp_path / "ran").exists)


def test_a_function_over_its_time_is_killed_and_replaced(aws: Lambda) -> None:
    reader, quick = aws.stack.functions["ReaderFunction"], {"queryStringParameters": None}
    reader.call(quick)
    before = reader.pids()
    error = aws.error({"queryStringParameters": {"sleep": "30"}}, "ReaderFunction")
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 0.50 seconds")
    assert reader.call(quick)["statusCode"] == 200
    assert len(before) == len(reader.pids()) == 1
    assert before != reader.pids()


def test_a_killed_process_fails_its_invocation_and_is_replaced(aws: Lambda, tmp_path: Path) -> None:
    event = {"do": "sleep", "seconds": 2.5, "started": str(tmp_path / "started")}
    with ThreadPoolExecutor() as threads:
        running = threads.submit(aws.error, event)
        assert eventually((tmp_path / "started").exists)
        assert aws.admin.kill() == 1
    error = running.result()
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert aws.do("echo") == {"do": "echo"}


def test_a_process_whose_stack_is_gone_ends_even_within_a_handler(
    aws: Lambda, tmp_path: Path
) -> None:
    event = {"do": "sleep", "seconds": 2.5, "started": str(tmp_path / "started")}
    with ThreadPoolExecutor() as threads:
        running = threads.submit(aws.error, event)
        assert eventually((tmp_path / "started").exists)
        [sandbox] = aws.admin._busy
        with socket.socket(fileno=os.dup(sandbox._connection.fileno())) as pipe:
            pipe.shutdown(socket.SHUT_WR)
    assert running.result()["errorMessage"].endswith("Runtime exited without providing a reason")


def test_processes_are_used_again_until_they_are_recycled(aws: Lambda) -> None:
    first = aws.do("pid")
    assert aws.do("pid") == first
    assert aws.admin.recycle() >= 1
    assert aws.do("pid") != first


def test_invocations_beyond_the_limit_wait_in_line(aws: Lambda) -> None:
    with ThreadPoolExecutor() as threads:
        running = [threads.submit(aws.do, "sleep", seconds=0.3) for _ in range(5)]
    assert len({done.result() for done in running}) == aws.admin.concurrency == 2


def test_a_result_over_six_megabytes_is_refused(aws: Lambda) -> None:
    with pytest.raises(FunctionFailedError, match="maximum allowed payload size") as caught:
        aws.do("much", bytes=6_291_556)
    assert caught.value.error["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(aws.do("much", bytes=6_000_000)) == 6_000_000


def test_code_that_cannot_be_loaded_fails_every_invocation(aws: Lambda) -> None:
    for _ in range(2):
        with pytest.raises(FunctionFailedError, match="Unable to import module 'nowhere'") as error:
            aws.stack.invoke("BrokenFunction")
        assert error.value.error["errorType"] == "Runtime.ImportModuleError"
    assert aws.stack.functions["BrokenFunction"].pids() == []


def test_logs_and_decimals_are_written_as_on_lambda(aws: Lambda) -> None:
    answer = aws.invoke({"do": "log", "text": "careful"})
    assert answer["Payload"] == "1.50"
    request_id = answer["ResponseMetadata"]["RequestId"]
    line = rf"^\[WARNING\]\t[-\dT:.]+Z\t{request_id}\tcareful$"
    assert re.search(line, answer["Tail"], re.MULTILINE)


def test_a_function_sees_lambdas_variables_and_its_own_and_none_of_the_users(
    aws: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "AWS_PROFILE", "AWS_SESSION_TOKEN", "MIP_PASSWORD", "HOME"):
        monkeypatch.setenv(name, "the user's")
    aws.admin.recycle()
    seen = aws.do("environment")
    assert "the user's" not in seen.values()
    assert seen["GREETING"] == "hello"
    assert seen["BUCKET"] == aws.stack.resources["CacheBucket"]
    assert seen["AWS_ENDPOINT_URL"] == aws.stack.aws_url
    assert seen["AWS_ACCESS_KEY_ID"] == seen["AWS_SECRET_ACCESS_KEY"] == "test"
    assert (seen["AWS_REGION"], seen["TZ"]) == ("us-east-1", ":UTC")


def test_the_context_is_lambdas(aws: Lambda) -> None:
    answer = aws.invoke({"do": "context"})
    context = json.loads(answer["Payload"])
    assert 2000 < context.pop("remaining_ms") <= 3000
    assert context.pop("log_stream_name").startswith("[$LATEST]")
    assert context == {
        "aws_request_id": answer["ResponseMetadata"]["RequestId"],
        "function_name": "lambda-mips-api-admin",
        "invoked_function_arn": aws.stack.outputs["AdminArn"],
        "memory_limit_in_mb": "256",
        "log_group_name": "/aws/lambda/lambda-mips-api-admin",
    }
