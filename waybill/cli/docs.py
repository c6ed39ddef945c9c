"""`waybill docs`: the generated pages of the documentation."""

from pathlib import Path
from typing import Annotated

import typer

from waybill.docs.pages import stale_pages, write_pages

app = typer.Typer(help="Write and check the generated pages.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--folder", help="The folder docs/ of a source tree.")]
_DOCS = Path("docs")


@app.command()
def write(folder: Folder = _DOCS) -> None:
    """Write every page that differs from what the code says."""
    for name in write_pages(folder):
        typer.echo(f"wrote {folder / name}")


@app.command()
def check(folder: Folder = _DOCS) -> None:
    """Tell the pages that are stale; exit 1 when there is one."""
    stale = stale_pages(folder)
    for name in stale:
        typer.echo(f"{folder / name} is stale: run `waybill docs write`", err=True)
    if stale:
        raise typer.Exit(1)
