"""Command line of the sandbox: ``python -m sandbox --port 0 --data-dir DIR``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.journal import JournalError
from sandbox.server import run
from sandbox.settings import Settings


def serve(settings: Settings) -> None:
    """Run a sandbox in this process until SIGTERM or SIGINT, then return.

    Prints one JSON line when it answers calls:
    ``{"ready": true, "url": "http://127.0.0.1:40213", "admin": "…/admin", "pid": 4711}``.
    Raises JournalError when the data directory is in use or was made with other options.
    """

    def ready(url: str) -> None:
        line = {"ready": True, "url": url, "admin": f"{url}/admin", "pid": os.getpid()}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    # uvicorn stops in good order and then raises the signal again, which is to end nothing more.
    previous = {
        number: signal.signal(number, _nothing) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        run(settings, ready)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _nothing(_number: int, _frame: object) -> None:
    return


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve. Exit status 2: the options cannot be used."""
    parser = _parser()
    try:
        settings = Settings(**_given(parser.parse_args(arguments)))
        serve(settings)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        parser.error("; ".join(f"{_option(problem)}: {problem['msg']}" for problem in problems))
    except (JournalError, OSError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    return 0


def _given(parsed: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(parsed).items() if value is not None}


def _option(problem: Any) -> str:
    return "--" + str(problem["loc"][0]).replace("_", "-") if problem["loc"] else "options"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A stand-in for Alibaba.com."
    )
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="state; made if it is not there"
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="0 takes a free port (0)")
    orders = parser.add_argument_group("orders")
    orders.add_argument("--seed", type=int, help="same seed, same orders (1)")
    orders.add_argument("--stores", type=int, help="number of stores (2)")
    orders.add_argument("--orders-per-store", type=int, help="orders each starts with (100)")
    orders.add_argument(
        "--all-shippable",
        action="store_true",
        default=None,
        help="every order waits for shipment and has an address",
    )
    orders.add_argument("--epoch-ms", type=int, help="orders are made before this moment (now)")
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--lenient",
        action="store_true",
        default=None,
        help="accept shipments whatever the order's status, second ones too",
    )
    rules.add_argument(
        "--attachments-optional",
        dest="attachments_required",
        action="store_false",
        default=None,
        help="accept shipments without an uploaded proof",
    )
    rules.add_argument("--upload-bytes-max", type=int, help="(5000000)")
    rules.add_argument("--code-s", type=int, help="life of an authorisation code (1800)")
    rules.add_argument("--access-token-s", type=int, help="life of an access token (864000)")
    rules.add_argument("--refresh-token-s", type=int, help="life of a refresh token (5184000)")
    rules.add_argument(
        "--callback",
        dest="callbacks",
        action="append",
        help="registered callback address; may be repeated (any)",
    )
    rules.add_argument("--refresh-grace-s", type=int, help="a used refresh token repeats (0)")
    rules.add_argument("--old-access-token-s", type=int, help="a replaced token still works (0)")
    shapes = parser.add_argument_group("what Alibaba's documents leave open")
    shapes.add_argument("--list-order", choices=("newest", "oldest"), help="(newest)")
    shapes.add_argument("--list-by", choices=("window", "created"), help="(window)")
    shapes.add_argument("--page-size-max", type=int, help="(100)")
    shapes.add_argument("--error-http-status", choices=("200", "4xx"), help="(200)")
    shapes.add_argument("--channels-path", help="(/alibaba/order/shipping/channels)")
    shapes.add_argument("--business-errors", choices=("top", "result"), help="(top)")
    shapes.add_argument("--voucher-in", choices=("top", "result", "value"), help="(top)")
    behaviour = parser.add_argument_group("behaviour")
    behaviour.add_argument("--latency-ms", type=float, help="every API call takes this long (0)")
    behaviour.add_argument("--jitter-ms", type=float, help="and up to this much longer (0)")
    behaviour.add_argument(
        "--keep-files", action="store_true", default=None, help="write uploaded files to DIR/files"
    )
    behaviour.add_argument("--push-url", help="send push messages there (nowhere)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
