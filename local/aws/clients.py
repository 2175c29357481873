"""boto3 clients of the local AWS: made-up credentials, loopback, and nothing of the user's own."""

import functools
import os
import threading
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - made up; the local AWS accepts any

# botocore's own way to say that a setting comes neither from the environment nor from a file.
_FIXED_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
# Sessions must not make clients in two threads at once.
_MAKING = threading.Lock()


@functools.cache
def fake_session() -> boto3.Session:
    """A session that reads neither the user's AWS files nor AWS_PROFILE.

    The same one each time: it keeps the descriptions of AWS's services, which load slowly.
    """
    core = botocore.session.Session(session_vars=_FIXED_SETTINGS)
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        botocore_session=core,
    )


def client(service: str, aws_url: str) -> Any:
    """A client of a service at the given URL. It uses no proxy and retries no call."""
    config = Config(
        proxies={},
        retries={"total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=900,  # a synchronous invocation may take Lambda's 15 minutes
        s3={"addressing_style": "path"},
    )
    make: Any = fake_session().client
    with _MAKING:
        return make(service, endpoint_url=aws_url, config=config)
