"""Who is logged in, and who is locked out: MIP Cloud's rule of one session per user."""

import secrets
from collections.abc import Callable

from local.mip.calls import CallRefusedError


class Sessions:
    """Open sessions and lock-outs. The caller serialises access.

    A login while a session of the same user is open locks the user out; that session stays
    valid until its logout, or until nothing has used it for `idle_seconds`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        lockout_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._clock = clock
        self._lockout_seconds = lockout_seconds
        self._idle_seconds = idle_seconds
        self._users: dict[str, str] = {}
        self._last_used: dict[str, float] = {}
        self._locked_until: dict[str, float] = {}
        self.lockouts = 0

    def login(self, user: str, *, accepted: bool) -> str:
        """Open a session and return its token; `accepted` says whether the password was right.

        Raises CallRefusedError: 403 when the user is locked out or becomes so, 401 when not
        accepted.
        """
        if user in self.locked():
            raise CallRefusedError(403, "the user is locked out")
        if not accepted:
            raise CallRefusedError(401, "user name, password or organisation is wrong")
        self._drop_idle()
        if user in self._users.values():
            self.lockouts += 1
            self._locked_until[user] = self._clock() + self._lockout_seconds
            raise CallRefusedError(403, "the user is locked out: another session is open")
        token = secrets.token_urlsafe(24)
        self._users[token] = user
        self._last_used[token] = self._clock()
        return token

    def use(self, token: str | None) -> None:
        """Note that a call used the session. Raises CallRefusedError (401) if it is not open."""
        self._drop_idle()
        if token is None or token not in self._users:
            raise CallRefusedError(401, "there is no such session")
        self._last_used[token] = self._clock()

    def logout(self, token: str | None) -> None:
        """Close the session. Raises CallRefusedError (401) if it is not open."""
        self.use(token)
        if token is not None:
            self._close(token)

    def expire(self) -> int:
        """End every session as if it had been idle for too long; return how many."""
        count = len(self._users)
        for token in list(self._users):
            self._close(token)
        return count

    def open_count(self) -> int:
        """Return the number of sessions that a call could use now."""
        self._drop_idle()
        return len(self._users)

    def locked(self) -> dict[str, float]:
        """Return the users who are locked out, with the seconds that it will still last."""
        now = self._clock()
        left = {user: until - now for user, until in self._locked_until.items()}
        return {user: seconds for user, seconds in left.items() if seconds > 0}

    def _drop_idle(self) -> None:
        idle_since = self._clock() - self._idle_seconds
        for token in [token for token, used in self._last_used.items() if used <= idle_since]:
            self._close(token)

    def _close(self, token: str) -> None:
        del self._users[token], self._last_used[token]
