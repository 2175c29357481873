"""One MIP session at a time, and none left behind.

MIP locks a user out when a second session is opened, or when one is never closed. So the token of
a session is noted in the parameter store before it is used, and the note becomes `closed` only
once the logout is confirmed. A worker that finds a token there logs that session out first.

    closed ──log_in──▶ open ──note token──▶ noted ──work──▶ log_out ──confirmed──▶ note "closed"
                                                              └──not confirmed──▶ the token stays

A worker that is killed leaves at worst a note. Only between the login's reply and the note can a
session be lost; MIP's idle expiry ends that one.

How an invocation's time is shared, for a worker of 300 seconds with MIP_TIMEOUT_SECONDS at 60:

    0 s                                        215 s                          290 s      300 s
    ├─ log in, fetch, write: calls may begin ──┼─ log out, with retries ──────┼─ settle ─┤

A call that begins after 214 seconds and is never answered ends after 274. That leaves the 15
seconds that a logout needs, and 10 to settle the messages. So no call begins in the last
60 + 15 + 10 = 85 seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from core.errors import (
    CredentialsRefusedError,
    LockedOutError,
    MipsCacheError,
    SecretsUnavailableError,
    StoreUnavailableError,
    UpstreamError,
)
from core.ports import Clock, Credentials, Secrets, Telemetry, Upstream
from core.rebuilding.refused_credentials import RefusedCredentials
from core.settings import WorkerSettings
from core.timing import Deadline

LOGOUT_SECONDS = 15.0
"""What a logout needs at least: one try, with its time-outs."""
SETTLE_SECONDS = 10.0
"""What noting the end of the session and settling the messages need."""
LARGEST_RESERVE = 0.3
"""Share of the time that the reserve never exceeds, so that a short invocation still works."""
WORKER_TIMEOUT = timedelta(minutes=5)
"""How long an invocation lasts at most: the template's time-out of the worker."""
MIP_IDLE_EXPIRY = timedelta(minutes=10)
"""About how long a session lasts without a call, as MIP's vendor says."""
SESSION_AGE_LIMIT = WORKER_TIMEOUT + MIP_IDLE_EXPIRY + timedelta(minutes=5)
"""A session that was noted longer ago has ended, whatever MIP says of it. 5 minutes are margin."""


class SessionKeeper:
    """Opens and closes MIP sessions for one invocation of the worker."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        secrets: Secrets,
        refused: RefusedCredentials,
        telemetry: Telemetry,
        clock: Clock,
        invocation_ends: Deadline,
        settings: WorkerSettings,
    ) -> None:
        self._upstream = upstream
        self._secrets = secrets
        self._refused = refused
        self._telemetry = telemetry
        self._clock = clock
        reserve = settings.mip_timeout_seconds + LOGOUT_SECONDS + SETTLE_SECONDS
        # A short invocation keeps most of its time for its work; the parts shrink alike.
        share = min(1.0, max(0.0, LARGEST_RESERVE * invocation_ends.remaining() / reserve))
        self._logout_by = invocation_ends.earlier_by(SETTLE_SECONDS * share)
        self.work_by = invocation_ends.earlier_by(reserve * share)

    def recover(self) -> None:
        """Log out the session that a worker before this one left, if there is one.

        One that was noted longer than SESSION_AGE_LIMIT ago has ended at MIP: its logout is tried
        once more and then it is forgotten, whatever comes of it. Nothing can stop the service for
        good.

        Raises SecretsUnavailableError, or LockedOutError where the logout is not confirmed; then no
        session may be opened.
        """
        noted = self._secrets.noted_session()
        if noted is None:
            return
        try:
            self._upstream.log_out(noted.token, self._logout_by)
        except UpstreamError as exc:
            if self._clock() - noted.noted_at <= SESSION_AGE_LIMIT:
                raise LockedOutError(
                    f"a session noted at {noted.noted_at:%H:%M:%S} UTC is not logged out: {exc}"
                ) from exc
            self._telemetry.warning("session forgotten", problem=str(exc))
        self._secrets.note_no_session()
        self._telemetry.warning("session recovered")
        self._telemetry.count("SessionsRecovered")

    @contextmanager
    def session(self) -> Iterator[str]:
        """Log in, note the token, hand it out; log out whatever happens.

        Raises what the login raises; a logout that fails is recorded, and its note stays for the
        next invocation, because the work that was done is valid.
        """
        token = self._log_in()
        try:
            self._secrets.note_session(token)
            self._forget_refusal()
            yield token
        finally:
            self._log_out(token)

    def _log_in(self) -> str:
        credentials = self._secrets.credentials()
        self._refused.check(credentials)
        try:
            token = self._upstream.log_in(credentials, self.work_by)
        except CredentialsRefusedError:
            self._telemetry.count("CredentialsRefused")
            self._remember_refusal(credentials)
            raise
        self._telemetry.info("session opened")
        return token

    def _remember_refusal(self, credentials: Credentials) -> None:
        try:
            self._refused.note(credentials)
        except StoreUnavailableError as exc:
            # The refusal itself is what the message must end with.
            self._telemetry.warning("refusal not noted", problem=str(exc))

    def _forget_refusal(self) -> None:
        try:
            self._refused.clear()
        except StoreUnavailableError as exc:
            # Harmless: the credentials that it names work again, or are others by now.
            self._telemetry.warning("refusal not forgotten", problem=str(exc))

    def _log_out(self, token: str) -> None:
        try:
            self._upstream.log_out(token, self._logout_by)
            self._secrets.note_no_session()
        except SecretsUnavailableError as exc:
            self._telemetry.warning("session not noted as closed", problem=str(exc))
        except MipsCacheError as exc:
            self._telemetry.warning("logout not confirmed", problem=str(exc))
            self._telemetry.count("LogoutsUnconfirmed")
        else:
            self._telemetry.info("session closed")
