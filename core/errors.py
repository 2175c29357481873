"""Every kind of error that the service raises.

    MipsCacheError
    ├── ConfigurationError            an environment variable is missing or malformed
    ├── InvalidParameterError         a query parameter (the caller's fault: 400)
    ├── InvalidMessageError           a rebuild message that can never work
    ├── InvalidCommandError           an admin payload that is wrong
    ├── UnreadableEntryError          a stored object that is not an entry of this schema
    ├── StoreUnavailableError         S3 did not answer, or refused
    ├── ConflictError                 another write, or a purge, came first
    ├── QueueUnavailableError         SQS did not answer, or refused
    ├── SecretsUnavailableError       SSM did not answer, refused, or lacks a parameter
    ├── EdgeUnavailableError          CloudFront did not take the invalidation
    ├── UnexpectedError               a defect of this service, met during a rebuild
    └── UpstreamError                 MIP Cloud
        ├── TransientUpstreamError    worth another try: refused, reset, timed out, 429, 5xx
        │   ├── TimedOutError         MIP took the request and did not answer in time
        │   ├── OutOfTimeError        too little of the invocation's time was left
        │   └── RequestNotTakenError  MIP did not take the request: no connection, or 429
        ├── AmbiguousLoginError       a login without an answer: a session may be open
        ├── LockedOutError            login refused although the credentials may be right, or
        │                             an earlier session cannot be logged out
        ├── CredentialsRefusedError   login refused: user or password are wrong
        ├── SessionLostError          MIP ended the session during the work
        └── UpstreamDataError         a reply that must not reach the cache

Adapters raise these, each `from` the foreign exception, so that nothing above an adapter needs to
know the SDK or requests. Messages are written by us: they carry status codes and names, never a
secret, a token or the body of a reply (the one exception, a login's refusal, is redacted and cut).
"""


class MipsCacheError(Exception):
    """Base of every error that the service raises on purpose."""


class ConfigurationError(MipsCacheError):
    """One or more environment variables are missing or malformed; the message names each."""


class InvalidParameterError(MipsCacheError):
    """A query parameter has a value that is not allowed.

    The message goes to the caller as it stands, so it is built from our own words and the
    parameter's name, never from the value.
    """

    def __init__(self, parameter: str, allowed: str) -> None:
        super().__init__(f"The parameter {parameter} must be {allowed}.")
        self.parameter = parameter
        self.allowed = allowed


class InvalidMessageError(MipsCacheError):
    """The body of a rebuild message is wrong, and no retry can change that."""


class InvalidCommandError(MipsCacheError):
    """An admin payload is wrong; the message names what is allowed. Nothing was changed."""


class UnreadableEntryError(MipsCacheError):
    """A stored object is truncated, not JSON, or of another schema. It counts as a miss."""


class StoreUnavailableError(MipsCacheError):
    """The cache bucket did not answer in time, or refused the request."""


class ConflictError(MipsCacheError):
    """The entry changed between being read and being written; the write was refused."""


class QueueUnavailableError(MipsCacheError):
    """A queue did not answer in time, or refused the request."""


class SecretsUnavailableError(MipsCacheError):
    """The parameter store did not answer, refused, or lacks a required parameter."""


class EdgeUnavailableError(MipsCacheError):
    """The edge cache did not accept an invalidation."""


class UnexpectedError(MipsCacheError):
    """A defect of this service. The original error's text is left out: it may hold MIP's data."""


class UpstreamError(MipsCacheError):
    """MIP Cloud, or the way to it, failed.

    `retry_after_seconds` is what MIP asked for in `Retry-After`, or None.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TransientUpstreamError(UpstreamError):
    """A failure that another try may not meet."""


class TimedOutError(TransientUpstreamError):
    """MIP was sent the request and did not answer in time; it may still be at work on it."""


class OutOfTimeError(TransientUpstreamError):
    """The call was not started: it could have used up the time that is reserved for logging out."""


class RequestNotTakenError(TransientUpstreamError):
    """No connection was made, or MIP answered 429. Either way MIP has done nothing."""


class AmbiguousLoginError(UpstreamError):
    """A login was sent and no usable answer came, so a session may be open at MIP.

    Trying again at once could be the second session that locks everybody out.
    """


class LockedOutError(UpstreamError):
    """No session can be opened for now.

    MIP refuses the login, as it does while another session of the user is open; or such a session
    is noted and could not be logged out.
    """


class CredentialsRefusedError(UpstreamError):
    """MIP does not accept the user name or password. Only an operator can change that."""


class SessionLostError(UpstreamError):
    """MIP answered 401 to a fetch: the session expired, or somebody else closed it."""


class UpstreamDataError(UpstreamError):
    """A reply arrived but is not what MIP documents, or is implausible; nothing is stored."""
