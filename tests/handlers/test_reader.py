"""The reader on emulated AWS: events in, responses out."""

import json

import pytest

from core.errors import ConfigurationError
from handlers.wiring.reader import reader as reader_services
from tests.handlers.conftest import Service, event

PROGRAMS = "v1/programs.json"


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


def test_balances_event_returns_csv_with_crlf_that_no_cache_may_share(warm: Service) -> None:
    response = warm.read(event("reader_balances"))
    header, first, *_ = response["body"].split("\r\n")
    assert header == (
        "AccountNumber,AccountName,PeriodStart,PeriodEnd,StartBalance,Activity,EndBalance"
    )
    assert first.startswith("1010,Cash in bank-operating,2026-10-01,2026-10-31,")
    assert response["headers"]["Content-Type"].startswith("text/csv")
    assert response["headers"]["Cache-Control"] == "private, no-cache"


def test_conditional_event_that_matches_gets_304_without_a_body(warm: Service) -> None:
    response = warm.read(event("reader_conditional"))
    assert (response["statusCode"], response["body"]) == (304, "")
    assert {"ETag", "Cache-Control", "Cache-Status"} <= set(response["headers"])


def test_stale_entry_is_served_at_once_and_queues_one_rebuild(warm: Service) -> None:
    warm.make_stale()
    first, second = warm.get("/accounts"), warm.get("/tags")
    assert (first["statusCode"], second["statusCode"]) == (200, 200)
    assert first["headers"]["Cache-Status"].startswith("mips-cache; hit; ttl=-")
    assert "max-age=0," in first["headers"]["Cache-Control"]
    assert [message["reason"] for message in warm.queued()] == ["stale"]


def test_miss_without_a_wait_answers_503_and_queues_a_rebuild(service: Service) -> None:
    response = service.get("/accounts")
    assert response["statusCode"] == 503
    assert problem_of(response)["title"] == "Service Unavailable"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert int(response["headers"]["Retry-After"]) > 0
    assert response["headers"]["Cache-Status"] == (
        "mips-cache; fwd=uri-miss; detail=rebuild-queued"
    )
    assert service.queued() == [
        {
            "dataset": "programs",
            "reason": "miss",
            "correlation_id": event("reader_accounts")["requestContext"]["requestId"],
        }
    ]


@pytest.mark.parametrize(
    ("sample", "status", "allowed"),
    [
        ("reader_bad_parameter", 400, None),
        ("reader_unknown_path", 404, None),
        ("reader_wrong_method", 405, "GET, HEAD"),
    ],
)
def test_bad_event_is_answered_with_a_problem_document(
    warm: Service, sample: str, status: int, allowed: str | None
) -> None:
    response = warm.read(event(sample))
    assert (response["statusCode"], response["headers"].get("Allow")) == (status, allowed)
    problem_of(response)


def test_head_gets_what_get_gets(warm: Service) -> None:
    """API Gateway drops the body, and counts its length."""
    head = warm.read({**event("reader_tags"), "httpMethod": "HEAD"})
    get = warm.read(event("reader_tags"))
    assert head["body"] == get["body"]
    assert head["headers"]["ETag"] == get["headers"]["ETag"]


@pytest.mark.parametrize("missing", ["resource", "httpMethod"])
def test_event_without_a_route_is_answered_with_400(warm: Service, missing: str) -> None:
    """To route it by its path would go round the authorization of /balances."""
    sample = {**event("reader_balances")}
    del sample[missing]
    response = warm.read(sample)
    assert response["statusCode"] == 400
    assert "no resource or no httpMethod" in problem_of(response)["detail"]


@pytest.mark.parametrize("path", ["/mips/accounts/", None])
def test_route_is_what_api_gateway_decided_whatever_the_path_says(
    warm: Service, path: str | None
) -> None:
    sample = {**event("reader_accounts"), "path": path}
    assert warm.read(sample)["statusCode"] == 200


def test_path_of_a_route_that_api_gateway_took_for_another_is_answered_with_404(
    warm: Service,
) -> None:
    assert warm.read({**event("reader_accounts"), "resource": "/{proxy+}"})["statusCode"] == 404


def test_unreadable_entry_counts_as_a_miss_and_never_reaches_a_client(
    warm: Service,
) -> None:
    warm.store(PROGRAMS, b'{"schema": "v1", "data')
    response = warm.get("/accounts")
    assert response["statusCode"] == 503
    assert [message["dataset"] for message in warm.queued()] == ["programs"]
    warm.poll()
    assert warm.get("/accounts")["statusCode"] == 200


def test_wrong_environment_is_named_at_the_start(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CACHE_BUCKET")
    monkeypatch.setenv("TIME_ZONE", "Mars/Olympus")
    reader_services.cache_clear()
    with pytest.raises(ConfigurationError, match=r"CACHE_BUCKET is missing; .*TIME_ZONE must be"):
        service.get("/accounts")
