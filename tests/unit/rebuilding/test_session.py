"""One MIP session at a time, and none left behind."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    MipsCacheError,
    OutOfTimeError,
    SecretsUnavailableError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.datasets import login_refusal_key
from core.rebuilding.session import MIP_IDLE_EXPIRY, SESSION_AGE_LIMIT
from tests.builders import PREFIX, make_credentials, make_worker_settings
from tests.wired import WiredWorker

COOLDOWN = timedelta(hours=1)
TEMPLATE = Path(__file__).parents[3] / "template.yaml"
REFUSAL_KEY = login_refusal_key(PREFIX)


def open_session(worker: WiredWorker) -> None:
    with worker.sessions().session():
        pass


def fail_to_open(
    worker: WiredWorker, error: type[MipsCacheError], match: str | None = None
) -> None:
    with pytest.raises(error, match=match), worker.sessions().session():
        pytest.fail("there is no session")


def leave_open(worker: WiredWorker, since: timedelta = timedelta(0)) -> None:
    """Have an earlier worker die in mid-session, so long ago."""
    worker.secrets.note_session("token-0")
    worker.upstream.open_token = "token-0"
    worker.clock.advance(seconds=since.total_seconds())


def refuse(worker: WiredWorker) -> None:
    """Have MIP refuse the present credentials once."""
    worker.secrets.stored = replace(worker.secrets.stored, password="wrong horse")
    fail_to_open(worker, CredentialsRefusedError)


# A session


def test_session_is_noted_while_it_is_used_and_until_its_logout_is_confirmed(
    worker: WiredWorker,
) -> None:
    noted: list[str | None] = []
    worker.upstream.during["logout"] = lambda: noted.append(worker.secrets.token)
    with worker.sessions().session() as token:
        assert worker.secrets.token == token
    assert noted == [token]
    assert (worker.upstream.open_token, worker.secrets.token) == (None, None)
    events = [event for _, event, _ in worker.telemetry.events]
    assert events == ["session opened", "session closed"]


@pytest.mark.parametrize("error", [UpstreamDataError("x"), KeyboardInterrupt()])
def test_session_is_logged_out_whatever_fails_inside(
    worker: WiredWorker, error: BaseException
) -> None:
    with pytest.raises(type(error)), worker.sessions().session():
        raise error
    assert (worker.upstream.open_token, worker.secrets.token) == (None, None)


@pytest.mark.parametrize(
    ("method", "calls"), [("credentials", []), ("note_session", ["login", "logout"])]
)
def test_session_without_credentials_is_not_opened_and_one_without_a_note_not_used(
    worker: WiredWorker, method: str, calls: list[str]
) -> None:
    worker.secrets.down.add(method)
    fail_to_open(worker, SecretsUnavailableError)
    assert worker.upstream.calls == calls


def test_logout_not_confirmed_keeps_the_note_and_the_work(worker: WiredWorker) -> None:
    worker.upstream.fail("logout", TransientUpstreamError("MIP answered 500 to logout"))
    open_session(worker)
    assert worker.secrets.token == "token-1"
    assert worker.telemetry.counted("LogoutsUnconfirmed") == 1
    assert worker.telemetry.warnings() == ["logout not confirmed"]


def test_note_that_cannot_be_closed_does_not_undo_the_work(worker: WiredWorker) -> None:
    worker.secrets.down.add("note_no_session")
    open_session(worker)
    assert worker.upstream.open_token is None
    assert worker.telemetry.warnings() == ["session not noted as closed"]


@pytest.mark.parametrize("error", [LockedOutError("x"), AmbiguousLoginError("x")], ids=type)
def test_login_that_fails_is_raised_and_nothing_is_noted(
    worker: WiredWorker, error: MipsCacheError
) -> None:
    worker.upstream.fail("login", error)
    fail_to_open(worker, type(error))
    assert worker.upstream.calls == ["login"]
    assert worker.secrets.notes == []
    assert REFUSAL_KEY not in worker.store.objects, "the credentials were not refused"


@pytest.mark.parametrize(
    ("invocation", "timeout", "for_fetching", "for_logging_out"),
    [
        pytest.param(300, 60, 215, 290, id="as deployed"),
        pytest.param(300, 5, 270, 290, id="shortest time-out"),
        pytest.param(100, 60, 70, 100 - 30 * 10 / 85, id="short invocation"),
        pytest.param(0, 60, 0, 0, id="no time"),
    ],
)
def test_time_is_reserved_for_logging_out_and_settling(
    worker: WiredWorker,
    monkeypatch: pytest.MonkeyPatch,
    invocation: float,
    timeout: int,
    for_fetching: float,
    for_logging_out: float,
) -> None:
    """A fetch that begins at the last moment can outlast its deadline by one time-out."""
    worker.settings = make_worker_settings(mip_timeout_seconds=timeout)
    keeper = worker.sessions(invocation)
    given: list[float] = []
    monkeypatch.setattr(worker.upstream, "log_out", lambda _, by: given.append(by.remaining()))
    with keeper.session():
        assert keeper.work_by.remaining() == pytest.approx(for_fetching)
    assert given == [pytest.approx(for_logging_out)]


# What an earlier worker left


def test_recovery_logs_out_what_was_left_so_that_the_next_session_can_open(
    worker: WiredWorker,
) -> None:
    leave_open(worker)
    worker.sessions().recover()
    assert (worker.upstream.open_token, worker.secrets.token) == (None, None)
    assert worker.telemetry.counted("SessionsRecovered") == 1
    assert worker.telemetry.warnings() == ["session recovered"]
    open_session(worker)
    assert not worker.upstream.is_locked


@pytest.mark.parametrize("error", [UpstreamDataError("403"), OutOfTimeError("x")], ids=type)
@pytest.mark.parametrize("beyond_limit", [timedelta(0), timedelta(seconds=1)], ids=str)
def test_logout_not_confirmed_is_a_lock_out_until_the_session_must_have_ended(
    worker: WiredWorker, error: Exception, beyond_limit: timedelta
) -> None:
    """A logout that is refused for ever must not stop the service for good."""
    leave_open(worker, SESSION_AGE_LIMIT + beyond_limit)
    worker.upstream.fail("logout", error)
    locked_out: Any = pytest.raises(LockedOutError, match="noted at 12:00:00 UTC")
    with nullcontext() if beyond_limit else locked_out:
        worker.sessions().recover()
    assert worker.upstream.calls == ["logout"]
    assert worker.secrets.token == (None if beyond_limit else "token-0")
    assert ("session forgotten" in worker.telemetry.warnings()) is bool(beyond_limit)


def test_session_age_limit_outlasts_a_worker_and_mips_idle_expiry() -> None:
    worker = yaml_parse(TEMPLATE.read_text())["Resources"]["WorkerFunction"]
    longest_session = timedelta(seconds=worker["Properties"]["Timeout"]) + MIP_IDLE_EXPIRY
    assert longest_session < SESSION_AGE_LIMIT


# Refused credentials


def test_refusal_is_noted_without_any_secret(worker: WiredWorker) -> None:
    refuse(worker)
    body = worker.store.objects[REFUSAL_KEY].body.decode()
    assert '"/mips/pass": 1' in body
    assert worker.secrets.stored.password not in body
    assert worker.secrets.stored.username not in body
    assert worker.telemetry.counted("CredentialsRefused") == 1


@pytest.mark.parametrize(
    ("since", "logins"), [(timedelta(0), 1), (COOLDOWN - timedelta(seconds=1), 1), (COOLDOWN, 2)]
)
def test_refused_credentials_are_not_tried_while_the_cooldown_lasts(
    worker: WiredWorker, since: timedelta, logins: int
) -> None:
    refuse(worker)
    worker.clock.advance(seconds=since.total_seconds())
    match = "not tried again before 2026-10-15T13:00" if logins == 1 else "MIP answered 401"
    fail_to_open(worker, CredentialsRefusedError, match)
    assert worker.upstream.made["login"] == logins


@pytest.mark.parametrize("versions", [(2, 1), (1, 2)], ids=["user", "password"])
def test_refused_credentials_once_changed_are_tried_at_once(
    worker: WiredWorker, versions: tuple[int, int]
) -> None:
    refuse(worker)
    worker.secrets.stored = make_credentials(*versions)
    open_session(worker)
    assert worker.upstream.made["login"] == 2
    assert REFUSAL_KEY not in worker.store.objects


def test_refusal_that_cannot_be_noted_still_ends_as_a_refusal(worker: WiredWorker) -> None:
    worker.store.down = lambda operation, key: operation == "put"
    refuse(worker)
    assert worker.telemetry.warnings() == ["refusal not noted"]


def test_refusal_that_cannot_be_forgotten_leaves_the_session_usable(worker: WiredWorker) -> None:
    refuse(worker)
    worker.secrets.stored = make_credentials(2, 2)
    worker.store.down = lambda operation, key: operation == "delete"
    open_session(worker)
    assert worker.telemetry.warnings() == ["refusal not forgotten"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"refused_at": 5, "versions": {}}',
        b'{"refused_at": "2026-10-15T12:00:00+00:00", "versions": 5}',
        b'{"refused_at": "2126-10-15T12:00:00Z", "versions": {"/mips/user": 1, "/mips/pass": 1}}',
    ],
)
def test_refusal_that_no_worker_can_have_noted_counts_as_none(
    worker: WiredWorker, body: bytes
) -> None:
    """A time far ahead must not stop the service until then."""
    worker.store.put(REFUSAL_KEY, body)
    open_session(worker)
    assert worker.upstream.made["login"] == 1
