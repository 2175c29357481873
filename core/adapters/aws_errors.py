"""The one translation of what botocore raises."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError


def error_code(exc: ClientError) -> str:
    """Return AWS's code of an error, such as AccessDenied or 412."""
    return str(exc.response.get("Error", {}).get("Code", "unknown"))


@contextmanager
def translated(error: Callable[[str], Exception], operation: str) -> Iterator[None]:
    """Raise `error` for what botocore raises inside; the message names operation and code only."""
    try:
        yield
    except ClientError as exc:
        raise error(f"{operation}: {error_code(exc)}") from exc
    except BotoCoreError as exc:
        raise error(f"{operation}: {type(exc).__name__}") from exc
