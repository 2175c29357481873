"""The reader on emulated AWS: events in, responses out."""

import json

import pytest

from core.errors import ConfigurationError
from handlers.wiring.reader import reader as reader_services
from tests.handlers.conftest import Service, event


def problem_of(response: dict) -> dict:
    assert response["headers"]["Content-Type"] == "application/problem+json"
    document = json.loads(response["body"])
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == response["statusCode"]
    return document


def test_accounts_event_returns_an_object_of_names(warm: Service) -> None:
    response = warm.read(event("reader_accounts"))
    assert response["statusCode"] == 200
    names = json.loads(response["body"])
    assert next(iter(names.items())) == ("000000", "No Program")
    assert len(names) == 5


def test_tags_event_returns_tags_in_the_order_asked_for(warm: Service) -> None:
    tags = json.loads(warm.read(event("reader_tags"))["body"])
    assert tags[:4] == [
        "No Program / 000000",
        "Other / 000001",
        "HTAN Supp DFCI / 121700",
        "CSBC - NCI / 101300",
    ]


def test_balances_event_returns_csv_with_crlf(warm: Service) -> None:
    header, first, *_ = warm.read(event("reader_balances"))["body"].split("\r\n")
    assert header == (
        "AccountNumber,AccountName,PeriodStart,PeriodEnd,StartBalance,Activity,EndBalance"
    )
    assert first.startswith("1010,Cash in bank-operating,2026-10-01,2026-10-31,")


def test_page_event_returns_a_page_with_the_inactive_programs(warm: Service) -> None:
    response = warm.read(event("reader_page"))
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "text/html; charset=utf-8"
    row = "<li><b>CSBC - NCI</b> <code>101300</code> <span>CSBC - NCI / 101300</span></li>"
    assert row in response["body"]
    assert "<em>inactive</em>" in response["body"]


def test_conditional_event_that_matches_gets_304_without_a_body(warm: Service) -> None:
    response = warm.read(event("reader_conditional"))
    assert (response["statusCode"], response["body"]) == (304, "")


def test_miss_answers_503_and_queues_a_rebuild_under_the_requests_id(service: Service) -> None:
    response = service.get("/accounts")
    assert response["statusCode"] == 503
    assert problem_of(response)["title"] == "Service Unavailable"
    assert service.queued() == [
        {
            "dataset": "programs",
            "reason": "miss",
            "correlation_id": event("reader_accounts")["requestContext"]["requestId"],
        }
    ]


@pytest.mark.parametrize(
    ("sample", "status", "detail"),
    [
        ("reader_bad_parameter", 400, "The parameter limit must be "),
        ("reader_unknown_path", 404, "there are /accounts, /tags, "),
        ("reader_wrong_method", 405, "with GET"),
    ],
)
def test_bad_event_is_answered_with_a_problem_document(
    warm: Service, sample: str, status: int, detail: str
) -> None:
    response = warm.read(event(sample))
    assert response["statusCode"] == status
    assert detail in problem_of(response)["detail"]


def test_wrong_environment_is_named_at_the_start(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CACHE_BUCKET")
    monkeypatch.setenv("TIME_ZONE", "Mars/Olympus")
    reader_services.cache_clear()
    with pytest.raises(ConfigurationError, match=r"CACHE_BUCKET is missing; .*TIME_ZONE must be"):
        service.get("/accounts")
