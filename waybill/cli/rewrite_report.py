"""What replay and redrive print: what a run would take, how far it is, and the options they share."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from waybill.cli.errors import InputError
from waybill.cli.order_story import moment
from waybill.cli.output import columns, console
from waybill.contracts.base import from_millis
from waybill.reprocessing.selection import Tally, order_keys

RATE_DEFAULT = 100.0
"""Records per second: a tenth of what a small installation takes in without effort."""

Rate = Annotated[
    float,
    typer.Option("--rate-per-s", min=0.1, max=10_000, help="At most so many records a second."),
]
Run = Annotated[bool, typer.Option("--run", help="Do it; without it nothing is written.")]
Orders = Annotated[
    list[str] | None,
    typer.Option("--order", metavar="KEY", help="Only of this order; may be given several times."),
]


def now() -> datetime:
    """The time of this machine, UTC."""
    return datetime.now(UTC)


def chosen_orders(texts: list[str] | None) -> frozenset[bytes] | None:
    """The record keys of `--order`; raises InputError."""
    try:
        return order_keys(texts) if texts else None
    except ValueError as error:
        raise InputError(f"--order: {error}") from error


def print_tally(tally: Tally) -> None:
    """What would be, or was, written again: per partition, with times; what was left out; some keys."""
    table = columns(["partition", "records", "kB", "first (UTC)", "last (UTC)"])
    for number, extent in sorted(tally.extents.items()):
        first, last = (_short(one) for one in (extent.first_ms, extent.last_ms))
        table.add_row(str(number), str(extent.records), f"{extent.bytes / 1_000:.1f}", first, last)
    out = console()
    out.print(table)
    for why, count in tally.left.most_common():
        out.print(Text(f"left out: {count} {why}"))
    if tally.sample:
        out.print(Text(f"orders such as {', '.join(tally.sample)}"))


def _short(time_ms: int | None) -> str:
    return "-" if time_ms is None else moment(from_millis(max(0, time_ms)))[:19]


class Progress:
    """A line on standard error every few seconds."""

    def __init__(self, total: int, every_s: float = 5.0) -> None:
        self.total = total
        self.done = 0
        self._every_s = every_s
        self._told_at = now()

    def add(self, records: int) -> None:
        """So many more are written."""
        self.done += records
        if (now() - self._told_at).total_seconds() >= self._every_s:
            self._told_at = now()
            typer.echo(f"{self.done} of {self.total} written", err=True)
