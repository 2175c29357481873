"""One MIP session at a time, and none left behind."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from core.errors import (
    AmbiguousLoginError,
    CredentialsRefusedError,
    LockedOutError,
    OutOfTimeError,
    SecretsUnavailableError,
    TransientUpstreamError,
    UpstreamDataError,
)
from core.model.datasets import login_refusal_key
from core.rebuilding.refused_credentials import RefusedCredentials
from core.rebuilding.session import MIP_IDLE_EXPIRY, SESSION_AGE_LIMIT, SessionKeeper
from tests.builders import NOW, PREFIX, make_credentials, make_worker_settings
from tests.fakes import FakeClock, FakeSecrets, FakeUpstream, InMemoryStore, RecordingTelemetry
from tests.wired import WiredWorker

COOLDOWN = timedelta(hours=1)
TEMPLATE = Path(__file__).parents[3] / "template.yaml"
REFUSAL_KEY = login_refusal_key(PREFIX)


@pytest.fixture
def refused(store: InMemoryStore, clock: FakeClock) -> RefusedCredentials:
    return RefusedCredentials(store, clock, make_worker_settings())


@pytest.fixture
def worker(
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    store: InMemoryStore,
    telemetry: RecordingTelemetry,
    clock: FakeClock,
) -> WiredWorker:
    return WiredWorker(
        upstream=upstream, secrets=secrets, store=store, telemetry=telemetry, clock=clock
    )


@pytest.fixture
def keeper(worker: WiredWorker) -> SessionKeeper:
    return worker.sessions(300)


def leave_open(upstream: FakeUpstream, secrets: FakeSecrets) -> None:
    """Have an earlier worker die in mid-session."""
    secrets.note_session("token-0")
    upstream.open_token = "token-0"


def refuse(keeper: SessionKeeper, secrets: FakeSecrets) -> None:
    """Have MIP refuse the present credentials once."""
    secrets.stored = replace(secrets.stored, password="wrong horse")
    with pytest.raises(CredentialsRefusedError), keeper.session():
        pytest.fail("there is no session")


def test_session_token_is_noted_before_it_is_used(
    keeper: SessionKeeper, secrets: FakeSecrets
) -> None:
    with keeper.session() as token:
        assert secrets.token == token


def test_session_end_logs_out_and_then_forgets_the_token(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
) -> None:
    noted_at_logout: list[str | None] = []
    upstream.during["logout"] = lambda: noted_at_logout.append(secrets.token)
    with keeper.session() as token:
        pass
    assert noted_at_logout == [token]
    assert upstream.open_token is None
    assert secrets.token is None
    assert [event for _, event, _ in telemetry.events] == ["session opened", "session closed"]


@pytest.mark.parametrize("error", [UpstreamDataError("x"), RuntimeError("x"), KeyboardInterrupt()])
def test_session_whatever_fails_inside_logs_out(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets, error: BaseException
) -> None:
    with pytest.raises(type(error)), keeper.session():
        raise error
    assert upstream.open_token is None
    assert secrets.token is None


def test_session_note_that_fails_logs_out_unused(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    secrets.down.add("note_session")
    with pytest.raises(SecretsUnavailableError), keeper.session():
        pytest.fail("the session was used although it is not noted")
    assert upstream.calls == ["login", "logout"]
    assert upstream.open_token is None


def test_session_logout_not_confirmed_keeps_the_note_and_the_work(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
) -> None:
    upstream.fail("logout", TransientUpstreamError("MIP answered 500 to logout"))
    with keeper.session() as token:
        pass
    assert secrets.token == token
    assert telemetry.counted("LogoutsUnconfirmed") == 1
    assert telemetry.warnings() == ["logout not confirmed"]


def test_session_note_not_forgotten_does_not_undo_the_work(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
) -> None:
    secrets.down.add("note_no_session")
    with keeper.session():
        pass
    assert upstream.open_token is None
    assert telemetry.warnings() == ["session not noted as closed"]


@pytest.mark.parametrize(
    "error",
    [LockedOutError("x"), AmbiguousLoginError("x"), TransientUpstreamError("x")],
    ids=lambda error: type(error).__name__,
)
def test_session_login_failure_is_raised_and_nothing_is_noted(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets, error: Exception
) -> None:
    upstream.fail("login", error)
    with pytest.raises(type(error)), keeper.session():
        pytest.fail("there is no session")
    assert upstream.calls == ["login"]
    assert secrets.notes == []


def test_session_credentials_out_of_reach_makes_no_call(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    secrets.down.add("credentials")
    with pytest.raises(SecretsUnavailableError), keeper.session():
        pytest.fail("there is no session")
    assert upstream.calls == []


@pytest.mark.parametrize(
    ("invocation", "timeout", "for_fetching", "for_logging_out"),
    [
        pytest.param(300, 60, 215, 290, id="as deployed"),
        pytest.param(300, 5, 270, 290, id="shortest time-out"),
        pytest.param(300, 65, 210, 290, id="longest time-out"),
        pytest.param(100, 60, 70, 100 - 30 * 10 / 85, id="short invocation"),
        pytest.param(0, 60, 0, 0, id="no time"),
    ],
)
def test_session_reserves_time_for_logging_out_and_settling(
    worker: WiredWorker,
    upstream: FakeUpstream,
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
    monkeypatch.setattr(upstream, "log_out", lambda token, by: given.append(by.remaining()))
    with keeper.session():
        assert keeper.work_by.remaining() == pytest.approx(for_fetching)
    assert given == [pytest.approx(for_logging_out)]


def test_recover_without_a_note_makes_no_call(
    keeper: SessionKeeper, upstream: FakeUpstream, telemetry: RecordingTelemetry
) -> None:
    keeper.recover()
    assert upstream.calls == []
    assert telemetry.metrics == []


def test_recover_logs_out_what_an_earlier_worker_left(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    telemetry: RecordingTelemetry,
) -> None:
    leave_open(upstream, secrets)
    keeper.recover()
    assert upstream.open_token is None
    assert secrets.token is None
    assert telemetry.counted("SessionsRecovered") == 1
    assert telemetry.warnings() == ["session recovered"]


def test_recover_lets_the_next_session_open(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets
) -> None:
    leave_open(upstream, secrets)
    keeper.recover()
    with keeper.session():
        assert not upstream.is_locked


def test_recover_of_a_session_that_is_gone_forgets_the_note(
    keeper: SessionKeeper, secrets: FakeSecrets
) -> None:
    secrets.note_session("expired")
    keeper.recover()
    assert secrets.token is None


@pytest.mark.parametrize(
    "error",
    [
        TransientUpstreamError("MIP answered 500 to logout"),
        UpstreamDataError("MIP answered 403 to logout"),
        OutOfTimeError("no time was left for logout"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_recover_logout_not_confirmed_is_a_lock_out_and_keeps_the_note(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    clock: FakeClock,
    error: Exception,
) -> None:
    leave_open(upstream, secrets)
    upstream.fail("logout", error)
    clock.advance(seconds=SESSION_AGE_LIMIT.total_seconds())
    with pytest.raises(LockedOutError, match="noted at 12:00:00 UTC"):
        keeper.recover()
    assert secrets.token == "token-0"


def test_recover_forgets_an_old_session_after_one_more_logout_whatever_mip_answers(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    clock: FakeClock,
    telemetry: RecordingTelemetry,
) -> None:
    """MIP has ended it long ago; a logout that is refused for ever must not stop the service."""
    leave_open(upstream, secrets)
    upstream.fail("logout", UpstreamDataError("MIP answered 403 to logout"))
    clock.advance(seconds=SESSION_AGE_LIMIT.total_seconds() + 1)
    keeper.recover()
    assert upstream.calls == ["logout"]
    assert secrets.token is None
    assert "session forgotten" in telemetry.warnings()


def test_session_age_limit_outlasts_a_worker_and_mips_idle_expiry() -> None:
    worker = yaml_parse(TEMPLATE.read_text())["Resources"]["WorkerFunction"]
    longest_session = timedelta(seconds=worker["Properties"]["Timeout"]) + MIP_IDLE_EXPIRY
    assert longest_session < SESSION_AGE_LIMIT


def test_refusal_is_noted_without_any_secret(
    keeper: SessionKeeper, secrets: FakeSecrets, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    refuse(keeper, secrets)
    body = store.objects[REFUSAL_KEY].body.decode()
    assert '"/mips/pass": 1' in body
    assert secrets.stored.password not in body
    assert secrets.stored.username not in body
    assert telemetry.counted("CredentialsRefused") == 1


@pytest.mark.parametrize("since", [timedelta(0), COOLDOWN - timedelta(seconds=1)], ids=str)
def test_refused_credentials_are_not_tried_while_the_cooldown_lasts(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    clock: FakeClock,
    since: timedelta,
) -> None:
    refuse(keeper, secrets)
    clock.advance(seconds=since.total_seconds())
    with pytest.raises(CredentialsRefusedError, match="not tried again before 2026-10-15T13:00"):
        keeper.session().__enter__()
    assert upstream.made["login"] == 1


def test_refused_credentials_are_tried_again_after_the_cooldown(
    keeper: SessionKeeper, upstream: FakeUpstream, secrets: FakeSecrets, clock: FakeClock
) -> None:
    refuse(keeper, secrets)
    clock.advance(seconds=COOLDOWN.total_seconds())
    with pytest.raises(CredentialsRefusedError):
        keeper.session().__enter__()
    assert upstream.made["login"] == 2


@pytest.mark.parametrize("versions", [(2, 1), (1, 2)], ids=["user", "password"])
def test_refused_credentials_once_changed_are_tried_at_once(
    keeper: SessionKeeper,
    upstream: FakeUpstream,
    secrets: FakeSecrets,
    store: InMemoryStore,
    versions: tuple[int, int],
) -> None:
    refuse(keeper, secrets)
    secrets.stored = make_credentials(*versions)
    with keeper.session():
        pass
    assert upstream.made["login"] == 2
    assert REFUSAL_KEY not in store.objects


def test_lock_out_is_no_refusal_of_credentials(
    keeper: SessionKeeper, upstream: FakeUpstream, store: InMemoryStore
) -> None:
    upstream.fail("login", LockedOutError("x"))
    with pytest.raises(LockedOutError):
        keeper.session().__enter__()
    assert REFUSAL_KEY not in store.objects


def test_refusal_that_cannot_be_noted_still_ends_as_a_refusal(
    keeper: SessionKeeper, secrets: FakeSecrets, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    store.down = lambda operation, key: operation == "put"
    refuse(keeper, secrets)
    assert telemetry.warnings() == ["refusal not noted"]


def test_refusal_that_cannot_be_forgotten_leaves_the_session_usable(
    keeper: SessionKeeper, secrets: FakeSecrets, store: InMemoryStore, telemetry: RecordingTelemetry
) -> None:
    refuse(keeper, secrets)
    secrets.stored = make_credentials(2, 2)
    store.down = lambda operation, key: operation == "delete"
    with keeper.session() as token:
        assert token
    assert telemetry.warnings() == ["refusal not forgotten"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"refused_at": "soon", "versions": {}}',
        b'{"refused_at": 5, "versions": {}}',
        b'{"refused_at": "2026-10-15T12:00:00+00:00", "versions": 5}',
    ],
)
def test_refusal_note_that_cannot_be_read_counts_as_none(
    refused: RefusedCredentials, store: InMemoryStore, body: bytes
) -> None:
    store.put(REFUSAL_KEY, body)
    refused.check(make_credentials())


def test_refusal_noted_far_ahead_counts_as_none(
    refused: RefusedCredentials, clock: FakeClock
) -> None:
    """This worker did not write such a time; it must not stop the service until then."""
    clock.advance(days=36_500)
    refused.note(make_credentials())
    clock.advance(days=-36_500)
    refused.check(make_credentials())


def test_refusal_noted_is_read_back_by_another_worker(
    refused: RefusedCredentials, store: InMemoryStore
) -> None:
    refused.note(make_credentials())
    another_clock = FakeClock(NOW + timedelta(minutes=59))
    other = RefusedCredentials(store, another_clock, make_worker_settings())
    with pytest.raises(CredentialsRefusedError):
        other.check(make_credentials())
