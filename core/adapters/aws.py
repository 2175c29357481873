"""AWS clients with time-outs, from one session."""

import functools
from typing import Any

import botocore.session
from botocore.config import Config

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
    # S3 checked the object when it took it, and TLS checks it on its way.
    response_checksum_validation="when_required",
)


@functools.cache
def session() -> botocore.session.Session:
    """Return the one session. boto3's would make the same clients, and import more for it."""
    return botocore.session.get_session()


def client(service: str) -> Any:
    """Make a client; endpoint, region and credentials come from the environment."""
    return session().create_client(service, config=CONFIG)
