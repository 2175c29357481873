"""Credentials that MIP refused: they are not tried again until a cool-down is over or they change.

The note of a refusal holds when it happened and which versions of the two SSM parameters were
refused. It holds no secret.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import CredentialsRefusedError
from core.model.datasets import login_refusal_key
from core.ports import CacheStore, Clock, Credentials
from core.settings import WorkerSettings
from core.timing import read_time


@dataclass(frozen=True, slots=True)
class _Refusal:
    refused_at: datetime
    again_at: datetime
    versions: Mapping[str, int]


class RefusedCredentials:
    """Remembers which versions of the credentials MIP refused."""

    def __init__(self, store: CacheStore, clock: Clock, settings: WorkerSettings) -> None:
        self._store = store
        self._clock = clock
        self._key = login_refusal_key(settings.cache_prefix)
        self._cooldown = timedelta(seconds=settings.auth_cooldown_seconds)

    def check(self, credentials: Credentials) -> None:
        """Raise CredentialsRefusedError while the cool-down lasts and nothing has changed."""
        refusal = self._read()
        if refusal is None or refusal.versions != credentials.versions:
            return
        # No worker writes a time far ahead; such a note must not stop the service until then.
        if abs(self._clock() - refusal.refused_at) < self._cooldown:
            raise CredentialsRefusedError(
                f"MIP refused these credentials at {refusal.refused_at:%Y-%m-%dT%H:%M:%SZ}; they "
                f"are not tried again before {refusal.again_at:%Y-%m-%dT%H:%M:%SZ} unless they "
                "change"
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
            refused_at = read_time(document["refused_at"])
            again_at = refused_at + self._cooldown
            return _Refusal(refused_at, again_at, dict(document["versions"]))
        except (LookupError, OverflowError, RecursionError, TypeError, ValueError):
            # No worker wrote this. At worst MIP gets one login more.
            return None
