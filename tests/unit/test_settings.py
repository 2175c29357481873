"""The environment of each function, read and validated as a whole."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import ConfigurationError
from core.settings import AdminSettings, ReaderSettings, WorkerSettings

SHARED = {
    "CACHE_BUCKET": "bucket",
    "REBUILD_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/rebuild.fifo",
}
DEAD_LETTERS = {"DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/dead.fifo"}
WORKER = {**SHARED, **DEAD_LETTERS, "MIP_ORG": "ORG"}
ADMIN = {**SHARED, **DEAD_LETTERS}


def test_reader_settings_defaults_are_the_templates() -> None:
    settings = ReaderSettings.from_environment(SHARED)
    assert settings == ReaderSettings(
        cache_bucket="bucket",
        cache_prefix="cache/",
        rebuild_queue_url=SHARED["REBUILD_QUEUE_URL"],
        time_zone=ZoneInfo("UTC"),
        no_program_code="000000",
        other_code="000001",
        tag_key="CostCenter",
        miss_wait_seconds=20,
        edge_ttl_seconds=300,
        grace_seconds=3600,
    )


def test_worker_settings_defaults_are_the_templates() -> None:
    settings = WorkerSettings.from_environment(WORKER)
    assert settings.mip_login_url == "https://login.mip.com"
    assert settings.mip_api_url == "https://api.mip.com"
    assert settings.ssm_path == "/lambda/mipsSecret"
    assert settings.codes_to_omit == {"999900", "999800", "999700", "990500"}
    assert (settings.programs_ttl_seconds, settings.balances_ttl_seconds) == (86400, 25200)
    assert (settings.balance_months, settings.max_shrink_percent) == (4, 50)
    assert settings.auth_cooldown_seconds == 3600


def test_settings_today_is_the_day_in_the_time_zone() -> None:
    settings = AdminSettings.from_environment({**ADMIN, "TIME_ZONE": "America/New_York"})
    assert settings.today(datetime(2026, 10, 15, 3, tzinfo=UTC)) == date(2026, 10, 14)


@pytest.mark.parametrize(("given", "read"), [({"DISTRIBUTION_ID": " E123 "}, "E123"), ({}, "")])
def test_admin_settings_distribution_may_be_absent(given: dict[str, str], read: str) -> None:
    assert AdminSettings.from_environment({**ADMIN, **given}).distribution_id == read


def test_settings_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        WorkerSettings.from_environment({})
    assert str(caught.value) == (
        "environment: CACHE_BUCKET is missing; REBUILD_QUEUE_URL is missing; "
        "DEAD_LETTER_QUEUE_URL is missing; MIP_ORG is missing"
    )


def test_settings_missing_and_malformed_are_named_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ReaderSettings.from_environment(
            {"CACHE_BUCKET": " ", "MISS_WAIT_SECONDS": "soon", "TIME_ZONE": "Mars/Olympus"}
        )
    for name in ("CACHE_BUCKET", "REBUILD_QUEUE_URL", "MISS_WAIT_SECONDS", "TIME_ZONE"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_BUCKET", ""),
        *[("CACHE_PREFIX", value) for value in ("cache", "/cache/", "a b/")],
        ("REBUILD_QUEUE_URL", "rebuild.fifo"),
        ("DEAD_LETTER_QUEUE_URL", "ftp://x/y"),
        ("MIP_ORG", "  "),
        ("MIP_LOGIN_URL", "https://"),
        ("MIP_API_URL", "https://a b"),
        *[("SSM_PATH", value) for value in ("lambda/mipsSecret", "/lambda/")],
        ("CODES_TO_OMIT", "999900;999800"),
        ("PROGRAMS_TTL_SECONDS", "0"),
        ("BALANCES_TTL_SECONDS", "1h"),
        *[("BALANCE_MONTHS", value) for value in ("0", "25")],
        *[("MAX_SHRINK_PERCENT", value) for value in ("-1", "101")],
        *[("MIP_TIMEOUT_SECONDS", value) for value in ("4", "66")],
        ("AUTH_COOLDOWN_SECONDS", ""),
        *[("TIME_ZONE", value) for value in ("", "../../etc/passwd")],
    ],
)
def test_worker_settings_malformed_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^environment: {name} must [^;]+$"):
        WorkerSettings.from_environment({**WORKER, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_PROGRAM_CODE", ""),
        ("OTHER_CODE", "0-1"),
        ("MISS_WAIT_SECONDS", "30"),
        ("EDGE_TTL_SECONDS", "x"),
        ("GRACE_SECONDS", "-1"),
    ],
)
def test_reader_settings_malformed_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^environment: {name} must [^;]+$"):
        ReaderSettings.from_environment({**SHARED, name: value})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("CACHE_PREFIX", "", "", id="no prefix"),
        pytest.param("CACHE_PREFIX", "a/b-c/", "a/b-c/", id="deep prefix"),
        pytest.param("MIP_API_URL", "http://127.0.0.1:8900/", "http://127.0.0.1:8900", id="slash"),
        pytest.param("CODES_TO_OMIT", "", frozenset(), id="nothing omitted"),
        pytest.param("CODES_TO_OMIT", " 1 , ,2,", frozenset({"1", "2"}), id="spaces, empty ones"),
        pytest.param("MIP_ORG", " Example ", "Example", id="spaces around a text"),
        pytest.param("MIP_TIMEOUT_SECONDS", "5", 5, id="shortest time-out"),
        pytest.param("MIP_TIMEOUT_SECONDS", "65", 65, id="longest time-out"),
        pytest.param("MAX_SHRINK_PERCENT", "0", 0, id="may not shrink"),
        pytest.param("AUTH_COOLDOWN_SECONDS", "0", 0, id="no cool-down"),
        pytest.param("TIME_ZONE", "America/New_York", ZoneInfo("America/New_York"), id="zone"),
    ],
)
def test_worker_settings_value_is_read(name: str, value: str, expected: object) -> None:
    settings = WorkerSettings.from_environment({**WORKER, name: value})
    assert getattr(settings, name.lower()) == expected


def test_reader_settings_wait_of_zero_is_allowed() -> None:
    settings = ReaderSettings.from_environment({**SHARED, "MISS_WAIT_SECONDS": "0"})
    assert settings.miss_wait_seconds == 0


def test_reader_settings_know_nothing_of_mip_or_its_credentials() -> None:
    names = vars(ReaderSettings.from_environment({**WORKER}))
    assert not [name for name in names if name.startswith(("mip_", "ssm_", "dead_letter"))]
