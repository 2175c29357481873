"""The template's parameters: given values, checked as CloudFormation checks them, and defaults."""

import re
from collections.abc import Mapping
from typing import Any


class ParameterError(ValueError):
    """A template parameter that does not exist, is missing, or has a value it does not allow."""


def resolve(
    declared: Mapping[str, Any], given: Mapping[str, str], defaults: Mapping[str, str]
) -> dict[str, str]:
    """The value of every declared parameter: the given one, ours, or the template's default.

    Only given values are checked: ours may be what no deployment should have, such as an http URL
    of this machine. Raises ParameterError, which names the parameter and what is allowed.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ParameterError(
            f"the template has no parameter {unknown[0]}; it has {', '.join(sorted(declared))}"
        )
    return {
        name: _checked(name, declared[name], given[name])
        if name in given
        else _default(name, declared[name], defaults)
        for name in declared
    }


def _default(name: str, declaration: Mapping[str, Any], defaults: Mapping[str, str]) -> str:
    value = defaults.get(name, declaration.get("Default"))
    if value is None:
        raise ParameterError(f"parameter {name} has no default, so it needs a value")
    return str(value)


def _checked(name: str, declaration: Mapping[str, Any], given: str) -> str:
    problem = _problem(declaration, given)
    if problem:
        raise ParameterError(f"parameter {name} {problem} (it was {given!r})")
    return given


def _problem(declaration: Mapping[str, Any], value: str) -> str | None:
    """What the value must be, or None where it is allowed."""
    allowed = [str(choice) for choice in declaration.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"must be one of {', '.join(allowed)}"
    pattern = declaration.get("AllowedPattern")
    is_list = declaration.get("Type") == "CommaDelimitedList"
    # Of a list, each value must fit.
    each = value.split(",") if is_list else [value]
    if pattern and not all(re.fullmatch(pattern, one) for one in each):
        return str(declaration.get("ConstraintDescription") or f"must match {pattern}")
    if declaration.get("Type") == "Number":
        return _number_problem(declaration, value)
    return None


def _number_problem(declaration: Mapping[str, Any], value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "must be a number"
    low, high = declaration.get("MinValue"), declaration.get("MaxValue")
    if low is not None and number < float(low):
        return f"must be at least {low}"
    if high is not None and number > float(high):
        return f"must be at most {high}"
    return None
