"""What each function is given: handler, limits, environment, logs."""

from dataclasses import fields

import pytest

from core.settings import AdminSettings, ReaderSettings, WorkerSettings
from tests.template.stack import FUNCTIONS, document, stack

# Variables that are not named as their parameter is.
OTHERWISE_NAMED = {"MIP_ORG": "MipOrganization", "SSM_PATH": "SsmParamPrefix"}
RESOURCES = {
    "CACHE_BUCKET": "${CacheBucket}",
    "CACHE_PREFIX": "cache/",
    "REBUILD_QUEUE_URL": "${RebuildQueue}",
    "DEAD_LETTER_QUEUE_URL": "${DeadLetterQueue}",
    "DISTRIBUTION_ID": "${EdgeDistribution}",
}
SETTINGS = {
    "ReaderFunction": ReaderSettings,
    "WorkerFunction": WorkerSettings,
    "AdminFunction": AdminSettings,
}


def environment(function, template=None):
    return (template or stack()).properties(function)["Environment"]["Variables"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_holds_each_setting_of_the_function_from_the_parameter_of_its_name(function):
    """Each parameter is given its own name as its value, so a variable shows which one it holds."""
    named = {name: f"<{name}>" for name in document()["Parameters"]} | {"EdgeCache": "true"}
    names = [setting.name.upper() for setting in fields(SETTINGS[function])]
    parameters = {name: name.title().replace("_", "") for name in names} | OTHERWISE_NAMED
    assert environment(function, stack(**named)) == {
        name: RESOURCES.get(name, f"<{parameters[name]}>") for name in names
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_defaults_are_those_of_the_parameters(function):
    defaults = {
        setting.name.upper(): setting.metadata["default"]
        for setting in fields(SETTINGS[function])
        if setting.metadata["default"] is not None
    }
    assert environment(function).items() >= defaults.items()


@pytest.mark.parametrize("bound", ["MinValue", "MaxValue"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_accept_whatever_number_the_parameters_allow(function, bound):
    declared = document()["Parameters"].items()
    limits = {name: str(found[bound]) for name, found in declared if bound in found}
    variables = environment(function, stack(**limits))
    given = {setting: variables[setting.name.upper()] for setting in fields(SETTINGS[function])}
    numbers = {setting: value for setting, value in given.items() if value in limits.values()}
    assert numbers
    for setting, value in numbers.items():
        assert setting.metadata["parse"](value) == int(value)


def test_admin_without_an_edge_knows_of_no_distribution():
    assert environment("AdminFunction")["DISTRIBUTION_ID"] == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_runs_its_handler_traced_with_a_role_and_a_log_group_of_its_own(function):
    properties = stack().properties(function)
    name = function.removesuffix("Function")
    assert properties["Handler"] == f"handlers.{name.lower()}.lambda_handler"
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
    assert properties["Role"] == f"${{{name}Role.Arn}}"
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["LoggingConfig"]["LogGroup"] == f"${{{name}LogGroup}}"
    assert stack(LogRetentionDays="30").properties(f"{name}LogGroup")["RetentionInDays"] == "30"


def test_time_limits_fit_what_waits_for_the_function():
    """API Gateway gives up after 29 s; SQS hides a batch for six times the worker's limit."""
    limits = {function: stack().properties(function)["Timeout"] for function in FUNCTIONS}
    assert limits == {"ReaderFunction": 29, "WorkerFunction": 300, "AdminFunction": 120}


def test_reader_has_no_reserved_concurrency_unless_asked_for():
    limited = stack(ReaderConcurrency="200").properties("ReaderFunction")
    assert limited["ReservedConcurrentExecutions"] == "200"
    assert "ReservedConcurrentExecutions" not in stack().properties("ReaderFunction")
