"""The handlers do all they do under their own roles, and the roles grant nothing more.

moto's IAM enforces, with the policies that the stack's roles have; `emulated_iam.py` tells where it
is asked better questions than its own.
"""

from fnmatch import fnmatchcase

import pytest

from tests.privileges.deployment import ROLES, Deployment
from tests.privileges.emulated_iam import Question, Record
from tests.privileges.repertoire import SCENES

# What a function's code never asks for itself, and who does.
ASKED_BY_OTHERS = {
    "logs:CreateLogStream": "Lambda writes what the function prints",
    "logs:PutLogEvents": "Lambda writes what the function prints",
    "xray:PutTelemetryRecords": "Lambda traces the invocation",
    "xray:PutTraceSegments": "Lambda traces the invocation",
}


@pytest.fixture(scope="module")
def played(deployment: Deployment) -> dict[str, tuple[Record, BaseException | None]]:
    """What IAM was asked in each scene, and what the scene failed with."""
    results = {}
    for name, scene in SCENES.items():
        deployment.clean()
        failure = None
        try:
            scene(deployment)
        except Exception as exc:  # noqa: BLE001 - told by the scene's own test
            failure = exc
        record = deployment.record
        results[name] = (Record([*record.allowed], [*record.denied]), failure)
    return results


@pytest.fixture(scope="module")
def asked(played: dict[str, tuple[Record, BaseException | None]]) -> set[Question]:
    return {question for record, _ in played.values() for question in record.allowed}


@pytest.mark.parametrize("name", SCENES)
def test_scene_is_played_without_a_refusal(
    played: dict[str, tuple[Record, BaseException | None]], name: str
) -> None:
    record, failure = played[name]
    assert record.denied == []
    assert record.allowed != []
    if failure:
        raise failure


@pytest.mark.parametrize("role", ROLES.values())
def test_every_grant_is_used(deployment: Deployment, asked: set[Question], role: str) -> None:
    """Each action on each resource of a role is needed by some scene, or by Lambda."""
    used = [q for q in asked if q.role == deployment.roles[role]]
    unused = {
        (action, resource)
        for action, resource in deployment.grants(role)
        if action not in ASKED_BY_OTHERS
        and not any(q.action == action and fnmatchcase(q.resource, resource) for q in used)
    }
    assert unused == set()


@pytest.mark.parametrize("role", ROLES.values())
def test_what_others_ask_for_is_granted_and_not_asked_by_the_code(
    deployment: Deployment, asked: set[Question], role: str
) -> None:
    """Should the code begin to write logs or traces itself, the list above is wrong."""
    granted = {action for action, _ in deployment.grants(role)}
    assert set(ASKED_BY_OTHERS) <= granted
    assert not {q.action for q in asked} & set(ASKED_BY_OTHERS)
