"""The environment of each function, read once and validated as a whole.

A field's environment variable is its name in upper case. Defaults are those of the template's
parameters; a test holds the two together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import ConfigurationError


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def optional_text(value: str) -> str:
    """Any text, the empty one included."""
    return value.strip()


def prefix(value: str) -> str:
    """A key prefix: empty, or ending in a slash."""
    if value and not re.fullmatch(r"(?:[\w.-]+/)+", value, re.ASCII):
        raise ValueError('must be empty or a path that ends in "/", such as cache/')
    return value


def url(value: str) -> str:
    """An http(s) URL without the slash at its end."""
    if not re.fullmatch(r"https?://[^\s/]+(?:/\S*)?", value):
        raise ValueError("must be a URL that begins with https:// or http://")
    return value.rstrip("/")


def parameter_path(value: str) -> str:
    """A hierarchy of the SSM parameter store, such as /lambda/mipsSecret."""
    if not re.fullmatch(r"(?:/[\w.-]+)+", value, re.ASCII):
        raise ValueError("must be an SSM path that begins with a slash and does not end in one")
    return value


def code(value: str) -> str:
    """A program code."""
    if not re.fullmatch(r"[0-9A-Za-z]+", value):
        raise ValueError("must be a code of letters and digits")
    return value


def codes(value: str) -> frozenset[str]:
    """Comma-separated program codes; spaces around them and empty ones do not count."""
    try:
        return frozenset(code(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as exc:
        raise ValueError("must be codes of letters and digits, separated by commas") from exc


def time_zone(value: str) -> ZoneInfo:
    """A zone of the IANA database, by name."""
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("must be an IANA time zone name, such as UTC or America/New_York") from exc


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number between the two, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not lowest <= int(value) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(value)

    return parse


def variable(parse: Callable[[str], Any], default: str | None = None) -> Any:
    """Declare a setting: how its text is read, and the text that stands for an absent one."""
    return field(metadata={"parse": parse, "default": default})


@dataclass(frozen=True)
class _Settings:
    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read every field from its variable.

        Raises ConfigurationError, which names every variable that is missing or malformed.
        """
        values: dict[str, Any] = {}
        problems: list[str] = []
        for setting in fields(cls):
            name = setting.name.upper()
            raw = environment.get(name, setting.metadata["default"])
            if raw is None:
                problems.append(f"{name} is missing")
                continue
            try:
                values[setting.name] = setting.metadata["parse"](raw)
            except ValueError as exc:
                problems.append(f"{name} {exc}")
        if problems:
            raise ConfigurationError("environment: " + "; ".join(problems))
        return cls(**values)


@dataclass(frozen=True)
class _SharedSettings(_Settings):
    cache_bucket: str = variable(text)
    cache_prefix: str = variable(prefix, "cache/")
    rebuild_queue_url: str = variable(url)
    time_zone: ZoneInfo = variable(time_zone, "UTC")

    def today(self, now: datetime) -> date:
        """Return the day that it is in the configured time zone."""
        return now.astimezone(self.time_zone).date()


@dataclass(frozen=True)
class ReaderSettings(_SharedSettings):
    """What the reader needs: one queue to write to, and nothing of MIP."""

    no_program_code: str = variable(code, "000000")
    other_code: str = variable(code, "000001")
    tag_key: str = variable(text, "CostCenter")
    miss_wait_seconds: int = variable(whole_number(0, 29), "20")
    edge_ttl_seconds: int = variable(whole_number(0, 31_536_000), "300")
    grace_seconds: int = variable(whole_number(0, 31_536_000), "3600")


@dataclass(frozen=True)
class WorkerSettings(_SharedSettings):
    """What the worker needs to fetch, transform, store and dead-letter."""

    dead_letter_queue_url: str = variable(url)
    mip_org: str = variable(text)
    mip_login_url: str = variable(url, "https://login.mip.com")
    mip_api_url: str = variable(url, "https://api.mip.com")
    ssm_path: str = variable(parameter_path, "/lambda/mipsSecret")
    codes_to_omit: frozenset[str] = variable(codes, "999900,999800,999700,990500")
    programs_ttl_seconds: int = variable(whole_number(1, 31_536_000), "86400")
    balances_ttl_seconds: int = variable(whole_number(1, 31_536_000), "25200")
    balance_months: int = variable(whole_number(1, 24), "4")
    max_shrink_percent: int = variable(whole_number(0, 100), "50")
    mip_timeout_seconds: int = variable(whole_number(5, 65), "60")
    auth_cooldown_seconds: int = variable(whole_number(0, 604_800), "3600")


@dataclass(frozen=True)
class AdminSettings(_SharedSettings):
    """What the admin needs; of MIP it learns whether a session is open, and no credentials."""

    dead_letter_queue_url: str = variable(url)
    ssm_path: str = variable(parameter_path, "/lambda/mipsSecret")
    balance_months: int = variable(whole_number(1, 24), "4")
    distribution_id: str = variable(optional_text, "")
