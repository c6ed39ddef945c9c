"""Tables for people; wide enough not to cut anything where no terminal sets the width."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_PIPED = 200


def console() -> Console:
    """Standard output, without guessing at colours in texts."""
    found = Console(highlight=False, markup=False)
    if found.is_terminal:
        return found
    return Console(highlight=False, markup=False, width=_WIDTH_PIPED)


def columns(headings: Sequence[str], title: str | None = None) -> Table:
    """A table without lines; the last column may wrap."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in headings[:-1]:
        table.add_column(heading, header_style="dim", no_wrap=True)
    table.add_column(headings[-1], header_style="dim", overflow="fold")
    return table


def facts(title: str, found: Mapping[str, str]) -> Table:
    """Names and values, one a line."""
    table = Table(
        title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    for name, value in found.items():
        table.add_row(Text(name, style="dim"), Text(value))
    if not found:
        table.add_row(Text("nothing is known", style="dim"))
    return table
