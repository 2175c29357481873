"""What holds for every policy statement of the template, whatever it belongs to."""

import pytest

from core.model.datasets import entries_prefix, failures_prefix
from tests.template.stack import FUNCTIONS, ROLES, as_list, edge_stack, stack

# Wildcards in the resources of what is allowed, by the resource that holds the statement.
WIDE = {
    ("ReaderRole", "*"): "X-Ray's actions know no resource",
    ("WorkerRole", "*"): "X-Ray's actions know no resource",
    ("AdminRole", "*"): "X-Ray's actions know no resource",
    ("SsmKey", "*"): "in a key's own policy: this key",
    ("ReaderRole", "${CacheBucket.Arn}/cache/*"): "every entry",
    ("WorkerRole", "${CacheBucket.Arn}/cache/v1/*"): "every entry of the version that it writes",
    ("WorkerRole", "${CacheBucket.Arn}/cache/v1/failures/*"): "every failure record",
    ("AdminRole", "${CacheBucket.Arn}/cache/v1/*"): "every entry",
    ("AdminRole", "${CacheBucket.Arn}/cache/v1/failures/*"): "every failure record",
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

    assert wide == set(WIDE)


def test_nothing_is_allowed_by_exclusion_or_to_everybody():
    assert not [
        (name, statement)
        for name, statement in allowed()
        if {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        or "*" in as_list(statement.get("Principal", []))
        or statement.get("Principal") == {"AWS": "*"}
    ]


@pytest.mark.parametrize("kind", ["S3::Bucket", "SQS::Queue"])
def test_every_bucket_and_queue_has_a_policy_that_denies_what_comes_without_tls(kind):
    guarded = {
        subject
        for name, statement in statements()
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and (statement["Principal"], statement["Action"]) in (("*", "s3:*"), ("*", "sqs:*"))
        for subject in subjects(edge_stack().properties(name))
    }

    assert {f"${{{name}}}" for name in edge_stack().of_type(f"AWS::{kind}")} <= guarded


def subjects(properties):
    return as_list(properties.get("Bucket", properties.get("Queues")))


def test_every_function_and_role_is_one_that_these_tests_know():
    assert set(edge_stack().of_type("AWS::Lambda::Function")) == set(FUNCTIONS)
    assert set(edge_stack().of_type("AWS::IAM::Role")) == set(ROLES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_role_reads_below_the_prefix_that_its_function_is_given(function):
    prefix = stack().properties(function)["Environment"]["Variables"]["CACHE_PREFIX"]
    grants = stack().grants(function.replace("Function", "Role"))

    objects = {resource for action, resource in grants if action == "s3:GetObject"}
    assert all(resource.startswith(f"${{CacheBucket.Arn}}/{prefix}") for resource in objects)


def test_worker_writes_and_deletes_where_the_code_does():
    """The code's schema version is in the role: both change in one deployment, or none does."""
    prefix = stack().properties("WorkerFunction")["Environment"]["Variables"]["CACHE_PREFIX"]
    grants = stack().grants("WorkerRole")

    assert ("s3:PutObject", f"${{CacheBucket.Arn}}/{entries_prefix(prefix)}*") in grants
    assert ("s3:DeleteObject", f"${{CacheBucket.Arn}}/{failures_prefix(prefix)}*") in grants
