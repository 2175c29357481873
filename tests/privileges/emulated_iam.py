"""moto's IAM, asked what AWS asks its own, with a record of every question.

moto refuses what the policies of the request's role don't allow, by action and resource. It asks
other than AWS in a few places, which are put right here; the answers are moto's own:

- SSM says which parameters a request is about, and asks KMS, as the caller, for the key of each
  SecureString that it decrypts. moto asks about "*" and never about the key.
- S3 asks for each key of DeleteObjects, and tells a missing object from a forbidden one only to
  those who may list the bucket, with the key as the prefix. moto asks once about the bucket, and
  tells everybody.
- CloudFront asks about the distribution that a request is about. moto asks about "*".
- A batch of SQS needs the permission of the single request. moto asks for one of its own.

Conditions are beyond moto: it takes them as met. tests/template/ looks at those.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
import xmltodict
from moto.core.authorization import enable_iam_authentication
from moto.iam.access_control import AssumedRoleAccessKey, IAMRequestBase
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

from local.aws.clients import ACCOUNT_ID, REGION

MANAGED_KEY = "alias/aws/ssm"
"""The account's own key for parameters, which every caller may use through SSM."""


@dataclass(frozen=True)
class Question:
    """May this role do this to that?"""

    role: str
    action: str
    resource: str


@dataclass
class Record:
    """What was asked, and how it was answered."""

    allowed: list[Question] = field(default_factory=list)
    denied: list[Question] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[Record]:
    """Ask as AWS does, and write down the questions of assumed roles."""
    record = Record()
    decide = IAMRequestBase.check_action_permitted

    def ask(request: IAMRequestBase, resource: str) -> None:
        for question in _questions(request, resource):
            request._action = question.action
            try:
                decide(request, question.resource)
            except Exception:
                record.denied.append(question)
                raise
            record.allowed.append(question)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IAMRequestBase, "check_action_permitted", ask)
        yield record


enforced = enable_iam_authentication
"""Within this context moto decides on every request."""


def _questions(request: IAMRequestBase, resource: str) -> Iterator[Question]:
    service, _, operation = request._action.partition(":")
    ask = {"cloudfront": _edge, "s3": _s3, "sqs": _sqs, "ssm": _ssm}.get(service, _plain)
    assert isinstance(request._access_key, AssumedRoleAccessKey)
    for action, about in ask(request, operation, resource):
        yield Question(request._access_key._owner_role_name, action, about)


type _Asked = Iterator[tuple[str, str]]


def _plain(request: IAMRequestBase, operation: str, resource: str) -> _Asked:
    yield request._action, resource


def _edge(request: IAMRequestBase, operation: str, resource: str) -> _Asked:
    distribution = request._path.partition("/distribution/")[2].partition("/")[0]
    arn = f"arn:aws:cloudfront::{ACCOUNT_ID}:distribution/{distribution}"
    yield request._action, arn


def _sqs(request: IAMRequestBase, operation: str, resource: str) -> _Asked:
    yield f"sqs:{operation.removesuffix('Batch')}", resource


def _s3(request: IAMRequestBase, operation: str, resource: str) -> _Asked:
    bucket, _, key = resource.partition("/")
    if operation == "DeleteObject" and not key:
        for doomed in _keys_to_delete(request):
            yield "s3:DeleteObject", f"{bucket}/{doomed}"
    elif operation == "ListBucket":
        yield "s3:ListBucket", bucket
    else:
        yield request._action, resource
    if operation == "GetObject" and not _exists(bucket, key):
        yield "s3:ListBucket", bucket


def _keys_to_delete(request: IAMRequestBase) -> list[str]:
    objects = xmltodict.parse(request._body)["Delete"]["Object"]
    return [item["Key"] for item in (objects if isinstance(objects, list) else [objects])]


def _exists(bucket_arn: str, key: str) -> bool:
    bucket = bucket_arn.rpartition(":")[2]
    return s3_backends[ACCOUNT_ID]["aws"].get_object(bucket, unquote(key)) is not None


def _ssm(request: IAMRequestBase, operation: str, resource: str) -> _Asked:
    wanted = json.loads(request._body)
    names = wanted.get("Names") or [wanted.get("Name") or wanted["Path"]]
    for name in names:
        arn = f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter{name}"
        yield f"ssm:{operation}", arn
    if wanted.get("WithDecryption"):
        for key in _customer_keys(names):
            arn = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/{key}"
            yield "kms:Decrypt", arn


def _customer_keys(names: list[str]) -> list[str]:
    stored = ssm_backends[ACCOUNT_ID][REGION].get_parameters(names).values()
    keys = {parameter.keyid for parameter in stored if parameter.parameter_type == "SecureString"}
    return sorted(keys - {MANAGED_KEY})
