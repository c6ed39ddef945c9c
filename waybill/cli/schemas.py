"""`waybill schemas`: for whoever changes a contract, in a source tree."""

from typing import Annotated

import typer

from waybill.contracts.release import PublishError, publish, release_violations

app = typer.Typer(help="Check and publish the contracts.", no_args_is_help=True)


@app.command()
def check() -> None:
    """Tell every broken rule of evolution, and every file that is stale; exit 1 when there is one."""
    found = release_violations()
    for violation in found:
        typer.echo(str(violation), err=True)
    if found:
        raise typer.Exit(1)
    typer.echo("the contracts are whole")


@app.command("publish")
def publish_schemas(
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Rewrite the newest version in place: only while nobody has records of it.",
        ),
    ] = False,
) -> None:
    """Write the next version of every record whose model changed, and all that follows from it.

    That is the hash list, the fingerprints that other libraries get wrong, and the bytes of the examples. A
    change of docs alone makes no new version.
    """
    try:
        written = publish(replace=replace)
    except PublishError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for path in written:
        typer.echo(f"wrote {path}")
    if not written:
        typer.echo("nothing to do")
