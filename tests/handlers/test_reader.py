"""The reader on emulated AWS: events in, responses out."""

import json

import pytest

from core.errors import ConfigurationError
from handlers.wiring.reader import reader as reader_services
from tests.handlers.conftest import BUCKET, Service, event

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


def test_fresh_hit_carries_the_freshness_headers(warm: Service) -> None:
    headers = warm.get("/accounts")["headers"]
    assert headers["Cache-Status"].startswith("mips-cache; hit; ttl=86")
    assert "Age" not in headers
    assert headers["Last-Modified"].endswith(" GMT")
    assert headers["Cache-Control"] == (
        "public, max-age=300, stale-while-revalidate=300, stale-if-error=86400"
    )


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
    ("sample", "status"),
    [
        ("reader_bad_parameter", 400),
        ("reader_unknown_path", 404),
        ("reader_wrong_method", 405),
    ],
)
def test_bad_event_is_answered_with_a_problem_document(
    warm: Service, sample: str, status: int
) -> None:
    response = warm.read(event(sample))
    assert response["statusCode"] == status
    problem_of(response)


def test_wrong_method_is_told_the_right_ones(warm: Service) -> None:
    assert warm.read(event("reader_wrong_method"))["headers"]["Allow"] == "GET, HEAD"


def test_head_gets_what_get_gets(warm: Service) -> None:
    """API Gateway drops the body, and counts its length."""
    head = warm.read({**event("reader_tags"), "httpMethod": "HEAD"})
    get = warm.read(event("reader_tags"))
    assert head["body"] == get["body"]
    assert head["headers"]["ETag"] == get["headers"]["ETag"]


@pytest.mark.parametrize(
    ("path", "parameters", "named"),
    [
        ("/accounts", {"limit": "many"}, "limit"),
        ("/accounts", {"limit": ""}, "limit"),
        ("/tags", {"priority_codes": "12-34"}, "priority_codes"),
        ("/balances", {"target_date": "yesterday"}, "target_date"),
        ("/balances", {"target_date": "1999-12-31"}, "target_date"),
        ("/balances", {"target_date": "2999-01-01"}, "target_date"),
    ],
)
def test_bad_parameter_is_named_with_what_is_allowed(
    warm: Service, path: str, parameters: dict[str, str], named: str
) -> None:
    response = warm.get(path, **parameters)
    assert response["statusCode"] == 400
    detail = problem_of(response)["detail"]
    assert f"The parameter {named} must be " in detail
    assert all(value not in detail for value in parameters.values() if value)


@pytest.mark.parametrize("missing", ["resource", "httpMethod"])
def test_event_without_a_route_is_answered_with_400(warm: Service, missing: str) -> None:
    """To route it by its path would go round the authorization of /balances."""
    sample = {**event("reader_balances")}
    del sample[missing]
    response = warm.read(sample)
    assert response["statusCode"] == 400
    assert "no resource or no httpMethod" in problem_of(response)["detail"]


@pytest.mark.parametrize("path", ["/accounts/", "/mips/accounts", "/mips/accounts/", None])
def test_route_is_what_api_gateway_decided_whatever_the_path_says(
    warm: Service, path: str | None
) -> None:
    sample = {**event("reader_accounts"), "path": path}
    assert warm.read(sample)["statusCode"] == 200


def test_page_is_served_at_the_base_path_of_a_custom_domain(warm: Service) -> None:
    response = warm.read({**event("reader_page"), "path": "/mips"})
    assert response["headers"]["Content-Type"].startswith("text/html")


def test_path_of_a_route_that_api_gateway_took_for_another_is_answered_with_404(
    warm: Service,
) -> None:
    assert warm.read({**event("reader_accounts"), "resource": "/{proxy+}"})["statusCode"] == 404


@pytest.mark.parametrize(
    "body", [b'{"schema": "v1", "data', b"<html>", b'{"schema": "v0"}', b"[]", b""]
)
def test_unreadable_entry_counts_as_a_miss_and_never_reaches_a_client(
    warm: Service, body: bytes
) -> None:
    warm.store(PROGRAMS, body)
    response = warm.get("/accounts")
    assert response["statusCode"] == 503
    assert [message["dataset"] for message in warm.queued()] == ["programs"]
    warm.poll()
    assert warm.get("/accounts")["statusCode"] == 200


def test_s3_out_of_reach_answers_503(warm: Service) -> None:
    for version in warm.s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        warm.s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    warm.s3.delete_bucket(Bucket=BUCKET)
    response = warm.get("/accounts")
    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) > 0
    assert "NoSuchBucket" not in response["body"]


def test_sqs_out_of_reach_answers_a_miss_with_503(service: Service) -> None:
    service.sqs.delete_queue(QueueUrl=service.queue_url)
    response = service.get("/accounts")
    assert response["statusCode"] == 503
    assert "Retry-After" in response["headers"]


def test_wrong_environment_is_named_at_the_start(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CACHE_BUCKET")
    monkeypatch.setenv("TIME_ZONE", "Mars/Olympus")
    reader_services.cache_clear()
    with pytest.raises(ConfigurationError, match=r"CACHE_BUCKET is missing; .*TIME_ZONE must be"):
        service.get("/accounts")
