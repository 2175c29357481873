"""What no role may do. That each has all that it needs and nothing else: tests/privileges/."""

import pytest

from tests.template.stack import ROLES, as_list, edge_stack, stack

BUCKET = "${CacheBucket.Arn}"
PARAMETER = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/lambda/mipsSecret"
TRACING = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}


def resources_of(role, action):
    return {resource for granted, resource in stack().grants(role) if granted == action}


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_nothing_but_tracing_everywhere(role):
    """X-Ray's actions know no resource."""
    assert {grant for grant in edge_stack().grants(role) if grant[1] == "*"} == TRACING


@pytest.mark.parametrize("role", ROLES)
def test_role_has_policies_of_the_template_only_and_is_assumed_by_lambda_alone(role):
    [statement] = stack().properties(role)["AssumeRolePolicyDocument"]["Statement"]

    assert "ManagedPolicyArns" not in stack().properties(role)
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("role", ROLES)
def test_role_may_list_the_bucket_without_a_condition(role):
    """What a condition on s3:prefix does to the 404 of a missing key is not documented."""
    [statement] = [
        entry for entry in stack().statements(role) if "s3:ListBucket" in as_list(entry["Action"])
    ]

    assert "Condition" not in statement


def test_reader_may_neither_write_nor_see_credentials():
    actions = {action for action, _ in stack().grants("ReaderRole")}

    assert not [action for action in actions if action.startswith(("ssm:", "kms:"))]
    assert not [action for action in actions if action.startswith(("s3:Put", "s3:Delete"))]


@pytest.mark.parametrize("role", ["WorkerRole", "AdminRole"])
def test_only_failure_records_can_be_deleted(role):
    assert resources_of(role, "s3:DeleteObject") == {f"{BUCKET}/cache/v1/failures/*"}


def test_worker_changes_no_parameter_but_the_session():
    assert resources_of("WorkerRole", "ssm:PutParameter") == {f"{PARAMETER}/session"}
    assert resources_of("WorkerRole", "ssm:DeleteParameter") == set()


def test_worker_decrypts_through_the_parameter_store_only():
    [statement] = [
        entry for entry in stack().statements("WorkerRole") if entry["Action"] == "kms:Decrypt"
    ]

    assert statement["Resource"] == "${SsmKey.Arn}"
    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": "ssm.${AWS::Region}.amazonaws.com"}
    }


def test_parameter_arns_follow_the_prefix():
    elsewhere = stack(SsmParamPrefix="/books/mip").grants("WorkerRole")

    names = {
        resource.partition(":parameter")[2] for action, resource in elsewhere if "ssm:" in action
    }
    assert names == {"/books/mip/user", "/books/mip/pass", "/books/mip/session"}


def test_an_edge_gives_the_admin_the_invalidation_of_it_and_the_others_nothing():
    added = {role: edge_stack().grants(role) - stack().grants(role) for role in ROLES}
    distribution = (
        "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${EdgeDistribution}"
    )

    assert added == {
        "ReaderRole": set(),
        "WorkerRole": set(),
        "AdminRole": {("cloudfront:CreateInvalidation", distribution)},
    }
