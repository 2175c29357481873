"""What holds for every policy statement of the template, whatever it belongs to.

That a role has every right that it needs and no other is held by `tests/privileges/`.
"""

import pytest

from core.model.datasets import entries_prefix, failures_prefix
from tests.template.stack import FUNCTIONS, ROLES, as_list, edge_stack, stack

BUCKET = "${CacheBucket.Arn}"
# Wildcards in the resources of what is allowed, by the resource that holds the statement.
WIDE = {
    *((role, "*") for role in ROLES),  # X-Ray's actions know no resource
    ("SsmKey", "*"),  # in a key's own policy: this key
    # New code may bring a new version of the entries, but the roles change a little before it.
    ("ReaderRole", f"{BUCKET}/cache/*"),
    *((role, f"{BUCKET}/cache/v1/*") for role in ("WorkerRole", "AdminRole")),
    *((role, f"{BUCKET}/cache/v1/failures/*") for role in ("WorkerRole", "AdminRole")),
}
ROOT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
KEY_ADMIN = "arn:aws:iam::123456789012:role/KeyAdmin"
HOLDERS = {
    *ROLES,
    "EdgeInvalidationPolicy",
    "RebuildQueuePolicy",
    "DeadLetterQueuePolicy",
    "CacheBucketPolicy",
    "SsmKey",
}


def statements():
    """Yield every statement in the template with the name of the resource that holds it."""

    def below(value):
        if isinstance(value, list):
            for item in value:
                yield from below(item)
        elif isinstance(value, dict):
            yield from as_list(value.get("Statement", []))
            yield from below(list(value.values()))

    for name, resource in edge_stack().resources.items():
        for statement in below(resource["Properties"]):
            yield name, statement


def allowed():
    return [(name, entry) for name, entry in statements() if entry["Effect"] == "Allow"]


def test_statements_functions_and_roles_are_those_that_these_tests_know():
    """Guards the other tests against finding too little."""
    assert {name for name, _ in statements()} == HOLDERS
    assert set(edge_stack().of_type("AWS::Lambda::Function")) == set(FUNCTIONS)
    assert set(edge_stack().of_type("AWS::IAM::Role")) == set(ROLES)


def test_no_action_is_allowed_by_a_wildcard():
    assert not [
        (name, action)
        for name, statement in allowed()
        for action in as_list(statement["Action"])
        if "*" in action or "?" in action
    ]


def test_no_resource_is_allowed_by_a_wildcard_but_the_listed_ones():
    wide = {
        (name, resource)
        for name, statement in allowed()
        for resource in as_list(statement.get("Resource", []))
        if "*" in resource or "?" in resource
    }

    assert wide == WIDE


def test_nothing_but_tracing_is_allowed_everywhere():
    everywhere = {
        action
        for role in ROLES
        for action, resource in edge_stack().grants(role)
        if resource == "*"
    }

    assert everywhere == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_nothing_is_allowed_by_exclusion_or_to_everybody():
    assert not [
        (name, statement)
        for name, statement in allowed()
        if {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        or statement.get("Principal") in ("*", {"AWS": "*"})
    ]


@pytest.mark.parametrize(
    ("name", "service"),
    [("CacheBucket", "s3"), ("RebuildQueue", "sqs"), ("DeadLetterQueue", "sqs")],
)
def test_bucket_and_queues_deny_whatever_comes_without_tls(name, service):
    policy = stack().properties(f"{name}Policy")
    [denied] = [e for e in policy["PolicyDocument"]["Statement"] if e["Effect"] == "Deny"]
    objects = {f"${{{name}.Arn}}/*"} if service == "s3" else set()

    assert as_list(policy.get("Bucket", policy.get("Queues"))) == [f"${{{name}}}"]
    assert (denied["Principal"], denied["Action"]) == ("*", f"{service}:*")
    assert set(as_list(denied["Resource"])) == {f"${{{name}.Arn}}"} | objects
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_rebuild_queue_lets_only_the_schedule_send():
    [allow] = [entry for name, entry in allowed() if name == "RebuildQueuePolicy"]

    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allow["Action"], allow["Resource"]) == ("sqs:SendMessage", "${RebuildQueue.Arn}")
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": "${RefreshSchedule.Arn}"}}


@pytest.mark.parametrize("role", ROLES)
def test_role_is_assumed_by_lambda_alone_and_has_no_policy_of_somebody_elses(role):
    [statement] = stack().properties(role)["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert "ManagedPolicyArns" not in stack().properties(role)


def test_key_is_used_through_the_parameter_store_only_and_no_other_right_has_a_condition():
    """What a condition on s3:prefix does to the 404 of a missing key is not documented."""
    through_ssm = {"StringEquals": {"kms:ViaService": "ssm.${AWS::Region}.amazonaws.com"}}
    conditions = [
        (entry["Action"], entry["Condition"])
        for role in ROLES
        for entry in edge_stack().statements(role)
        if "Condition" in entry
    ]

    assert conditions == [("kms:Decrypt", through_ssm)]


@pytest.mark.parametrize(
    ("parameters", "principals"),
    [({}, ROOT), ({"SsmKeyAdminArns": KEY_ADMIN}, [ROOT, KEY_ADMIN])],
)
def test_key_is_the_accounts_and_its_admins_and_the_account_can_repair_its_policy(
    parameters, principals
):
    [statement] = stack(**parameters).properties("SsmKey")["KeyPolicy"]["Statement"]

    assert statement["Principal"] == {"AWS": principals}
    assert {"kms:PutKeyPolicy", "kms:GetKeyPolicy"} <= set(statement["Action"])


def test_parameter_arns_follow_the_prefix():
    grants = stack(SsmParamPrefix="/books/mip").grants("WorkerRole")

    names = {resource.partition(":parameter")[2] for action, resource in grants if "ssm:" in action}
    assert names == {"/books/mip/user", "/books/mip/pass", "/books/mip/session"}


@pytest.mark.parametrize("role", ["WorkerRole", "AdminRole"])
def test_role_writes_and_deletes_where_the_code_does(role):
    """The code's schema version is in the role: both change in one deployment, or none does."""
    function = stack().properties(role.replace("Role", "Function"))
    prefix = function["Environment"]["Variables"]["CACHE_PREFIX"]
    grants = stack().grants(role)

    assert ("s3:PutObject", f"{BUCKET}/{entries_prefix(prefix)}*") in grants
    assert ("s3:DeleteObject", f"{BUCKET}/{failures_prefix(prefix)}*") in grants
