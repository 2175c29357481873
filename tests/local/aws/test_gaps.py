"""Probes: moto still cannot do what the files in `local/aws/gaps/` are for.

One that fails is good news: moto has learnt it, and its file can go.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.parsing import get_model_map

CODE = {"S3Bucket": "local", "S3Key": "code"}
ROLE = "arn:aws:iam::123456789012:role/any"


@pytest.fixture(autouse=True)
def _moto() -> Iterator[None]:
    with mock_aws():
        yield


def made(kind: str, **properties: Any) -> str:
    """Have CloudFormation make one resource; its physical id."""
    resource = {"Type": kind, "Properties": properties}
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName="probe", TemplateBody=json.dumps({"Resources": {"It": resource}})
    )
    [found] = cloudformation.describe_stack_resources(StackName="probe")["StackResources"]
    return str(found["PhysicalResourceId"])


def test_bucket_settings_are_dropped() -> None:
    bucket = made("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"})
    assert "Status" not in boto3.client("s3").get_bucket_versioning(Bucket=bucket)


def test_fifo_queue_name_lacks_its_ending() -> None:
    with pytest.raises(Exception, match=r"(?i)queue name"):
        made("AWS::SQS::Queue", FifoQueue=True)


def test_key_with_a_policy_cannot_be_described() -> None:
    allowed = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    key = made("AWS::KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": [allowed]})
    with pytest.raises(TypeError):
        boto3.client("kms").describe_key(KeyId=key)


def test_function_needs_code_that_is_there() -> None:
    properties = {"Code": CODE, "Handler": "a.b", "Role": ROLE, "Runtime": "python3.13"}
    with pytest.raises(Exception, match=r"(?i)bucket|key"):
        made("AWS::Lambda::Function", **properties)


def test_api_has_no_routes_of_its_body() -> None:
    api = made("AWS::ApiGateway::RestApi", Name="it", Body={"paths": {"/a": {"get": {}}}})
    resources = boto3.client("apigateway").get_resources(restApiId=api)["items"]
    assert [found["path"] for found in resources] == ["/"]


def test_alarms_are_unknown() -> None:
    assert "AWS::CloudWatch::Alarm" not in get_model_map()
