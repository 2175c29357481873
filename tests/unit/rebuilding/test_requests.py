"""How the messages of a batch share rebuilds."""

from datetime import timedelta

import pytest

from core.model.datasets import PROGRAM_LISTS
from core.rebuilding.requests import DatasetRequest, combined
from tests.builders import NOW, OCTOBER_BALANCES, SEPTEMBER_BALANCES, make_request

LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_combined_takes_the_newest_message_and_any_acceptance_of_a_shorter_list(
    is_newest_first: bool,
) -> None:
    requests = [make_request(sent_at=LATER), make_request(sent_at=NOW, accept_shrink=True)]
    assert combined(requests if is_newest_first else requests[::-1]) == [
        DatasetRequest(PROGRAM_LISTS, LATER, accept_shrink=True)
    ]


def test_combined_is_in_the_order_of_rebuilding_programs_first() -> None:
    requests = [make_request(SEPTEMBER_BALANCES), make_request(None)]
    assert [request.dataset for request in combined(requests)] == [
        PROGRAM_LISTS,
        SEPTEMBER_BALANCES,
        OCTOBER_BALANCES,
    ]
