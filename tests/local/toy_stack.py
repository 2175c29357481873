"""A stack of toys: quick to start, and able to go wrong in every way."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.stack import LocalStack

TOY_TEMPLATE = Path(__file__).parent / "toy" / "template.yaml"


def toy_stack(**changes: Any) -> LocalStack:
    """A stack of the toy template on free ports, which neither polls nor keeps a schedule."""
    defaults: dict[str, Any] = {"gateway_port": 0, "aws_port": 0, "mip_port": 0, "poll": False}
    return LocalStack(**({"template": TOY_TEMPLATE} | defaults | changes))


def eventually[T](check: Callable[[], T], seconds: float = 5) -> T:
    """The check's first true value; its last one if none is true in time."""
    deadline = time.monotonic() + seconds
    while not (value := check()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value
