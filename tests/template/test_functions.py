"""What each function is given: handler, limits, environment, logs."""

from dataclasses import fields

import pytest

from core.settings import AdminSettings, ReaderSettings, WorkerSettings
from tests.template.stack import FUNCTIONS, document, edge_stack, stack

# Variables that do not have the name of the parameter which they hold, or hold none.
OTHER_NAMES = {"MIP_ORG": "<MipOrganization>", "SSM_PATH": "<SsmParamPrefix>"}
RESOURCES = {
    "CACHE_BUCKET": "${CacheBucket}",
    "CACHE_PREFIX": "cache/",
    "REBUILD_QUEUE_URL": "${RebuildQueue}",
    "DEAD_LETTER_QUEUE_URL": "${DeadLetterQueue}",
    "DISTRIBUTION_ID": "",
}

SETTINGS = {
    "ReaderFunction": ReaderSettings,
    "WorkerFunction": WorkerSettings,
    "AdminFunction": AdminSettings,
}


def environment(function, template=None):
    return (template or stack()).properties(function)["Environment"]["Variables"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_variable_holds_the_parameter_of_its_name(function):
    named = stack(**{name: f"<{name}>" for name in document()["Parameters"]})
    exceptions = OTHER_NAMES | RESOURCES

    for name, value in environment(function, named).items():
        assert value == exceptions.get(name, f"<{name.title().replace('_', '')}>")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_names_are_the_settings_fields(function):
    assert set(environment(function)) == {
        setting.name.upper() for setting in fields(SETTINGS[function])
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_defaults_are_those_of_the_parameters(function):
    variables = environment(function)

    defaults = {
        setting.name.upper(): setting.metadata["default"]
        for setting in fields(SETTINGS[function])
        if setting.metadata["default"] is not None
    }

    assert defaults == {name: str(variables[name]) for name in defaults}


@pytest.mark.parametrize("bound", ["MinValue", "MaxValue"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_settings_accept_whatever_number_the_parameters_allow(function, bound):
    limits = {
        name: str(declared[bound])
        for name, declared in document()["Parameters"].items()
        if bound in declared
    }
    variables = environment(function, stack(**limits))
    numbers = {name: value for name, value in variables.items() if value.isdecimal()}

    for setting in fields(SETTINGS[function]):
        if setting.name.upper() in numbers:
            setting.metadata["parse"](numbers[setting.name.upper()])


def test_admin_with_an_edge_knows_the_distribution():
    assert environment("AdminFunction", edge_stack())["DISTRIBUTION_ID"] == "${EdgeDistribution}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_runs_its_handler_on_arm_with_python_313(function):
    properties = stack().properties(function)
    module = function.removesuffix("Function").lower()

    assert properties["Handler"] == f"handlers.{module}.lambda_handler"
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]


def test_reader_has_no_reserved_concurrency_unless_asked_for():
    limited = stack(ReaderConcurrency="200").properties("ReaderFunction")

    assert limited["ReservedConcurrentExecutions"] == "200"
    assert "ReservedConcurrentExecutions" not in stack().properties("ReaderFunction")


def test_reader_timeout_does_not_outlast_api_gateway():
    assert stack().properties("ReaderFunction")["Timeout"] <= 29


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_has_a_role_of_its_own(function):
    role = function.replace("Function", "Role")

    assert stack().properties(function)["Role"] == f"${{{role}.Arn}}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_traced_and_logs_to_a_group_that_forgets(function):
    group = function.replace("Function", "LogGroup")

    assert stack().properties(function)["TracingConfig"] == {"Mode": "Active"}
    assert stack().properties(function)["LoggingConfig"]["LogGroup"] == f"${{{group}}}"
    assert stack(LogRetentionDays="30").properties(group)["RetentionInDays"] == "30"
