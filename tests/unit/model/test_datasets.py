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
from tests.builders import OCTOBER_BALANCES, PREFIX, SEPTEMBER_BALANCES


@pytest.mark.parametrize(
    ("dataset", "key"),
    [
        pytest.param(PROGRAM_LISTS, "v1/programs.json", id="programs"),
        pytest.param(SEPTEMBER_BALANCES, "v1/balances/2026-09-01_2026-09-30.json", id="balances"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "cache/"])
def test_entry_key_is_the_documented_one(dataset: Dataset, key: str, prefix: str) -> None:
    assert entry_key(prefix, dataset) == prefix + key
    assert dataset_of_key(prefix, prefix + key) == dataset


@pytest.mark.parametrize(
    ("dataset", "key"),
    [
        pytest.param(PROGRAM_LISTS, "v1/failures/programs.json", id="programs"),
        pytest.param(
            OCTOBER_BALANCES, "v1/failures/balances/2026-10-01_2026-10-15.json", id="balances"
        ),
    ],
)
def test_failure_key_is_the_documented_one(dataset: Dataset, key: str) -> None:
    assert failure_key(PREFIX, dataset) == PREFIX + key
    assert dataset_of_failure_key(PREFIX, PREFIX + key) == dataset


@pytest.mark.parametrize(
    "key",
    [
        "cache/v0/programs.json",
        "cache/v2/programs.json",
        "cache/v1/programs.json.bak",
        "cache/v1/programs/2026-10-01_2026-10-31.json",
        "cache/v1/balances.json",
        "cache/v1/balances/2026-10-01.json",
        "cache/v1/balances/2026-10-02_2026-10-31.json",
        "cache/v1/balances/2026-13-01_2026-13-31.json",
        "cache/v1/failures/programs.json",
        "other/v1/programs.json",
        "programs.json",
        "",
    ],
)
def test_dataset_of_key_any_other_object_is_none(key: str) -> None:
    assert dataset_of_key(PREFIX, key) is None


@pytest.mark.parametrize(
    "key", [entry_key(PREFIX, PROGRAM_LISTS), "programs.json", "other/v1/failures/programs.json"]
)
def test_dataset_of_failure_key_any_other_object_is_none(key: str) -> None:
    assert dataset_of_failure_key(PREFIX, key) is None


def test_login_refusal_key_belongs_to_no_dataset() -> None:
    assert dataset_of_key(PREFIX, login_refusal_key(PREFIX)) is None
    assert dataset_of_failure_key(PREFIX, login_refusal_key(PREFIX)) is None


def test_every_kind_of_dataset_has_its_data_and_its_recipe() -> None:
    assert list(KINDS) == list(DATA_TYPES) == list(RECIPES)
