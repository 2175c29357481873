"""One HTTP exchange with MIP Cloud, and the one translation of what requests and urllib3 raise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from core.adapters.mip_retries import SHORTEST_CALL_SECONDS
from core.errors import (
    OutOfTimeError,
    RequestNotTakenError,
    TimedOutError,
    TransientUpstreamError,
)
from core.ports import Clock, Telemetry
from core.timing import Deadline

CONNECT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MipRequest:
    """One request. `call` is its name in errors and metrics.

    After `read_timeout` seconds of silence it is given up, so it can overrun its deadline by that
    much at most.
    """

    call: str
    method: str
    url: str
    read_timeout: float
    token: str | None = field(default=None, repr=False)
    body: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MipReply:
    """A whole reply that is neither 429 nor a server error."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Tell whether the status is a success."""
        return 200 <= self.status < 300


class MipHttp:
    """Sends requests; its connections are kept for the next one."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._session = requests.Session()
        # No proxy, .netrc or CA bundle from the environment may see or change what is sent.
        self._session.trust_env = False

    def exchange(self, request: MipRequest, deadline: Deadline) -> MipReply:
        """Send one request and read the whole reply.

        Raises OutOfTimeError where too little time is left to begin, and TransientUpstreamError
        for a broken connection, 429 and 5xx.
        """
        remaining = deadline.remaining()
        if remaining < SHORTEST_CALL_SECONDS:
            raise OutOfTimeError(f"no time was left for {request.call}")
        self._telemetry.count("MipCalls", call=request.call)
        try:
            reply = self._send(request, remaining, deadline)
        except (requests.RequestException, HTTPError) as exc:
            raise _connection_error(exc, request.call) from exc
        finally:
            seconds = remaining - deadline.remaining()
            self._telemetry.seconds("MipSeconds", seconds, call=request.call)
        _raise_for_transient_status(reply, request.call, self._clock())
        return reply

    def _send(self, request: MipRequest, remaining: float, deadline: Deadline) -> MipReply:
        with self._session.request(
            request.method,
            request.url,
            json=request.body,
            headers={"Authorization-Token": request.token} if request.token else None,
            timeout=(
                min(CONNECT_TIMEOUT_SECONDS, remaining),
                min(request.read_timeout, remaining),
            ),
            stream=True,
            allow_redirects=False,
        ) as response:
            body = _read(response, request.call, deadline)
        return MipReply(response.status_code, response.headers, body)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110, 10.2.3); None if absent or unreadable."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _read(response: requests.Response, call: str, deadline: Deadline) -> bytes:
    """Read a body within the deadline: the read time-out alone restarts with every byte."""
    chunks = []
    # read1 gives what has arrived; iter_content would wait for a full chunk, byte by byte.
    while chunk := response.raw.read1(65536, decode_content=True):
        chunks.append(chunk)
        if deadline.remaining() <= 0:
            # Not OutOfTimeError: MIP has had the request, which matters for a login.
            raise TimedOutError(f"MIP's reply to {call} took too long to read")
    return b"".join(chunks)


def _connection_error(
    exc: requests.RequestException | HTTPError, call: str
) -> TransientUpstreamError:
    """Name a failure of the connection; its own text may quote the request, and is left out."""
    reason = exc.args[0] if exc.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return RequestNotTakenError(f"no connection to MIP for {call}")
    if isinstance(exc, requests.Timeout | ReadTimeoutError):
        return TimedOutError(f"MIP did not answer {call} in time")
    return TransientUpstreamError(f"the connection to MIP broke during {call}")


def _raise_for_transient_status(reply: MipReply, call: str, now: datetime) -> None:
    problem = f"MIP answered {reply.status} to {call}"
    retry_after = retry_after_seconds(reply.headers.get("Retry-After"), now)
    if reply.status == requests.codes.too_many_requests:
        raise RequestNotTakenError(problem, retry_after)
    if reply.status >= 500:
        raise TransientUpstreamError(problem, retry_after)
