"""The admin on emulated AWS: payloads in, results out."""

from datetime import UTC, datetime

import pytest

from core.errors import InvalidCommandError
from handlers import admin
from tests.handlers.conftest import EVENTS, Service, event

PROGRAMS = "cache/v1/programs.json"
OCTOBER = "cache/v1/balances/2026-10-01_2026-10-31.json"


def test_status_lists_entries_queue_dead_letters_and_session(warm: Service) -> None:
    status = warm.steer(event("admin_status"))
    assert [(entry["key"], entry["state"]) for entry in status["entries"]] == [
        (OCTOBER, "fresh"),
        (PROGRAMS, "fresh"),
    ]
    assert {"dataset", "age_seconds", "fresh_until", "size_bytes", "last_error"} <= set(
        status["entries"][0]
    )
    assert status["queue"] == {"visible": 0, "in_flight": 0}
    assert status["dead_letters"] == 0
    assert status["session_open"] is False


def test_purge_deletes_the_entry_so_that_the_next_read_is_a_miss(warm: Service) -> None:
    result = warm.steer(event("admin_purge"))
    assert (result["count"], result["keys"]) == (1, [PROGRAMS])
    assert warm.get("/accounts")["statusCode"] == 503
    assert warm.get("/balances", target_date="2026-10-15")["statusCode"] == 200


def test_soft_purge_keeps_serving_and_lets_the_next_read_rebuild(warm: Service) -> None:
    assert warm.steer(event("admin_purge_soft"))["keys"] == [OCTOBER]
    response = warm.get("/balances", target_date="2026-10-15")
    assert response["statusCode"] == 200
    assert "ttl=-" in response["headers"]["Cache-Status"]
    assert [message["reason"] for message in warm.queued()] == ["stale"]


def test_dry_run_of_a_purge_lists_and_changes_nothing(warm: Service) -> None:
    result = warm.steer(event("admin_purge_dry_run"))
    assert (result["count"], result["dry_run"]) == (2, True)
    assert warm.get("/accounts")["statusCode"] == 200


@pytest.mark.parametrize(
    ("sample", "dataset"), [("admin_refresh", "all"), ("admin_refresh_month", "balances")]
)
def test_refresh_queues_a_message_and_returns_its_id(
    service: Service, sample: str, dataset: str
) -> None:
    assert len(service.steer(event(sample))["message_ids"]) == 1
    assert [message["dataset"] for message in service.queued()] == [dataset]
    assert service.poll() == []


def test_dead_letter_can_be_listed_redriven_and_discarded(service: Service) -> None:
    service.send({"dataset": "budgets"})
    service.poll()
    listed = service.steer(event("admin_dead_letters"))
    assert [letter["body"] for letter in listed["messages"]] == ['{"dataset": "budgets"}']
    assert service.steer(event("admin_dead_letters")) == listed
    assert service.steer(event("admin_redrive"))["count"] == 1
    assert service.queued() == [{"dataset": "budgets"}]
    service.poll()
    assert service.steer(event("admin_discard"))["count"] == 1
    assert service.steer(event("admin_status"))["dead_letters"] == 0


def test_letters_without_a_reason_in_one_group_are_all_listed_and_stay(service: Service) -> None:
    """As SQS itself moves them by its redrive policy, when workers die with them."""
    for number in range(23):
        service.sqs.send_message(
            QueueUrl=service.dead_letter_queue_url,
            MessageBody=f'{{"dataset": "programs", "reason": "{number}"}}',
            MessageGroupId="mips",
        )
    listed = service.steer({"action": "dead_letters"})
    assert len({letter["message_id"] for letter in listed["messages"]}) == 23
    assert {letter["error"]["type"] for letter in listed["messages"]} == {"Unknown"}
    assert service.steer({"action": "dead_letters"}) == listed


def test_today_is_taken_in_the_time_zone(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_ZONE", "Pacific/Kiritimati")
    monkeypatch.setattr(admin, "utc_now", lambda: datetime(2026, 10, 29, 12, tzinfo=UTC))
    november = {"dataset": "balances", "from": "2026-11-01", "to": "2026-11-01"}
    assert service.steer({"action": "refresh", **november})["count"] == 1


def test_unknown_message_id_is_an_error_that_names_the_way(service: Service) -> None:
    with pytest.raises(InvalidCommandError, match="dead_letters lists them"):
        service.steer(event("admin_redrive_one"))


def test_every_sample_event_is_used_by_a_test() -> None:
    """An event that no test reads would rot unseen."""
    sources = "".join(path.read_text() for path in EVENTS.parent.glob("tests/handlers/test_*.py"))
    unused = [path.stem for path in EVENTS.glob("*.json") if f'"{path.stem}"' not in sources]
    assert unused == []
