"""Every row of the fault table, against the stand-in."""

import pytest

from local.mip_cloud import PASSWORD
from tests.faults.table import COMES_BACK, DEAD_LETTERED, DOCUMENT, ROWS, SATISFIED, Row, renewed
from tests.handlers.conftest import SSM_PATH, Service

PROGRAMS = {"dataset": "programs"}
OCTOBER = {"dataset": "balances", "from": "2026-10-01", "to": "2026-10-31"}


def name(row: Row) -> str:
    return f"{row.call}: {row.fault}"


def key(row: Row) -> str:
    return "balances/2026-10-01_2026-10-31.json" if row.call == "balances" else "programs.json"


def read(service: Service, row: Row) -> dict[str, object]:
    if row.call == "balances":
        return service.get("/balances", target_date="2026-10-15")
    return service.get("/accounts")


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_fault_leads_to_what_the_table_says(warm: Service, row: Row) -> None:
    before, stored = warm.mip.counters.calls, warm.stored(f"v1/{key(row)}")
    served = read(warm, row)
    warm.mip.set_fault(row.call, row.what)
    warm.send(OCTOBER if row.call == "balances" else PROGRAMS)

    came_back = warm.poll()

    calls = warm.mip.counters.calls
    assert calls["login"] - before["login"] == row.logins
    assert calls[row.call] - before[row.call] == row.calls
    assert warm.mip.open_sessions == row.session_left
    note = warm.ssm.get_parameters(Names=[f"{SSM_PATH}/session"])["Parameters"]
    assert bool(note) == row.noted
    record = warm.stored(f"v1/failures/{key(row)}")
    assert (record["error_type"] if record else None) == row.error
    assert (bool(came_back), bool(warm.dead_letter_bodies())) == {
        SATISFIED: (False, False),
        COMES_BACK: (True, False),
        DEAD_LETTERED: (False, True),
    }[row.message]
    if row.error:
        assert warm.stored(f"v1/{key(row)}") == stored
        assert read(warm, row)["body"] == served["body"]
    assert read(warm, row)["statusCode"] == 200
    if row.noted or not row.session_left:
        check_made_good(warm, row)


def check_made_good(service: Service, row: Row) -> None:
    """Once MIP is well again the next message is satisfied, and locks nobody out.

    Save where MIP was left with a session that we know nothing of.
    """
    service.mip.clear_faults()
    service.sqs.purge_queue(QueueUrl=service.queue_url)
    if row.message == DEAD_LETTERED:
        service.ssm.put_parameter(
            Name=f"{SSM_PATH}/pass", Value=PASSWORD, Type="SecureString", Overwrite=True
        )
    body = OCTOBER if row.call == "balances" else PROGRAMS
    service.send(body | {"reason": "again"})
    assert service.poll() == []
    assert service.mip.open_sessions == 0
    assert service.mip.counters.lockouts == 0
    assert service.stored(f"v1/failures/{key(row)}") is None


def test_table_in_the_docs_is_this_one() -> None:
    """`python -m tests.faults.table` renews it."""
    document = DOCUMENT.read_text()
    assert document == renewed(document)
