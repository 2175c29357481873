"""Keys: one per dataset, and back."""

import pytest

from core.model.datasets import (
    KINDS,
    PROGRAM_LISTS,
    Dataset,
    dataset_of_failure_key,
    dataset_of_key,
    entry_key,
    failure_key,
    login_refusal_key,
)
from core.model.entry import DATA_TYPES
from core.rebuilding.fetch import RECIPES
from tests.builders import PREFIX, SEPTEMBER_BALANCES


@pytest.mark.parametrize(
    ("dataset", "name"),
    [(PROGRAM_LISTS, "programs"), (SEPTEMBER_BALANCES, "balances/2026-09-01_2026-09-30")],
)
@pytest.mark.parametrize("prefix", ["", "cache/"])
def test_keys_are_the_documented_ones(dataset: Dataset, name: str, prefix: str) -> None:
    assert entry_key(prefix, dataset) == f"{prefix}v1/{name}.json"
    assert failure_key(prefix, dataset) == f"{prefix}v1/failures/{name}.json"
    assert dataset_of_key(prefix, entry_key(prefix, dataset)) == dataset
    assert dataset_of_failure_key(prefix, failure_key(prefix, dataset)) == dataset


@pytest.mark.parametrize(
    "key",
    [
        "cache/v0/programs.json",
        "cache/v1/programs.json.bak",
        "cache/v1/programs/2026-10-01_2026-10-31.json",
        "cache/v1/balances.json",
        "cache/v1/balances/2026-10-01.json",
        "cache/v1/balances/2026-10-02_2026-10-31.json",
        "cache/v1/failures/login.json",
        "other/v1/programs.json",
        "programs.json",
    ],
)
def test_any_other_key_belongs_to_no_dataset(key: str) -> None:
    assert dataset_of_key(PREFIX, key) is None
    assert dataset_of_failure_key(PREFIX, key) is None


def test_entries_and_failure_records_are_not_taken_for_each_other() -> None:
    assert dataset_of_key(PREFIX, failure_key(PREFIX, PROGRAM_LISTS)) is None
    assert dataset_of_failure_key(PREFIX, entry_key(PREFIX, PROGRAM_LISTS)) is None


def test_login_refusal_key_belongs_to_no_dataset() -> None:
    assert dataset_of_failure_key(PREFIX, login_refusal_key(PREFIX)) is None


def test_every_kind_of_dataset_has_its_data_and_its_recipe() -> None:
    assert list(KINDS) == list(DATA_TYPES) == list(RECIPES)
