"""What the emulated AWS tells of a resource, in the words of CloudFormation's properties."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from moto.iam.models import iam_backends

from local.aws.clients import ACCOUNT_ID

Properties = dict[str, Any]


def describe(resource_type: str, physical_id: str) -> Properties:
    """Ask the service for a resource. Raises KeyError for a type that nobody can describe here."""
    return DESCRIPTIONS[resource_type](physical_id)


def _api(api_id: str) -> Properties:
    found = boto3.client("apigateway").get_rest_api(restApiId=api_id)
    endpoints = {"Types": found["endpointConfiguration"]["types"]}
    return {"Name": found["name"], "EndpointConfiguration": endpoints}


def _dashboard(name: str) -> Properties:
    found = boto3.client("cloudwatch").get_dashboard(DashboardName=name)
    return {"DashboardName": name, "DashboardBody": found["DashboardBody"]}


def _rule(name: str) -> Properties:
    events = boto3.client("events")
    found = events.describe_rule(Name=name)
    return {**found, "Targets": events.list_targets_by_rule(Rule=name)["Targets"]}


def _role(name: str) -> Properties:
    iam = boto3.client("iam")
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    policies = [
        # What IAM answers here is no JSON; moto's own record is.
        dict(zip(("PolicyName", "PolicyDocument"), _policy(name, policy), strict=True))
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return {"AssumeRolePolicyDocument": trust, "Policies": policies}


def _policy(role: str, name: str) -> tuple[str, Any]:
    return iam_backends[ACCOUNT_ID]["aws"].get_role_policy(role, name)


def _key(key_id: str) -> Properties:
    kms = boto3.client("kms")
    policy = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    return {
        "Description": kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"],
        "EnableKeyRotation": kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
        "KeyPolicy": json.loads(policy),
    }


def _alias(name: str) -> Properties:
    aliases = boto3.client("kms").list_aliases()["Aliases"]
    [found] = [alias for alias in aliases if alias["AliasName"] == name]
    return found


def _function(name: str) -> Properties:
    return boto3.client("lambda").get_function_configuration(FunctionName=name)


def _log_group(name: str) -> Properties:
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    [found] = [group for group in groups if group["logGroupName"] == name]
    return {"LogGroupName": name, "RetentionInDays": found["retentionInDays"]}


def _bucket(name: str) -> Properties:
    s3 = boto3.client("s3")
    [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    encryption = [{"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}]
    block = s3.get_public_access_block(Bucket=name)
    ownership = s3.get_bucket_ownership_controls(Bucket=name)
    return {
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]},
        "BucketEncryption": {"ServerSideEncryptionConfiguration": encryption},
        "PublicAccessBlockConfiguration": block["PublicAccessBlockConfiguration"],
        "OwnershipControls": ownership["OwnershipControls"],
    }


def _queue(url: str) -> Properties:
    sqs = boto3.client("sqs")
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = {name: json.loads(found[name]) for name in ("RedrivePolicy",) if name in found}
    return {**found, **redrive, "QueueName": url.rsplit("/", 1)[-1]}


DESCRIPTIONS: Mapping[str, Callable[[str], Properties]] = {
    "AWS::ApiGateway::RestApi": _api,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
}
