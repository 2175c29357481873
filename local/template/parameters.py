"""The template's parameters: given values, checked by name and pattern, and defaults.

Only what is easily mistyped at a terminal is checked here; `sam deploy` checks the rest.
"""

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
    for name, value in given.items():
        _check(name, declared[name], value)
    values = {name: declaration.get("Default") for name, declaration in declared.items()}
    values |= {name: value for name, value in defaults.items() if name in declared} | dict(given)
    for name, value in values.items():
        if value is None:
            raise ParameterError(f"parameter {name} has no default, so it needs a value")
    return {name: str(value) for name, value in values.items()}


def _check(name: str, declaration: Mapping[str, Any], value: str) -> None:
    pattern = declaration.get("AllowedPattern", ".*")
    is_list = declaration.get("Type") == "CommaDelimitedList"
    each = value.split(",") if is_list else [value]
    if not all(re.fullmatch(pattern, one, re.DOTALL) for one in each):
        rule = declaration.get("ConstraintDescription") or f"must match {pattern}"
        raise ParameterError(f"parameter {name} {rule} (it was {value!r})")
