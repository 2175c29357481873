"""From MIP Cloud to the data of an entry, within one open session, with every check on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core.model.datasets import BALANCES, PROGRAMS, Dataset
from core.model.entry import EntryData, PeriodBalances, ProgramLists
from core.model.periods import Period, recent_periods
from core.ports import Telemetry, Upstream
from core.settings import WorkerSettings
from core.timing import Deadline
from core.transform.balances import check_not_empty, join_balances, unbalanced_accounts
from core.transform.chart import Account, Chart
from core.transform.programs import check_not_shrunk, program_lists


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A dataset to fetch, and what its new data has to be compared with.

    `stored` is the data that would be replaced; None stands for no entry. `accept_shrink` is an
    operator's word that a much shorter list, or an empty report, is right.
    """

    dataset: Dataset
    stored: EntryData | None
    accept_shrink: bool
    today: date

    @property
    def period(self) -> Period:
        """The period of the dataset. Raises ValueError where its kind has no periods."""
        if self.dataset.period is None:
            raise ValueError(f"the dataset {self.dataset} has no period")
        return self.dataset.period


class MipSource:
    """Fetches datasets in one session, with one chart for all of them."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        token: str,
        deadline: Deadline,
        telemetry: Telemetry,
        settings: WorkerSettings,
    ) -> None:
        """Fetch the chart. Raises UpstreamError when MIP does not deliver it."""
        self._upstream = upstream
        self._token = token
        self._deadline = deadline
        self._telemetry = telemetry
        self._settings = settings
        segments = upstream.segments(token, deadline)
        self._chart = Chart(segments, upstream.accounts(token, deadline))

    def fetch(self, request: FetchRequest) -> EntryData:
        """Return the data that may replace what is stored.

        Raises UpstreamError; UpstreamDataError where MIP's reply must not reach the cache.
        """
        return RECIPES[request.dataset.name].fetch(self, request)

    def programs(self, request: FetchRequest) -> ProgramLists:
        """Return the program lists; `fetch` says what may fail."""
        lists = program_lists(self._chart.programs, self._settings.codes_to_omit)
        if isinstance(request.stored, ProgramLists) and not request.accept_shrink:
            check_not_shrunk(lists, request.stored, self._settings.max_shrink_percent)
        return lists

    def balances(self, request: FetchRequest) -> PeriodBalances:
        """Return the balances of one period; `fetch` says what may fail."""
        # The chart is checked first: if it is broken, MIP need not run a heavy query.
        balances = self._balanced(request.period, self._chart.gl)
        is_plausible = request.accept_shrink or self._may_be_empty(request)
        check_not_empty(balances, is_plausible=is_plausible)
        return balances

    def _may_be_empty(self, request: FetchRequest) -> bool:
        """Tell whether a report without rows can be right.

        It can if the stored report has none either. If no report is stored, it can if the period is
        older than those of the schedule, because it may lie before the books began.
        """
        if isinstance(request.stored, PeriodBalances):
            return not request.stored.rows
        oldest_scheduled = recent_periods(request.today, self._settings.balance_months)[-1]
        return request.period.start < oldest_scheduled.start

    def _balanced(self, period: Period, gl: Sequence[Account]) -> PeriodBalances:
        balances = self._balances(period, gl)
        if not unbalanced_accounts(balances):
            return balances
        # A posting may have fallen between MIP's own sums; it will not do so twice.
        balances = self._balances(period, gl)
        unbalanced = unbalanced_accounts(balances)
        if unbalanced:
            self._telemetry.warning(
                "balances do not add up", period=str(period), accounts=len(unbalanced)
            )
            self._telemetry.count("BalanceMismatches", len(unbalanced))
        return balances

    def _balances(self, period: Period, gl: Sequence[Account]) -> PeriodBalances:
        reply = self._upstream.balances(self._token, period, self._deadline)
        return join_balances(reply, gl, period)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a kind of dataset is fetched, and for how many seconds its entries are fresh."""

    fetch: Callable[[MipSource, FetchRequest], EntryData]
    ttl_seconds: Callable[[WorkerSettings], int]


RECIPES: Mapping[str, Recipe] = {
    PROGRAMS: Recipe(MipSource.programs, lambda settings: settings.programs_ttl_seconds),
    BALANCES: Recipe(MipSource.balances, lambda settings: settings.balances_ttl_seconds),
}
"""One row for each kind of dataset (`core.model.datasets: KINDS`)."""
