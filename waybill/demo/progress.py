"""What is happening, while it happens: a live table on a terminal, now and then a line elsewhere."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from waybill.contracts.notification import Outcome
from waybill.demo.watch import Observed

_PER_S = 4
_LINE_EVERY_S = 5.0
_RECENT = 6
_BAR = 40
_STYLES = {
    Outcome.CONFIRMED: "green",
    Outcome.WAITING: "yellow",
    Outcome.IN_DOUBT: "magenta",
    Outcome.REFUSED: "red",
    Outcome.REJECTED: "red",
    Outcome.PARKED: "red",
}


Aims = Mapping[str, tuple[int, int]]
"""What is counted, how far it is and where it ends."""


class Progress:
    """One phase after the other, each with what was read so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._started_s = monotonic()
        self._phase_s = self._started_s
        self._phase = ""
        self._line_s = 0.0
        self._spinner = Spinner("dots")
        self._told: dict[tuple[str, str], int] = {}
        self._recent: deque[Text] = deque(maxlen=_RECENT)

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        """Show it until the end of the block."""
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, refresh_per_second=_PER_S, transient=True) as self._live:
            yield self

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return monotonic() - self._started_s

    def phase(self, name: str) -> None:
        """A new phase; the former one is told with its time."""
        self.end_phase()
        self._phase, self._phase_s = name, monotonic()
        if self._live is not None:
            self._live.update(self._head(), refresh=True)

    def end_phase(self) -> None:
        """Tell how long the phase took."""
        if self._phase:
            took_s = monotonic() - self._phase_s
            self._console.print(Text.assemble(f"{took_s:6.1f} s  ", (self._phase, "dim")))
        self._phase = ""

    def update(self, observed: Observed, aims: Aims) -> None:
        """Show what was read and how far the phase is."""
        self._collect(observed)
        if self._live is not None:
            self._live.update(self._table(observed, aims))
        elif monotonic() - self._line_s > _LINE_EVERY_S:
            self._line_s = monotonic()
            took_s = monotonic() - self._phase_s
            told = ", ".join(f"{name} {now}/{end}" for name, (now, end) in aims.items())
            line = Text(f"{took_s:6.1f} s  {self._phase}: {told}")
            self._console.print(line, soft_wrap=True)

    def _collect(self, observed: Observed) -> None:
        """The notifications that are new, as lines."""
        for key, told in observed.told.items():
            for one in told[self._told.get(key, 0) :]:
                style = _STYLES.get(one.outcome, "cyan")
                words = f"{one.outcome} ({one.reason})" if one.reason else str(one.outcome)
                self._recent.append(Text.assemble((f"{words:<42}", style), (key[0], "dim")))
            self._told[key] = len(told)

    def _head(self) -> Table:
        head = Table.grid(padding=(0, 1))
        head.add_row(self._spinner, Text(f"{self._phase}  {self.elapsed_s:.0f} s"))
        return head

    def _table(self, observed: Observed, aims: Aims) -> Group:
        rows = Table.grid(padding=(0, 2))
        for name, (now, end) in aims.items():
            bar = ProgressBar(max(end, 1), min(now, end), width=_BAR)
            rows.add_row(Text(name, style="dim"), bar, f"{now}/{end}")
        counts = Table.grid(padding=(0, 2))
        outcomes: dict[Outcome, int] = {}
        for (outcome, _reason), count in observed.outcomes().items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
        line = Text("  ").join(
            Text(f"{count} {outcome}", style=_STYLES.get(outcome, "cyan"))
            for outcome, count in sorted(outcomes.items())
        )
        counts.add_row(Text("shipments", style="dim"), line)
        dead = f"{observed.dead.total()}, under way {observed.under_way}"
        counts.add_row(Text("dead letters", style="dim"), dead)
        return Group(self._head(), rows, counts, *self._recent)
