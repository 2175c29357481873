"""What each role is refused, by moto's IAM; `emulated_iam.py` tells what that cannot judge."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.handlers.conftest import SSM_PATH
from tests.privileges.deployment import Deployment
from tests.privileges.emulated_iam import enforced

READER, WORKER, ADMIN = "ReaderRole", "WorkerRole", "AdminRole"

ENTRY = "cache/v1/programs.json"
FAILURE = "cache/v1/failures/programs.json"
OLD_ENTRY = "cache/v0/programs.json"
OUTSIDE = "elsewhere/programs.json"
USER, PASSWORD, SESSION = (f"{SSM_PATH}/{name}" for name in ("user", "pass", "session"))


@dataclass(frozen=True)
class Request:
    """An AWS request; `{bucket}` and the like in its parameters are the deployment's."""

    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def send(self, deployment: Deployment, role: str) -> Any:
        """Send it with a role's credentials."""
        names = {
            "{bucket}": deployment.bucket,
            "{rebuilds}": deployment.queue_url,
            "{dead letters}": deployment.dead_letter_queue_url,
            "{admin role}": deployment.roles[ADMIN],
        }
        parameters = {
            name: names.get(value, value) if isinstance(value, str) else value
            for name, value in self.parameters.items()
        }
        return getattr(deployment.client(role, self.service), self.operation)(**parameters)

    def __str__(self) -> str:
        values = [str(value) for value in self.parameters.values() if value != "{bucket}"]
        return f"{self.operation} {' '.join(values[:1])}"


def s3(operation: str, key: str, **more: Any) -> Request:
    return Request("s3", operation, {"Bucket": "{bucket}", "Key": key} | more)


def sqs(operation: str, queue: str, **more: Any) -> Request:
    return Request("sqs", operation, {"QueueUrl": queue} | more)


def ssm(operation: str, **parameters: Any) -> Request:
    return Request("ssm", operation, parameters)


def put(key: str) -> Request:
    return s3("put_object", key, Body=b"{}")


def delete_many(*keys: str) -> Request:
    listed = {"Objects": [{"Key": key} for key in keys]}
    return Request("s3", "delete_objects", {"Bucket": "{bucket}", "Delete": listed})


def send(queue: str) -> Request:
    return sqs("send_message", queue, MessageBody="{}", MessageGroupId="mips")


def overwrite(name: str) -> Request:
    return ssm("put_parameter", Name=name, Value="x", Type="SecureString", Overwrite=True)


def receive(queue: str) -> Request:
    return sqs("receive_message", queue)


READ_CREDENTIALS = ssm("get_parameters", Names=[USER, PASSWORD], WithDecryption=True)
LIST_REBUILDS = sqs("get_queue_attributes", "{rebuilds}", AttributeNames=["All"])
INVALIDATE_ANOTHER_EDGE = Request(
    "cloudfront",
    "create_invalidation",
    {
        "DistributionId": "E0ANOTHER",
        "InvalidationBatch": {
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": "once",
        },
    },
)

# A refused request and, where there is one, a role to which the very same is allowed: so the
# refusal is due to the role and to nothing that is wrong with the request.
REFUSED: list[tuple[str, Request, str | None]] = [
    (READER, READ_CREDENTIALS, WORKER),
    (READER, ssm("get_parameter", Name=SESSION), ADMIN),
    (READER, ssm("get_parameters_by_path", Path=SSM_PATH), None),
    (READER, put(ENTRY), WORKER),
    (READER, s3("delete_object", FAILURE), ADMIN),
    (READER, delete_many(FAILURE), ADMIN),
    (READER, s3("get_object", OUTSIDE), None),
    (READER, receive("{rebuilds}"), WORKER),
    (READER, receive("{dead letters}"), ADMIN),
    (READER, sqs("delete_message", "{rebuilds}", ReceiptHandle="x"), None),
    (READER, sqs("purge_queue", "{rebuilds}"), None),
    (READER, LIST_REBUILDS, ADMIN),
    (READER, send("{dead letters}"), ADMIN),
    (WORKER, s3("delete_object", ENTRY), None),
    (WORKER, delete_many(FAILURE, ENTRY), None),
    (WORKER, put(OLD_ENTRY), None),
    (ADMIN, s3("delete_object", ENTRY), None),
    (ADMIN, put(OLD_ENTRY), None),
    (WORKER, put(OUTSIDE), None),
    (WORKER, s3("get_object", OUTSIDE), None),
    (WORKER, overwrite(USER), None),
    (WORKER, overwrite(PASSWORD), None),
    (WORKER, ssm("delete_parameter", Name=PASSWORD), None),
    (WORKER, ssm("get_parameter", Name="/another/secret"), None),
    (WORKER, receive("{dead letters}"), ADMIN),
    (WORKER, sqs("purge_queue", "{rebuilds}"), None),
    (ADMIN, READ_CREDENTIALS, WORKER),
    (ADMIN, ssm("get_parameters", Names=[PASSWORD], WithDecryption=False), WORKER),
    (ADMIN, ssm("get_parameter", Name=PASSWORD, WithDecryption=True), None),
    (ADMIN, ssm("get_parameter_history", Name=PASSWORD), None),
    (ADMIN, overwrite(PASSWORD), None),
    (ADMIN, overwrite(SESSION), WORKER),
    (ADMIN, ssm("delete_parameter", Name=SESSION), None),
    (WORKER, ssm("delete_parameter", Name=SESSION), None),
    (ADMIN, put(OUTSIDE), None),
    (ADMIN, s3("delete_object", OUTSIDE), None),
    (ADMIN, s3("delete_object", ENTRY, VersionId="null"), None),
    (ADMIN, Request("s3", "delete_bucket", {"Bucket": "{bucket}"}), None),
    (ADMIN, receive("{rebuilds}"), WORKER),
    (ADMIN, sqs("purge_queue", "{dead letters}"), None),
    (ADMIN, INVALIDATE_ANOTHER_EDGE, None),
    (
        ADMIN,
        Request(
            "iam",
            "put_role_policy",
            {"RoleName": "{admin role}", "PolicyName": "more", "PolicyDocument": "{}"},
        ),
        None,
    ),
]


@pytest.fixture
def prepared(deployment: Deployment) -> Deployment:
    deployment.clean()
    for key in (ENTRY, FAILURE, OLD_ENTRY, OUTSIDE):
        deployment.s3.put_object(Bucket=deployment.bucket, Key=key, Body=b"{}")
    deployment.ssm.put_parameter(Name=SESSION, Value="token", Type="SecureString")
    return deployment


def refused(deployment: Deployment, role: str, request: Request) -> bool:
    """Send a request and tell whether it was forbidden, as a whole or for some keys."""
    with enforced():
        try:
            answer = request.send(deployment, role)
        except ClientError as exc:
            # The code is no help: where AWS speaks JSON, moto's IAM refuses in XML.
            return exc.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.FORBIDDEN
    return "AccessDenied" in {error["Code"] for error in answer.get("Errors", [])}


@pytest.mark.parametrize(
    ("role", "request_"),
    [pytest.param(role, request, id=f"{role} {request}") for role, request, _ in REFUSED],
)
def test_role_is_refused(prepared: Deployment, role: str, request_: Request) -> None:
    assert refused(prepared, role, request_)
    assert [question.role for question in prepared.record.denied] == [prepared.roles[role]]


@pytest.mark.parametrize(
    ("role", "request_"),
    [
        pytest.param(other, request, id=f"{other} {request}")
        for other, request in {
            (other, str(request)): (other, request) for _, request, other in REFUSED if other
        }.values()
    ],
)
def test_the_same_is_allowed_to_the_role_that_needs_it(
    prepared: Deployment, role: str, request_: Request
) -> None:
    assert not refused(prepared, role, request_)
    assert prepared.record.denied == []


@pytest.mark.parametrize("role", [READER, WORKER, ADMIN])
def test_missing_object_is_told_as_missing_only_to_those_who_may_list(
    prepared: Deployment, role: str
) -> None:
    """Else the first read of an empty cache would fail as forbidden instead of being a miss."""
    missing = s3("get_object", "cache/v1/balances/2020-01-01_2020-01-31.json")
    with enforced(), pytest.raises(ClientError) as caught:
        missing.send(prepared, role)
    assert caught.value.response["Error"]["Code"] == "NoSuchKey"
    assert "s3:ListBucket" in {question.action for question in prepared.record.allowed}
