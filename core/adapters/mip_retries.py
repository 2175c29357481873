"""When a call to MIP is repeated: which failures, how often, and after what backoff."""

from collections.abc import Callable

import tenacity

from core.errors import OutOfTimeError, TimedOutError, TransientUpstreamError
from core.ports import Telemetry
from core.timing import Deadline

SHORTEST_CALL_SECONDS = 1.0
"""With less time than this left, a call is not started."""
MAX_ATTEMPTS = 4
FIRST_BACKOFF_SECONDS = 0.5
"""Before the second try of a call; doubled for each further one, and up to half a second more."""
LONGEST_BACKOFF_SECONDS = 8.0

_backoff = tenacity.wait_exponential_jitter(
    multiplier=FIRST_BACKOFF_SECONDS, max=LONGEST_BACKOFF_SECONDS, jitter=FIRST_BACKOFF_SECONDS
)


def retrying(
    call: str, deadline: Deadline, *, telemetry: Telemetry, sleep: Callable[[float], None]
) -> tenacity.Retrying:
    """Return what repeats a call after a transient failure, and raises the last error in the end.

    A Retry-After of MIP's lengthens the backoff. No backoff is begun that would leave no time for
    another try.
    """

    def log_retry(state: tenacity.RetryCallState) -> None:
        telemetry.info(
            "call retried",
            call=call,
            attempt=state.attempt_number,
            problem=str(_error_of(state)),
            backoff_seconds=round(state.upcoming_sleep, 2),
        )

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_retrying),
        wait=lambda state: max(_backoff(state), _retry_after(state)),
        stop=_Stop(call, deadline),
        sleep=sleep,
        before_sleep=log_retry,
        reraise=True,
    )


class _Stop:
    """Ends the repetitions of one call: after so many attempts, or before its deadline.

    A balances call that timed out is repeated once at most: MIP goes on computing what nobody
    waits for any more.
    """

    def __init__(self, call: str, deadline: Deadline) -> None:
        self._is_heavy = call == "balances"
        self._deadline = deadline
        self._max_attempts = MAX_ATTEMPTS

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        if self._is_heavy and isinstance(_error_of(state), TimedOutError):
            self._max_attempts = min(self._max_attempts, state.attempt_number + 1)
        time_left = self._deadline.remaining() - state.upcoming_sleep
        return state.attempt_number >= self._max_attempts or time_left < SHORTEST_CALL_SECONDS


def _error_of(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _retry_after(state: tenacity.RetryCallState) -> float:
    return getattr(_error_of(state), "retry_after_seconds", None) or 0.0


def _is_worth_retrying(exc: BaseException) -> bool:
    return isinstance(exc, TransientUpstreamError) and not isinstance(exc, OutOfTimeError)
