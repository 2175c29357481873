"""From MIP Cloud to the data of an entry, within one open session, with every check on the way."""

from collections.abc import Sequence
from datetime import date

from core.model.entry import PeriodBalances, ProgramLists
from core.model.periods import Period, recent_periods
from core.ports import Telemetry, Upstream
from core.settings import WorkerSettings
from core.timing import Deadline
from core.transform.balances import check_not_empty, join_balances, unbalanced_accounts
from core.transform.chart import Account, Chart
from core.transform.programs import check_not_shrunk, program_lists

EntryData = ProgramLists | PeriodBalances


class MipSource:
    """MIP's books, seen through one session. One chart serves every dataset of the session."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        token: str,
        deadline: Deadline,
        telemetry: Telemetry,
        settings: WorkerSettings,
    ) -> None:
        self._upstream = upstream
        self._token = token
        self._deadline = deadline
        self._telemetry = telemetry
        self._settings = settings

    def chart(self) -> Chart:
        """Fetch the chart. Raises UpstreamError when MIP does not deliver it."""
        segments = self._upstream.segments(self._token, self._deadline)
        return Chart(segments, self._upstream.accounts(self._token, self._deadline))

    def programs(
        self, chart: Chart, *, stored: EntryData | None, accept_shrink: bool
    ) -> ProgramLists:
        """Return the lists that may replace the stored ones; None stands for no entry.

        `accept_shrink` is an operator's word that a much shorter list is right. Raises
        UpstreamDataError where the lists must not reach the cache.
        """
        lists = program_lists(chart.programs, self._settings.codes_to_omit)
        if isinstance(stored, ProgramLists) and not accept_shrink:
            check_not_shrunk(lists, stored, self._settings.max_shrink_percent)
        return lists

    def balances(
        self,
        chart: Chart,
        period: Period,
        *,
        stored: EntryData | None,
        accept_shrink: bool,
        today: date,
    ) -> PeriodBalances:
        """Return the rows that may replace the stored ones; None stands for no entry.

        `accept_shrink` is an operator's word that an empty report is right. Raises UpstreamError;
        UpstreamDataError where the report must not reach the cache.
        """
        # The chart is judged first: where it is broken, MIP is spared a heavy query.
        balances = self._balanced(period, chart.gl)
        is_plausible = accept_shrink or self._may_be_empty(period, stored, today)
        check_not_empty(balances, is_plausible=is_plausible)
        return balances

    def _may_be_empty(self, period: Period, stored: EntryData | None, today: date) -> bool:
        """Tell whether a report without rows can be right.

        It can where one is stored already, and where nothing is stored of a period before those of
        the schedule: such a period may lie before the books began.
        """
        if isinstance(stored, PeriodBalances):
            return not stored.rows
        oldest_scheduled = recent_periods(today, self._settings.balance_months)[-1]
        return period.start < oldest_scheduled.start

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
