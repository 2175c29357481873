"""Which stack is meant: a deployed one, or the one that `make local` runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from tools.admin.aws_errors import explained

DEFAULT_STACK = "lambda-mips-api"
LOCAL_PORT = 4566
LOCAL_REGION = "us-east-1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANSWER_SECONDS = 20
INVOCATION_SECONDS = 125
"""The admin function is ended after 120 s: only then has it certainly not answered."""
# The user's own profile and files have no say in what is sent to the local stack.
_NO_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class Target:
    """A stack's name, and where it is. `local_url` is None on AWS."""

    stack: str
    region: str | None
    local_url: str | None = None


def target_of(
    stack: str,
    region: str | None,
    local_port: int | None,
    environment: Mapping[str, str],
    *,
    local: bool,
) -> Target:
    """Decide what is spoken to.

    `AWS_ENDPOINT_URL` on loopback is the local stack's, with or without `--local`.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    if local_port is not None:
        endpoint = f"http://127.0.0.1:{local_port}"
    elif not _is_loopback(endpoint):
        endpoint = f"http://127.0.0.1:{LOCAL_PORT}" if local else ""
    if endpoint:
        return Target(stack, LOCAL_REGION, endpoint.rstrip("/"))
    return Target(stack, region or environment.get("AWS_REGION"))


class Clients:
    """boto3 clients of a target, each made once, with time-outs.

    An invocation is never repeated by the SDK: a second one could send a dead letter twice.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._made: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        """Return the client of a service. Raises AwsError and UsageError."""
        if service not in self._made:
            self._made[service] = self._make(service)
        return self._made[service]

    def _make(self, service: str) -> Any:
        config = Config(
            connect_timeout=5,
            read_timeout=INVOCATION_SECONDS if service == "lambda" else ANSWER_SECONDS,
            retries={"total_max_attempts": 1 if service == "lambda" else 3, "mode": "standard"},
        )
        with explained(f"{service}:*"):
            make: Any = self._session.client
            if self._target.local_url is None:
                return make(service, config=config)
            config = config.merge(Config(proxies={}, s3={"addressing_style": "path"}))
            return make(service, endpoint_url=self._target.local_url, config=config)

    @cached_property
    def _session(self) -> boto3.Session:
        if self._target.local_url is None:
            return boto3.Session(region_name=self._target.region)
        return boto3.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the local AWS accepts any
            region_name=self._target.region,
            botocore_session=botocore.session.Session(session_vars=_NO_FILES),
        )


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False
