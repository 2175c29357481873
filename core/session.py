"""One MIP session at a time, and none left behind.

MIP locks a user out when a second session is opened, or when one is never closed. So the token of
a session is noted in the parameter store before it is used, and the note goes only once the
logout is confirmed; whoever finds a note logs that session out before anything else.

    closed ──log_in──▶ open ──store token──▶ noted ──work──▶ log_out ──confirmed──▶ forget token
                                                               └──not confirmed──▶ note stays

A worker that is killed leaves at worst a note. Only between the login's reply and the note can a
session be lost to us; MIP's idle expiry ends that one.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.datasets import login_refusal_key
from core.errors import (
    CredentialsRefusedError,
    MipsCacheError,
    SecretsUnavailableError,
    StoreUnavailableError,
)
from core.ports import (
    CacheStore,
    Clock,
    Credentials,
    Secrets,
    Telemetry,
    Upstream,
)
from core.timing import Deadline

LOGOUT_RESERVE_SECONDS = 45.0
"""Of an invocation's time, what belongs to logging out, forgetting the token and settling.

More than a call can overrun its deadline by, which is one read time-out of silence.
"""
SETTLE_RESERVE_SECONDS = 10.0
"""Of that, what comes after the logout."""
LARGEST_RESERVE = 0.3
"""Share of the time that the reserve never exceeds, so that a short invocation still works."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    refused_at: datetime
    again_at: datetime
    versions: Mapping[str, int]


class RefusedCredentials:
    """Remembers which versions of the credentials MIP refused, so that they are not hammered."""

    def __init__(
        self, store: CacheStore, clock: Clock, cache_prefix: str, cooldown: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._key = login_refusal_key(cache_prefix)
        self._cooldown = cooldown

    def check(self, credentials: Credentials) -> None:
        """Raise CredentialsRefusedError while the cool-down lasts and nothing has changed."""
        refusal = self._read()
        if refusal is None or refusal.versions != credentials.versions:
            return
        again_at = refusal.again_at
        if self._clock() < again_at:
            raise CredentialsRefusedError(
                f"MIP refused these credentials at {refusal.refused_at:%Y-%m-%dT%H:%M:%SZ}; they "
                f"are not tried again before {again_at:%Y-%m-%dT%H:%M:%SZ} unless they change"
            )

    def note(self, credentials: Credentials) -> None:
        """Note a refusal: when, and of which parameter versions."""
        document = {
            "refused_at": self._clock().isoformat(),
            "versions": dict(credentials.versions),
        }
        self._store.put(self._key, json.dumps(document).encode())

    def clear(self) -> None:
        """Forget a refusal after a login that worked."""
        if self._read() is not None:
            self._store.delete([self._key])

    def _read(self) -> _Refusal | None:
        stored = self._store.read(self._key)
        if stored is None:
            return None
        try:
            document = json.loads(stored.body)
            refused_at = datetime.fromisoformat(document["refused_at"]).astimezone(UTC)
            again_at = refused_at + self._cooldown
            return _Refusal(refused_at, again_at, dict(document["versions"]))
        except (LookupError, OverflowError, RecursionError, TypeError, ValueError):
            # No note of ours. At worst MIP sees one login more.
            return None


class SessionKeeper:
    """Opens and closes MIP sessions for one invocation of the worker."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        secrets: Secrets,
        refused: RefusedCredentials,
        telemetry: Telemetry,
        invocation_ends: Deadline,
    ) -> None:
        self._upstream = upstream
        self._secrets = secrets
        self._refused = refused
        self._telemetry = telemetry
        longest = LARGEST_RESERVE * invocation_ends.remaining()
        reserve = max(0.0, min(LOGOUT_RESERVE_SECONDS, longest))
        settling = reserve * SETTLE_RESERVE_SECONDS / LOGOUT_RESERVE_SECONDS
        self._logout_by = invocation_ends.earlier_by(settling)
        self.work_by = invocation_ends.earlier_by(reserve)

    def recover(self) -> None:
        """Log out the session that a worker before this one left, if there is one.

        Raises SecretsUnavailableError or UpstreamError; then no session may be opened.
        """
        token = self._secrets.session_token()
        if token is None:
            return
        self._upstream.log_out(token, self._logout_by)
        self._secrets.forget_session_token()
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
            self._secrets.store_session_token(token)
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
            # It speaks of credentials that work again, or of other versions: harmless.
            self._telemetry.warning("refusal not forgotten", problem=str(exc))

    def _log_out(self, token: str) -> None:
        try:
            self._upstream.log_out(token, self._logout_by)
            self._secrets.forget_session_token()
        except SecretsUnavailableError as exc:
            self._telemetry.warning("session token not forgotten", problem=str(exc))
        except MipsCacheError as exc:
            self._telemetry.warning("logout not confirmed", problem=str(exc))
            self._telemetry.count("LogoutsUnconfirmed")
        else:
            self._telemetry.info("session closed")
