"""Lambda's Invoke, and functions that run as on Lambda."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.functions.functions import FunctionFailedError
from local.functions.sandbox import NOT_USED_HERE, PROJECT_ROOT, environment_of
from local.stack import LocalStack
from tests.local.toy_stack import eventually, toy_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with toy_stack(timeouts={"AdminFunction": 3.0, "ReaderFunction": 0.5}) as running:
        yield running


def invoke(stack: LocalStack, name: str = "AdminFunction", **arguments: Any) -> dict[str, Any]:
    arguments["Payload"] = json.dumps(arguments.pop("event", {"do": "pid"}))
    return stack.client("lambda").invoke(FunctionName=name, **arguments)


def error_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["FunctionError"] == "Unhandled"
    return json.loads(answer["Payload"].read())


@pytest.mark.parametrize(
    "name",
    [
        "AdminFunction",
        "lambda-mips-api-admin",
        "arn:aws:lambda:us-east-1:123456789012:function:lambda-mips-api-admin",
    ],
)
def test_a_function_answers_by_logical_id_name_and_arn(stack: LocalStack, name: str) -> None:
    answer = invoke(stack, name, event={"do": "echo", "text": "grüße"})
    assert json.loads(answer["Payload"].read())["text"] == "grüße"
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer


def test_an_unknown_function_is_not_found(stack: LocalStack) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(stack, "Nobody")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_command_line_of_aws_invokes_by_arn_and_sees_errors(
    stack: LocalStack, tmp_path: Path
) -> None:
    result = tmp_path / "result.json"
    run = subprocess.run(
        [
            *(Path(sys.executable).parent / "aws", "lambda", "invoke"),
            *("--function-name", stack.outputs["AdminArn"]),
            *("--payload", '{"do": "fail", "text": "oh"}', result),
        ],
        env={
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": stack.aws_url,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout)["FunctionError"] == "Unhandled"
    assert json.loads(result.read_text())["errorType"] == "KeyError"


def test_a_raised_exception_is_told_with_its_place_in_the_code(stack: LocalStack) -> None:
    error = error_of(invoke(stack, event={"do": "fail", "text": "oh"}))
    assert error["errorType"] == "KeyError"
    assert error["errorMessage"] == "'oh'"
    assert "toys.py" in error["stackTrace"][-1]
    assert "runtime.py" not in "".join(error["stackTrace"])
    assert len(error["requestId"]) == 36


def tail_of(answer: dict[str, Any]) -> str:
    return base64.b64decode(answer["LogResult"]).decode()


def test_the_log_tail_holds_what_the_invocation_printed(stack: LocalStack) -> None:
    first, second = (
        tail_of(invoke(stack, event={"do": "print", "text": text}, LogType="Tail"))
        for text in ("no line feed at its end", "the next one's")
    )
    assert "no line feed at its end\nEND RequestId: " in first
    assert second.startswith("START RequestId: ")
    assert "no line feed" not in second
    log = (stack.logs or Path()) / "AdminFunction.log"
    assert "the next one's\n" in log.read_text()


def test_an_event_is_accepted_at_once_and_runs_later(stack: LocalStack, tmp_path: Path) -> None:
    answer = invoke(
        stack, event={"do": "touch", "path": str(tmp_path / "ran")}, InvocationType="Event"
    )
    assert answer["StatusCode"] == 202
    assert eventually((tmp_path / "ran").exists)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{oh", "InvalidRequestContentException"),
        (b'"' + b"x" * 6 * 2**20 + b'"', "RequestTooLargeException"),
    ],
)
def test_a_payload_that_lambda_refuses_is_refused(
    stack: LocalStack, payload: bytes, code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        stack.client("lambda").invoke(FunctionName="AdminFunction", Payload=payload)
    assert caught.value.response["Error"]["Code"] == code


def test_a_function_over_its_time_is_killed_and_replaced(stack: LocalStack) -> None:
    reader = stack.functions["ReaderFunction"]
    stack.invoke("ReaderFunction", {"queryStringParameters": None})
    before = reader.pids()
    slow = {"queryStringParameters": {"sleep": "30"}}
    error = error_of(invoke(stack, "ReaderFunction", event=slow))
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 0.50 seconds")
    assert stack.invoke("ReaderFunction", {"queryStringParameters": None})["statusCode"] == 200
    assert len(before) == len(reader.pids()) == 1
    assert before != reader.pids()


def test_a_killed_process_fails_its_invocation_and_is_replaced(
    stack: LocalStack, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    with ThreadPoolExecutor() as threads:
        event = {"do": "sleep", "seconds": 2.5, "started": str(started)}
        running = threads.submit(invoke, stack, event=event)
        assert eventually(started.exists)
        assert stack.functions["AdminFunction"].kill() == 1
        error = error_of(running.result())
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert stack.invoke("AdminFunction", {"do": "echo"}) == {"do": "echo"}


def test_processes_are_used_again_until_they_are_recycled(stack: LocalStack) -> None:
    first, second = (stack.invoke("AdminFunction", {"do": "pid"}) for _ in range(2))
    assert first == second
    assert stack.functions["AdminFunction"].recycle() >= 1
    assert stack.invoke("AdminFunction", {"do": "pid"}) != first


def test_invocations_beyond_the_limit_wait_in_line(stack: LocalStack) -> None:
    with ThreadPoolExecutor() as threads:
        running = [
            threads.submit(stack.invoke, "AdminFunction", {"do": "sleep", "seconds": 0.3})
            for _ in range(5)
        ]
        pids = {done.result() for done in running}
    assert len(pids) == stack.functions["AdminFunction"].concurrency == 2


def test_a_result_over_six_megabytes_is_refused(stack: LocalStack) -> None:
    with pytest.raises(FunctionFailedError, match="maximum allowed payload size") as caught:
        stack.invoke("AdminFunction", {"do": "much", "bytes": 6_291_556})
    assert caught.value.error["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(stack.invoke("AdminFunction", {"do": "much", "bytes": 6_000_000})) == 6_000_000


def test_code_that_cannot_be_loaded_fails_every_invocation(stack: LocalStack) -> None:
    for _ in range(2):
        with pytest.raises(FunctionFailedError, match="Unable to import module 'nowhere'") as error:
            stack.invoke("BrokenFunction")
        assert error.value.error["errorType"] == "Runtime.ImportModuleError"
    assert stack.functions["BrokenFunction"].pids() == []


def test_logs_and_decimals_are_written_as_on_lambda(stack: LocalStack) -> None:
    answer = invoke(stack, event={"do": "log", "text": "careful"}, LogType="Tail")
    assert answer["Payload"].read() == b"1.50"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert re.search(
        rf"^\[WARNING\]\t[-\dT:.]+Z\t{request_id}\tcareful$", tail_of(answer), re.MULTILINE
    )


def test_a_function_sees_lambdas_variables_and_its_own_and_none_of_the_users(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "AWS_PROFILE", "AWS_SESSION_TOKEN", "MIP_PASSWORD", "HOME"):
        monkeypatch.setenv(name, "the user's")
    stack.functions["AdminFunction"].recycle()
    seen = stack.invoke("AdminFunction", {"do": "environment"})
    assert "the user's" not in seen.values()
    assert seen["GREETING"] == "hello"
    assert seen["BUCKET"] == stack.resources["CacheBucket"]
    assert seen["AWS_ENDPOINT_URL"] == stack.aws_url
    assert seen["AWS_ACCESS_KEY_ID"] == seen["AWS_SECRET_ACCESS_KEY"] == "test"
    assert (seen["AWS_REGION"], seen["TZ"]) == ("us-east-1", ":UTC")


def test_the_context_is_lambdas(stack: LocalStack) -> None:
    answer = invoke(stack, event={"do": "context"})
    context = json.loads(answer["Payload"].read())
    assert 2000 < context["remaining_ms"] <= 3000
    assert context["aws_request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert context["function_name"] == "lambda-mips-api-admin"
    assert context["invoked_function_arn"] == stack.outputs["AdminArn"]
    assert context["memory_limit_in_mb"] == "256"
    assert context["log_group_name"] == "/aws/lambda/lambda-mips-api-admin"
    assert context["log_stream_name"].startswith("[$LATEST]")


def test_a_runtime_whose_stack_is_gone_ends_even_within_a_handler(
    stack: LocalStack, tmp_path: Path
) -> None:
    spec = stack.functions["AdminFunction"].spec
    outer, inner = Pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "local.functions.runtime", spec.handler, str(inner.fileno())],
        env=environment_of(spec, stack.aws_url, "stream"),
        cwd=PROJECT_ROOT,
        pass_fds=[inner.fileno()],
        stdout=subprocess.DEVNULL,
    ) as process:
        inner.close()
        event = {"do": "sleep", "seconds": 60, "started": str(tmp_path / "started")}
        outer.send_bytes(json.dumps(_message(event)).encode())
        assert eventually((tmp_path / "started").exists)
        outer.close()
        assert process.wait(timeout=5) == 0


def _message(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "invoke_id": "1",
        "event_body": json.dumps(event),
        "content_type": "application/json",
        "invoked_function_arn": "arn",
        "deadline_time_in_ms": 60_000,
    } | dict.fromkeys(NOT_USED_HERE)
