"""The command `waybill`: one sub-command per module; `app` puts them together."""

import sys


def main() -> None:
    """Console script: run the command line, then exit with 0, 1 (failed) or 2 (wrong use or input)."""
    from waybill.cli.app import execute  # noqa: PLC0415 - one sub-command alone must not load them all

    sys.exit(execute(sys.argv[1:]))
