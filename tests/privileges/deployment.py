"""The template's stack in moto, with each handler acting under the role that the stack gave it."""

import functools
import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudfront.models import cloudfront_backends
from moto.iam.models import iam_backends

from core.adapters import aws
from handlers import admin, reader, worker
from handlers.wiring.admin import admin as admin_services
from handlers.wiring.reader import reader as reader_services
from handlers.wiring.worker import worker as worker_services
from local.aws.clients import ACCOUNT_ID
from local.aws.provisioning import provision, store_credentials
from local.functions.specs import function_specs
from local.mip import ORGANISATION, PASSWORD, USER, MipCloud, MipCloudServer
from local.template.stack_template import DEFAULT_TEMPLATE, load
from local.triggers.poller import to_record
from tests.handlers.conftest import LOOPBACK_PASSES, SSM_PATH, Context, event
from tests.local.aws.in_process import InProcessAws
from tests.privileges.emulated_iam import Record, enforced, recorded
from tests.template.stack import as_list

ROLES = {
    "ReaderFunction": "ReaderRole",
    "WorkerFunction": "WorkerRole",
    "AdminFunction": "AdminRole",
}


class Deployment:
    """A service deployed with an edge, its operator, and what IAM was asked about its roles."""

    def __init__(self, mip: MipCloud, url: str, record: Record) -> None:
        self.mip = mip
        self.record = record
        self.s3, self.sqs, self.ssm = (boto3.client(name) for name in ("s3", "sqs", "ssm"))
        template = load(
            DEFAULT_TEMPLATE,
            {"EdgeCache": "true"},
            {"MipOrganization": ORGANISATION, "MipLoginUrl": url, "MipApiUrl": url},
        )
        stack = provision(InProcessAws(), template)  # type: ignore[arg-type]
        self.resources = stack.resources
        self.environments = {
            spec.logical_id: spec.environment
            for spec in function_specs(InProcessAws(), template, stack, {}, {})  # type: ignore[arg-type]
        }
        self.bucket = stack.resources["CacheBucket"]
        self.queue_url = stack.resources["RebuildQueue"]
        self.dead_letter_queue_url = stack.resources["DeadLetterQueue"]
        self.roles = {role: stack.resources[role] for role in ROLES.values()}
        self.policies = {role: self._policies(name) for role, name in self.roles.items()}
        self._credentials = {role: _assumed(name) for role, name in self.roles.items()}
        # Each function has processes, and so a session, of its own.
        self._sessions = {
            function: functools.cache(inspect.unwrap(aws._session)) for function in ROLES
        }
        self.set_password(PASSWORD)
        self.invalidations = _edge_of(self.environments["AdminFunction"]["DISTRIBUTION_ID"])

    def _policies(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of a role.

        moto's CloudFormation leaves those of a role as Python values, on which its IAM fails; so
        they are put once more, as JSON.
        """
        iam = boto3.client("iam")
        statements = []
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            _, found = iam_backends[ACCOUNT_ID]["aws"].get_role_policy(role, name)
            document = json.loads(found) if isinstance(found, str) else found
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
            statements.extend(document["Statement"])
        return statements

    def grants(self, role: str) -> set[tuple[str, str]]:
        """Return every pair of action and resource that a role allows."""
        return {
            (action, resource)
            for statement in self.policies[role]
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def client(self, role: str, service: str) -> Any:
        """Return a client with a role's credentials; within `enforced()` they count."""
        credentials = {name.lower(): value for name, value in self._credentials[role].items()}
        return boto3.client(service, **credentials)

    @contextmanager
    def invocation(self, function: str) -> Iterator[None]:
        """What a function's code meets: its variables, its role, and IAM that enforces."""
        with pytest.MonkeyPatch.context() as patch:
            given = {**self.environments[function], **self._credentials[ROLES[function]]}
            for name, value in given.items():
                patch.setenv(name, value)
            patch.setattr(aws, "_session", self._sessions[function])
            with enforced():
                yield

    def get(
        self, path: str, headers: dict[str, str] | None = None, **parameters: str
    ) -> dict[str, Any]:
        """Have the reader answer a request, without a wait on a miss."""
        request = event("reader_accounts") | {
            "path": path,
            "headers": {"Prefer": "wait=0"} | (headers or {}),
            "multiValueHeaders": None,
            "queryStringParameters": parameters,
            "multiValueQueryStringParameters": None,
        }
        with self.invocation("ReaderFunction"):
            return reader.lambda_handler(request, Context(29))

    def poll(self, receives: int | None = None) -> list[str]:
        """Have Lambda feed the worker once, under the worker's role; return what was left.

        `receives` says how often the messages have been received, if not as often as they have.
        """
        with self.invocation("WorkerFunction"):
            sqs = self.client("WorkerRole", "sqs")
            arn = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])
            received = sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            for message in received:
                if receives:
                    message["Attributes"]["ApproximateReceiveCount"] = str(receives)
            records = [to_record(message, arn["Attributes"]["QueueArn"]) for message in received]
            answer = worker.lambda_handler({"Records": records}, Context())
            left = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
            for message in received:
                if message["MessageId"] not in left:
                    sqs.delete_message(
                        QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                    )
        return left

    def steer(self, **payload: Any) -> dict[str, Any]:
        """Have the admin do something."""
        with self.invocation("AdminFunction"):
            return admin.lambda_handler(payload, Context(120))

    def set_password(self, password: str) -> None:
        """Store the credentials as an operator does, under the stack's own key."""
        key = self.resources["SsmKey"]
        store_credentials(InProcessAws(), SSM_PATH, key, USER, password)  # type: ignore[arg-type]

    def send(self, body: object) -> None:
        """Queue a rebuild, as an operator."""
        self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageGroupId="mips",
        )

    def fill(self) -> None:
        """Have everything built."""
        self.send({"dataset": "all"})
        assert self.poll() == []

    def stored(self, key: str) -> Any:
        """Return an object below the prefix as JSON; None if there is none."""
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=f"cache/{key}")
        except self.s3.exceptions.NoSuchKey:
            return None
        return json.loads(found["Body"].read())

    def store(self, key: str, value: Any) -> None:
        body = json.dumps(value).encode()
        self.s3.put_object(Bucket=self.bucket, Key=f"cache/{key}", Body=body)

    def waiting(self, queue_url: str) -> int:
        """Return how many messages of a queue can be received."""
        name = "ApproximateNumberOfMessages"
        found = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def clean(self) -> None:
        """Forget what happened: cache, queues, session, MIP, and the handlers' processes."""
        self.mip.reset()
        self.mip.on_call = None
        forget_wiring()
        for listed in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            self.s3.delete_object(Bucket=self.bucket, Key=listed["Key"])
        for queue_url in (self.queue_url, self.dead_letter_queue_url):
            self.sqs.purge_queue(QueueUrl=queue_url)
        self.ssm.delete_parameters(Names=[f"{SSM_PATH}/session"])
        self.set_password(PASSWORD)
        self.invalidations.clear()
        self.record.allowed.clear()
        self.record.denied.clear()


def _assumed(role: str) -> dict[str, str]:
    """Return a role's credentials as Lambda gives them to its functions."""
    arn = boto3.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    got = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="invocation")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": got["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
        "AWS_SESSION_TOKEN": got["SessionToken"],
    }


def _edge_of(distribution_id: str) -> list[Any]:
    """Make the distribution, which moto's CloudFormation cannot; return what invalidates it."""
    origin = {"Id": "api", "DomainName": "api.example.org"}
    behavior = {"TargetOriginId": "api", "ViewerProtocolPolicy": "redirect-to-https"}
    backend = cloudfront_backends[ACCOUNT_ID]["aws"]
    made = boto3.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": distribution_id,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
        }
    )["Distribution"]
    backend.distributions[distribution_id] = backend.distributions.pop(made["Id"])
    return backend.invalidations.setdefault(distribution_id, [])


def forget_wiring() -> None:
    """Begin new execution environments."""
    for cached in (reader_services, worker_services, admin_services):
        cached.cache_clear()


@contextmanager
def deployed() -> Iterator[Deployment]:
    """Deploy the service into moto for a while."""
    with (
        pytest.MonkeyPatch.context() as patch,
        MipCloudServer(MipCloud(), port=0) as server,
        mock_aws(config=LOOPBACK_PASSES),
        recorded() as record,
    ):
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # Between scenes a queue is emptied more often than AWS, and so moto, allows.
        patch.setenv("MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR", "false")
        forget_wiring()
        yield Deployment(server.mip, server.url, record)
        forget_wiring()
