"""`waybill proof verify`: whether images are what proofgen published, and whether anything was changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from services.proofgen.signing import PublicKey, SigningKeys
from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError
from waybill.cli.orders_list import Timeout
from waybill.cli.output import columns, console
from waybill.cli.proof_checks import (
    Check,
    PageFile,
    failures,
    form_check,
    offline_checks,
    pages_check,
    record_checks,
    shown,
)
from waybill.cli.proof_files import read_bounded
from waybill.cli.proof_keys import given_key, signing_key
from waybill.cli.proof_records import ProofRecords, read_proof_records
from waybill.contracts.keys import parse_order_key

_FILES_MAX = 1_000

KeysOf = Callable[[str], tuple[PublicKey, ...]]
RecordsOf = Callable[[str], ProofRecords | None]


@dataclass(slots=True)
class Verdict:
    """One file and what was found about it."""

    file: Path
    page: PageFile | None
    checks: list[Check] = field(default_factory=list)


def verify(
    file: Annotated[list[Path], typer.Argument(help="Images; all pages of a proof together.")],
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="PUBLIC_KEY",
            help="Public key of the store: base64, PEM, or a file; may be repeated. Without it those that "
            "follow from WAYBILL_SIGNING_KEY.",
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Only what the files and the keys tell; needs no cluster."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Check images against their signatures and their records; exit code 0 only if all checks pass."""
    if len(file) > _FILES_MAX:
        raise CommandError(f"{len(file):,} files: want at most {_FILES_MAX:,} at a time")
    keys_of = _keys_of([given_key(text) for text in key or []])
    verdicts = [Verdict(one, page, [check]) for one in file for check, page in [_form(one)]]
    cluster = None if offline else Cluster(kafka(bootstrap, topic_prefix))
    _judge(verdicts, keys_of, _records_of(cluster, timeout))
    _tell(verdicts, json=json)
    failed = sum(failures(one.checks) for one in verdicts)
    if failed:
        raise CommandError(f"{failed} of {sum(len(one.checks) for one in verdicts)} checks failed")


def _form(file: Path) -> tuple[Check, PageFile | None]:
    return form_check(read_bounded(file))


def _keys_of(given: list[PublicKey]) -> KeysOf:
    """Those given; else those that the installation's keys make for the store."""
    if given:
        return lambda _store_id: tuple(given)
    secret = signing_key()
    keys = SigningKeys(secret) if secret is not None else None
    return lambda store_id: keys.public_keys(store_id) if keys is not None else ()


def _records_of(cluster: Cluster | None, timeout_s: float) -> RecordsOf:
    @cache
    def records_of(order_key: str) -> ProofRecords | None:
        if cluster is None:
            return None
        try:
            parse_order_key(order_key)
        except ValueError:
            return ProofRecords(order_key)  # no such order can have a record
        return read_proof_records(cluster, order_key, timeout_s)

    return records_of


def _judge(verdicts: list[Verdict], keys_of: KeysOf, records_of: RecordsOf) -> None:
    pages = [one.page for one in verdicts if one.page is not None]
    for verdict in verdicts:
        if verdict.page is not None:
            verdict.checks += _checks(verdict.page, pages, keys_of, records_of)


def _checks(
    page: PageFile, pages: Iterable[PageFile], keys_of: KeysOf, records_of: RecordsOf
) -> list[Check]:
    checks = [*offline_checks(page, keys_of(page.imprint.store_id)), pages_check(page, pages)]
    records = records_of(page.imprint.order_key)
    return checks if records is None else [*checks, *record_checks(page, records)]


def _tell(verdicts: list[Verdict], *, json: bool) -> None:
    if json:
        answer = [_as_json(one) for one in verdicts]
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    table = columns(["file", "check", "result", "what was found"])
    for verdict in verdicts:
        for check in verdict.checks:
            result = Text("passed") if check.passed else Text("FAILED", style="red")
            name = Text(shown(str(verdict.file)))
            table.add_row(name, check.name, result, Text(check.found))
    console().print(table)


def _as_json(verdict: Verdict) -> dict[str, Any]:
    page = verdict.page
    return {
        "file": str(verdict.file),
        "passed": not failures(verdict.checks),
        "says": dict(page.imprint.texts()) if page is not None else None,
        "checks": [
            {"check": one.name, "passed": one.passed, "found": one.found} for one in verdict.checks
        ],
    }
