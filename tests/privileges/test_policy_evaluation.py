"""Conditions, resource policies and KMS, evaluated and not enforced: moto cannot enforce them.

The policies are the rendered template's; what only a deployment knows is a placeholder.
"""

import pytest

from tests.privileges.policy_evaluation import Decision, Statement, decide
from tests.template.stack import ROLES, edge_stack, stack

BUCKET = "${CacheBucket.Arn}"
QUEUE = "${RebuildQueue.Arn}"
KEY = "${SsmKey.Arn}"
SCHEDULE = "${RefreshSchedule.Arn}"
ACCOUNT_ROOT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
PARAMETER = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/lambda/mipsSecret"
THROUGH_SSM = {"kms:ViaService": "ssm.${AWS::Region}.amazonaws.com"}
OVER_TLS = {"aws:SecureTransport": "true"}
WITHOUT_TLS = {"aws:SecureTransport": "false"}


def may(role: str, action: str, resource: str, context: dict[str, str] | None = None) -> bool:
    return decide(stack().statements(role), action, resource, context or {}) is Decision.ALLOWED


def policy(name: str, document: str = "PolicyDocument") -> list[Statement]:
    return stack().properties(name)[document]["Statement"]


def test_worker_uses_the_key_through_the_parameter_store_alone() -> None:
    assert may("WorkerRole", "kms:Decrypt", KEY, THROUGH_SSM)
    assert not may("WorkerRole", "kms:Decrypt", KEY)
    assert not may("WorkerRole", "kms:Decrypt", KEY, {"kms:ViaService": "s3.amazonaws.com"})


def test_worker_uses_no_other_key() -> None:
    assert not may("WorkerRole", "kms:Decrypt", "${OtherKey.Arn}", THROUGH_SSM)


@pytest.mark.parametrize("action", ["kms:Encrypt", "kms:ScheduleKeyDeletion", "kms:CreateGrant"])
def test_worker_only_decrypts(action: str) -> None:
    assert not may("WorkerRole", action, KEY, THROUGH_SSM)


@pytest.mark.parametrize("role", ["ReaderRole", "AdminRole"])
def test_reader_and_admin_decrypt_nothing(role: str) -> None:
    assert not may(role, "kms:Decrypt", KEY, THROUGH_SSM)
    assert not may(role, "kms:Decrypt", KEY)


@pytest.mark.parametrize("name", ["user", "pass"])
@pytest.mark.parametrize("action", ["GetParameter", "GetParameters", "GetParameterHistory"])
@pytest.mark.parametrize("role", ["ReaderRole", "AdminRole"])
def test_reader_and_admin_read_no_credentials(role: str, action: str, name: str) -> None:
    assert not may(role, f"ssm:{action}", f"{PARAMETER}/{name}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("function", ["Reader", "Worker", "Admin"])
def test_no_role_invokes_a_function(role: str, function: str) -> None:
    assert not may(role, "lambda:InvokeFunction", f"${{{function}Function.Arn}}")


@pytest.mark.parametrize("role", ROLES)
def test_role_writes_to_the_log_group_of_its_own_function(role: str) -> None:
    for other in ROLES:
        group = other.replace("Role", "LogGroup")
        assert may(role, "logs:PutLogEvents", f"${{{group}.Arn}}") is (role == other)


@pytest.mark.parametrize("role", ROLES)
def test_role_is_told_by_the_bucket_to_use_tls(role: str) -> None:
    """A caller of the account is allowed by either policy and denied by either."""
    both = stack().statements(role) + policy("CacheBucketPolicy")
    entry = f"{BUCKET}/cache/v1/programs.json"
    assert decide(both, "s3:GetObject", entry, OVER_TLS) is Decision.ALLOWED
    assert decide(both, "s3:GetObject", entry, WITHOUT_TLS) is Decision.EXPLICITLY_DENIED


@pytest.mark.parametrize("name", ["RebuildQueue", "DeadLetterQueue"])
@pytest.mark.parametrize("action", ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:PurgeQueue"])
def test_queue_denies_whatever_comes_without_tls(name: str, action: str) -> None:
    statements = policy(f"{name}Policy")
    asked = decide(statements, action, f"${{{name}.Arn}}", WITHOUT_TLS)
    assert asked is Decision.EXPLICITLY_DENIED


@pytest.mark.parametrize(
    ("service", "source", "decision"),
    [
        ("events.amazonaws.com", SCHEDULE, Decision.ALLOWED),
        ("events.amazonaws.com", "${AnotherRule.Arn}", Decision.IMPLICITLY_DENIED),
        ("sns.amazonaws.com", SCHEDULE, Decision.IMPLICITLY_DENIED),
    ],
)
def test_queue_takes_from_its_own_schedule_only(
    service: str, source: str, decision: Decision
) -> None:
    context = OVER_TLS | {"aws:SourceArn": source}
    sender = {"Service": service}
    statements = policy("RebuildQueuePolicy")
    assert decide(statements, "sqs:SendMessage", QUEUE, context, sender) is decision


def test_schedule_does_nothing_but_send() -> None:
    context = OVER_TLS | {"aws:SourceArn": SCHEDULE}
    sender = {"Service": "events.amazonaws.com"}
    statements = policy("RebuildQueuePolicy")
    asked = decide(statements, "sqs:ReceiveMessage", QUEUE, context, sender)
    assert asked is Decision.IMPLICITLY_DENIED


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        (ACCOUNT_ROOT, Decision.ALLOWED),
        ("arn:aws:iam::999999999999:root", Decision.IMPLICITLY_DENIED),
        ("*", Decision.IMPLICITLY_DENIED),
    ],
)
def test_key_is_the_accounts(principal: str, decision: Decision) -> None:
    statements = policy("SsmKey", "KeyPolicy")
    assert decide(statements, "kms:Decrypt", KEY, {}, {"AWS": principal}) is decision


@pytest.mark.parametrize(("name", "allowed"), [("${EdgeDistribution}", True), ("E0OTHER", False)])
def test_admin_invalidates_its_own_edge_only(name: str, allowed: bool) -> None:
    """Neither the distribution nor the permission is there without the edge."""
    distribution = f"arn:${{AWS::Partition}}:cloudfront::${{AWS::AccountId}}:distribution/{name}"
    action = "cloudfront:CreateInvalidation"
    decision = decide(edge_stack().statements("AdminRole"), action, distribution, {})
    assert (decision is Decision.ALLOWED) is allowed
    assert not may("AdminRole", action, distribution)


ALLOW = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/c?/*"}
DENY = {"Effect": "Deny", "Action": ["s3:*"], "Resource": ["*"]}


@pytest.mark.parametrize(
    ("statements", "action", "resource", "decision"),
    [
        ([], "s3:GetObject", "arn:aws:s3:::b/c1/x", Decision.IMPLICITLY_DENIED),
        ([ALLOW], "s3:GetObject", "arn:aws:s3:::b/c1/x/y", Decision.ALLOWED),
        ([ALLOW], "S3:getobject", "arn:aws:s3:::b/c1/x", Decision.ALLOWED),
        ([ALLOW], "s3:PutObject", "arn:aws:s3:::b/c1/x", Decision.IMPLICITLY_DENIED),
        ([ALLOW], "s3:GetObject", "arn:aws:s3:::b/c12/x", Decision.IMPLICITLY_DENIED),
        ([ALLOW], "s3:GetObject", "arn:aws:s3:::B/c1/x", Decision.IMPLICITLY_DENIED),
        ([ALLOW, DENY], "s3:GetObject", "arn:aws:s3:::b/c1/x", Decision.EXPLICITLY_DENIED),
        ([DENY, ALLOW], "s3:GetObject", "arn:aws:s3:::b/c1/x", Decision.EXPLICITLY_DENIED),
    ],
)
def test_deny_goes_before_allow_and_nothing_is_allowed_by_itself(
    statements: list[Statement], action: str, resource: str, decision: Decision
) -> None:
    assert decide(statements, action, resource, {}) is decision


@pytest.mark.parametrize(
    ("condition", "context", "decision"),
    [
        ({"StringEquals": {"k": "a"}}, {"k": "a"}, Decision.ALLOWED),
        ({"StringEquals": {"k": "a*"}}, {"k": "ab"}, Decision.IMPLICITLY_DENIED),
        ({"StringLike": {"k": ["x", "a*"]}}, {"k": "ab"}, Decision.ALLOWED),
        ({"StringLike": {"k": "a*"}}, {}, Decision.IMPLICITLY_DENIED),
        ({"Bool": {"k": "false"}}, {"k": "false"}, Decision.ALLOWED),
        ({"ArnEquals": {"k": "arn:1"}}, {"k": "arn:2"}, Decision.IMPLICITLY_DENIED),
        ({"Bool": {"k": "true"}, "StringLike": {"l": "a"}}, {"k": "true"}, None),
    ],
)
def test_every_condition_must_hold(
    condition: dict[str, dict[str, str]], context: dict[str, str], decision: Decision | None
) -> None:
    statement = {"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": condition}
    expected = decision or Decision.IMPLICITLY_DENIED
    assert decide([statement], "a:B", "r", context) is expected


@pytest.mark.parametrize(
    "unheard_of",
    [{"NotAction": "a:B"}, {"NotResource": "r"}, {"Condition": {"IpAddress": {"k": "10.0.0.0/8"}}}],
)
def test_what_is_not_understood_is_an_error(unheard_of: dict[str, object]) -> None:
    statement = {"Effect": "Allow", "Action": "a:B", "Resource": "*"} | unheard_of
    with pytest.raises((KeyError, NotImplementedError)):
        decide([statement], "a:B", "r", {"k": "10.0.0.1"})
