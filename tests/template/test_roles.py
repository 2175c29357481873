"""What each function may do, and nothing beyond it."""

import pytest

from tests.template.stack import ROLES, as_list, edge_stack, stack

BUCKET = "${CacheBucket.Arn}"
REBUILDS = "${RebuildQueue.Arn}"
DEAD_LETTERS = "${DeadLetterQueue.Arn}"
PARAMETER = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/lambda/mipsSecret"

# Resources that end in, or are, a wildcard; anything else must be one thing.
WILDCARDS = {
    "*": "X-Ray's actions know no resource",
    # A new version of the entries comes with new code, but the roles change a little before it.
    f"{BUCKET}/cache/*": "every entry, of every version",
    f"{BUCKET}/cache/v1/*": "every entry of the version that the code writes",
    f"{BUCKET}/cache/v1/failures/*": "every failure record",
}
TRACING = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}

EXPECTED = {
    "ReaderRole": {
        ("s3:GetObject", f"{BUCKET}/cache/*"),
        ("s3:ListBucket", BUCKET),
        ("sqs:SendMessage", REBUILDS),
    },
    "WorkerRole": {
        ("s3:GetObject", f"{BUCKET}/cache/v1/*"),
        ("s3:PutObject", f"{BUCKET}/cache/v1/*"),
        ("s3:DeleteObject", f"{BUCKET}/cache/v1/failures/*"),
        ("s3:ListBucket", BUCKET),
        ("sqs:ReceiveMessage", REBUILDS),
        ("sqs:DeleteMessage", REBUILDS),
        ("sqs:ChangeMessageVisibility", REBUILDS),
        ("sqs:GetQueueAttributes", REBUILDS),
        ("sqs:SendMessage", DEAD_LETTERS),
        ("sqs:SendMessage", REBUILDS),
        ("ssm:GetParameter", f"{PARAMETER}/session"),
        ("ssm:GetParameters", f"{PARAMETER}/user"),
        ("ssm:GetParameters", f"{PARAMETER}/pass"),
        ("ssm:PutParameter", f"{PARAMETER}/session"),
        ("kms:Decrypt", "${SsmKey.Arn}"),
    },
    "AdminRole": {
        ("s3:GetObject", f"{BUCKET}/cache/v1/*"),
        ("s3:PutObject", f"{BUCKET}/cache/v1/*"),
        ("s3:DeleteObject", f"{BUCKET}/cache/v1/failures/*"),
        ("s3:ListBucket", BUCKET),
        ("sqs:SendMessage", REBUILDS),
        ("sqs:GetQueueAttributes", REBUILDS),
        ("sqs:ReceiveMessage", DEAD_LETTERS),
        ("sqs:DeleteMessage", DEAD_LETTERS),
        ("sqs:ChangeMessageVisibility", DEAD_LETTERS),
        ("sqs:GetQueueAttributes", DEAD_LETTERS),
        ("sqs:SendMessage", DEAD_LETTERS),
        ("ssm:GetParameter", f"{PARAMETER}/session"),
    },
}


def logging(role):
    group = role.replace("Role", "LogGroup")
    return {
        (f"logs:{action}", f"${{{group}.Arn}}") for action in ("CreateLogStream", "PutLogEvents")
    }


def resources_of(role, action):
    return {resource for granted, resource in stack().grants(role) if granted == action}


@pytest.mark.parametrize("role", ROLES)
def test_role_grants_exactly_what_is_listed(role):
    assert stack().grants(role) == EXPECTED[role] | logging(role) | TRACING


@pytest.mark.parametrize("role", ROLES)
def test_role_names_every_action(role):
    actions = {action for action, _ in edge_stack().grants(role)}

    assert not [action for action in actions if "*" in action or "?" in action]


@pytest.mark.parametrize("role", ROLES)
def test_role_names_every_resource_but_the_listed_ones(role):
    wide = {resource for _, resource in edge_stack().grants(role) if "*" in resource}

    assert wide <= set(WILDCARDS)


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_nothing_but_tracing_everywhere(role):
    assert {grant for grant in edge_stack().grants(role) if grant[1] == "*"} == TRACING


@pytest.mark.parametrize("role", ROLES)
def test_role_uses_no_exclusions(role):
    """Allowing everything but a list would grant what nobody thought of."""
    assert not [
        statement
        for statement in edge_stack().statements(role)
        if statement["Effect"] != "Allow" or {"NotAction", "NotResource"} & set(statement)
    ]


@pytest.mark.parametrize("role", ROLES)
def test_role_has_no_policy_of_somebody_elses(role):
    assert "ManagedPolicyArns" not in stack().properties(role)


@pytest.mark.parametrize("role", ROLES)
def test_role_is_assumed_by_lambda_alone(role):
    [statement] = stack().properties(role)["AssumeRolePolicyDocument"]["Statement"]

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

    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": "ssm.${AWS::Region}.amazonaws.com"}
    }


def test_parameter_arns_follow_the_prefix():
    elsewhere = stack(SsmParamPrefix="/books/mip").grants("WorkerRole")

    names = {
        resource.partition(":parameter")[2] for action, resource in elsewhere if "ssm:" in action
    }
    assert names == {"/books/mip/user", "/books/mip/pass", "/books/mip/session"}


def test_admin_with_an_edge_may_invalidate_that_distribution():
    added = edge_stack().grants("AdminRole") - stack().grants("AdminRole")

    assert added == {
        (
            "cloudfront:CreateInvalidation",
            "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${EdgeDistribution}",
        )
    }


@pytest.mark.parametrize("role", ["ReaderRole", "WorkerRole"])
def test_edge_gives_reader_and_worker_nothing(role):
    assert edge_stack().grants(role) == stack().grants(role)
