"""What holds for every policy statement of the template, whatever it belongs to.

That a role has every right that it needs and no other is held by `tests/privileges/`.
"""

import pytest

from tests.template.stack import ROLES, as_list, edge_stack, stack

# Wildcards in what is allowed, by the resource that holds the statement.
WIDE = {
    # X-Ray's actions know no resource.
    *((role, "xray:PutTraceSegments", "*") for role in ROLES),
    *((role, "xray:PutTelemetryRecords", "*") for role in ROLES),
    # New code may bring a new version of the entries, but the roles change a little before it.
    ("ReaderRole", "s3:GetObject", "${CacheBucket.Arn}/cache/*"),
    *(
        (role, f"s3:{action}", f"${{CacheBucket.Arn}}/cache/v1/{keys}")
        for role in ("WorkerRole", "AdminRole")
        for action, keys in (("GetObject", "*"), ("PutObject", "*"), ("DeleteObject", "failures/*"))
    ),
}


def below(value):
    """Yield every statement in a part of the template."""
    if isinstance(value, list):
        for item in value:
            yield from below(item)
    elif isinstance(value, dict):
        yield from as_list(value.get("Statement", []))
        yield from below(list(value.values()))


def allowed():
    """Return what each resource of the template allows, with its name."""
    return [
        (name, statement)
        for name, resource in edge_stack().resources.items()
        for statement in below(resource["Properties"])
        if statement["Effect"] == "Allow"
    ]


def test_nothing_is_allowed_by_a_wildcard_but_what_is_listed():
    wide = {
        (name, action, resource)
        for name, statement in allowed()
        for action in as_list(statement["Action"])
        for resource in as_list(statement.get("Resource", ""))
        # The resource of a key's own policy is that key.
        if {"*", "?"} & {*action, *(resource if name != "SsmKey" else "")}
    }
    assert wide == WIDE


def test_nothing_is_allowed_by_exclusion_or_to_everybody():
    assert not [
        (name, statement)
        for name, statement in allowed()
        if {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        or statement.get("Principal") in ("*", {"AWS": "*"})
    ]


@pytest.mark.parametrize("name", ["CacheBucket", "RebuildQueue", "DeadLetterQueue"])
def test_bucket_and_queues_deny_whatever_comes_without_tls(name):
    policy = stack().properties(f"{name}Policy")
    [denied] = [e for e in policy["PolicyDocument"]["Statement"] if e["Effect"] == "Deny"]
    service, objects = ("s3", [f"${{{name}.Arn}}/*"]) if name == "CacheBucket" else ("sqs", [])
    assert as_list(policy.get("Bucket", policy.get("Queues"))) == [f"${{{name}}}"]
    assert (denied["Principal"], denied["Action"]) == ("*", f"{service}:*")
    assert as_list(denied["Resource"]) == [f"${{{name}.Arn}}", *objects]
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


def test_key_is_the_accounts_and_its_admins_and_the_account_can_repair_its_policy():
    root, admin = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root", "arn:aws:iam::1:role/Admin"
    ours, shared = stack(), stack(SsmKeyAdminArns=admin)
    for chosen, principals in ((ours, root), (shared, [root, admin])):
        [statement] = chosen.properties("SsmKey")["KeyPolicy"]["Statement"]
        assert statement["Principal"] == {"AWS": principals}
        assert {"kms:PutKeyPolicy", "kms:GetKeyPolicy"} <= set(statement["Action"])


def test_parameter_arns_follow_the_prefix():
    grants = stack(SsmParamPrefix="/books/mip").grants("WorkerRole")
    names = {resource.partition(":parameter")[2] for action, resource in grants if "ssm:" in action}
    assert names == {"/books/mip/user", "/books/mip/pass", "/books/mip/session"}
