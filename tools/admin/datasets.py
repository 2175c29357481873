"""What the arguments `dataset`, `--from` and `--to` select."""

from argparse import Namespace
from typing import Any

from core.model.datasets import (
    ALL,
    BALANCES,
    PROGRAM_LISTS,
    PROGRAMS,
    Dataset,
    balances_of,
    entry_key,
)
from core.model.periods import Period
from tools.admin.errors import UsageError

CACHE_PREFIX = "cache/"
"""What template.yaml gives the functions as CACHE_PREFIX."""


def selection(arguments: Namespace) -> dict[str, Any]:
    """Return the arguments of an action of the admin function, which judges them.

    A period without a dataset means balances.
    """
    given: dict[str, Any] = {"from": arguments.start, "to": arguments.end}
    given = {name: value for name, value in given.items() if value is not None}
    return {"dataset": arguments.dataset or (BALANCES if given else ALL), **given}


def one_dataset(arguments: Namespace) -> Dataset:
    """Return the one dataset that is selected, programs if nothing is said.

    Raises UsageError where the dataset and the period do not go together.
    """
    start, end = arguments.start, arguments.end
    name = arguments.dataset or (BALANCES if start or end else PROGRAMS)
    if name == PROGRAMS:
        if start or end:
            raise UsageError("--from and --to go with balances only")
        return PROGRAM_LISTS
    if not start or not end:
        raise UsageError("balances need --from and --to, as YYYY-MM-DD; `status` lists the periods")
    try:
        return balances_of(Period.parse(start, end))
    except ValueError as exc:
        raise UsageError(f"--from and --to: {exc}") from exc


def key_of(dataset: Dataset) -> str:
    """Return the key of a dataset's entry in the bucket."""
    return entry_key(CACHE_PREFIX, dataset)


def title_of(dataset: Dataset) -> str:
    """Name a dataset in a sentence."""
    return dataset.name if dataset.period is None else f"{dataset.name} of {dataset.period}"
