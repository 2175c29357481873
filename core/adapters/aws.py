"""AWS clients with time-outs, from one session, and the one translation of their exceptions."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Two tries of at most (1 + 2) s, and what lies between and after them: no call of a reader takes
# longer than the 7 s that its time budget counts for one (handlers/time_budget.py).
READER_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"total_max_attempts": 2, "mode": "standard"},
    # S3 checked the object when it took it, and TLS checks it on its way: to check it once more
    # costs 0.1 of reading 600 KB.
    response_checksum_validation="when_required",
    # A fixed text: what the SDK says of itself is put together anew for each request, twice, and
    # costs 0.05 of a warm hit.
    user_agent="lambda-mips-api",
)
DEFAULT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
    response_checksum_validation="when_required",
)


@functools.cache
def _session() -> botocore.session.Session:
    # boto3's session makes the same clients, but imports what transfers files in parts, too: that
    # is 0.12 of a cold start and 0.05 of the memory (docs/performance.md tells what 1 is). A second
    # session would cost 0.3 of a cold start.
    return botocore.session.get_session()


def client(service: str, config: Config = DEFAULT_CONFIG) -> Any:
    """Make a client; endpoint, region and credentials come from the environment."""
    return _session().create_client(service, config=config)


def error_code(exc: ClientError) -> str:
    """Return AWS's code of an error, such as AccessDenied or 412."""
    return str(exc.response.get("Error", {}).get("Code", "unknown"))


@contextmanager
def translated(error: Callable[[str], Exception], operation: str) -> Iterator[None]:
    """Raise `error` for what the SDK raises inside; the message names operation and code only."""
    try:
        yield
    except ClientError as exc:
        raise error(f"{operation}: {error_code(exc)}") from exc
    except BotoCoreError as exc:
        raise error(f"{operation}: {type(exc).__name__}") from exc
