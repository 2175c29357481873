"""What the SDK raises, as sentences for an operator."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)
from botocore.parsers import ResponseParserError

from tools.admin.errors import AwsError, UsageError

NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)
NO_ANSWER = (NoConnectionError, HTTPClientError)
DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
)
BAD_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
# Most of AWS's refusals name the missing right, which can have another name than the call.
NAMED_RIGHT = re.compile(r"not authorized to perform: ([a-z0-9-]+:\w+)")


@contextmanager
def explained(right: str, local_url: str | None = None) -> Iterator[None]:
    """Raise AwsError, or UsageError where no region is known, for what the SDK raises inside.

    `right` is the IAM action that the call needs, such as s3:GetObject. `local_url` is where the
    local stack is expected, if that is what is spoken to.
    """
    try:
        yield
    except ClientError as exc:
        raise AwsError(_refusal(exc, right)) from exc
    except (NoRegionError, ProfileNotFound) as exc:
        raise UsageError(_wrong_setup(exc)) from exc
    except BotoCoreError as exc:
        raise AwsError(_failure(exc, right, local_url)) from exc
    except ResponseParserError as exc:
        raise AwsError(
            f"what answered {right} is not AWS; check AWS_ENDPOINT_URL and --local-port"
        ) from exc


def error_code(exc: ClientError) -> str:
    """Return AWS's code of an error, such as AccessDenied or 412."""
    return str(exc.response.get("Error", {}).get("Code", "unknown"))


def _refusal(exc: ClientError, right: str) -> str:
    code = error_code(exc)
    text = str(exc.response.get("Error", {}).get("Message", ""))
    if code in DENIED:
        named = NAMED_RIGHT.search(text)
        return f"these credentials lack the right {named[1] if named else right} ({code})"
    if code in BAD_CREDENTIALS:
        return f"AWS does not accept these credentials ({code}); log in again"
    return f"AWS refused {right}: {code}: {text}"


def _wrong_setup(exc: BotoCoreError) -> str:
    if isinstance(exc, NoRegionError):
        return "no region is known; give --region, or set AWS_DEFAULT_REGION"
    return f"{exc}; set AWS_PROFILE to a profile that exists"


def _failure(exc: BotoCoreError, right: str, local_url: str | None) -> str:
    if isinstance(exc, NO_CREDENTIALS):
        return f"no AWS credentials ({exc}); log in, or set AWS_PROFILE"
    if isinstance(exc, NO_ANSWER) and local_url:
        return f"the local stack does not answer at {local_url}; start it with `make local`"
    if isinstance(exc, ReadTimeoutError):
        return f"AWS did not answer {right} in time; whether it was done is not known: see `status`"
    return f"{right} failed: {exc}"
