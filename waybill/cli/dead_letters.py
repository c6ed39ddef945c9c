"""`waybill dead-letters`: what nobody could read, why, and where it came from."""

import re
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.text import Text

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import InputError
from waybill.cli.letter_box import LetterBox, reading_check
from waybill.cli.order_story import moment
from waybill.cli.output import columns, console, facts
from waybill.cli.redrive import wanted_letters
from waybill.cli.rewrite_report import Orders
from waybill.contracts.base import from_millis
from waybill.reprocessing.letters import Letter, judge, letter_of
from waybill.streaming.records import Inbound

app = typer.Typer(help="See records that nobody could read.", no_args_is_help=True)

_PAYLOAD_MAX = 64 * 1024
_PLACE = re.compile(r"(?:dead-letters/)?(\d{1,6})[:/](\d{1,18})")


@app.command("list")
def list_letters(
    reason: Annotated[str | None, typer.Option("--reason", help="Only of this reason.")] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Only from this topic, by its short name.")
    ] = None,
    order: Orders = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, max=10_000, help="Show so many, the latest.")
    ] = 20,
    json: Annotated[bool, typer.Option("--json", help="For machines: one object a line.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """How many there are by topic and reason, and the latest of them; no payload."""
    box = LetterBox(Cluster(kafka(bootstrap, topic_prefix)))
    counts: Counter[tuple[str, str]] = Counter()
    latest: list[Letter] = []
    for _, letter in box.letters(wanted_letters(reason, topic, order)):
        counts[letter.topic, letter.reason] += 1
        latest.append(letter)
        if len(latest) > 2 * limit + 1_000:
            latest = _latest(latest, limit)
    shown = _latest(latest, limit)
    if json:
        for letter in shown:
            typer.echo(orjson.dumps(asdict(letter)).decode())
        return
    _print(counts, shown)


def _latest(letters: list[Letter], limit: int) -> list[Letter]:
    letters.sort(key=lambda letter: letter.written_ms)
    return letters[-limit:] if limit else []


def _print(counts: Counter[tuple[str, str]], shown: list[Letter]) -> None:
    out = console()
    sums = columns(["letters", "from", "reason"])
    for (topic, reason), count in counts.most_common():
        sums.add_row(str(count), topic or "?", reason)
    out.print(sums)
    table = columns(["letter", "given up (UTC)", "from", "reason", "key", "error"])
    for letter in shown:
        given_up = letter.given_up_at[:19].replace("T", " ")
        place = letter.position.removeprefix("dead-letters/").replace("/", ":")
        came = f"{letter.topic}/{letter.partition}/{letter.offset}"
        key = letter.key or "-"
        table.add_row(place, given_up, came, letter.reason, key, Text(letter.error))
    if shown:
        out.print(table)
    typer.echo(f"{len(shown)} of {counts.total()} dead letters", err=True)


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `list` prints it.")],
    show_payload: Annotated[
        bool, typer.Option("--show-payload", help="Also the record, with the buyer's data.")
    ] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """One dead letter: where it came from, why it was given up, and whether it could go back now."""
    place = _PLACE.fullmatch(letter)
    if place is None:
        raise InputError(
            f"LETTER {letter!r}: want PARTITION:OFFSET, as `waybill dead-letters list` prints it"
        )
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    record = LetterBox(cluster).at(int(place[1]), int(place[2]))
    unreadable = reading_check(cluster, bootstrap, topic_prefix)
    sent = LetterBox(cluster).sent_before(record.timestamp_ms)
    judgement = judge(record, unreadable, sent)
    told = _facts(letter_of(record))
    told["redrive"] = f"{judgement.fate}{': ' + judgement.why if judgement.why else ''}"
    console().print(facts("Dead letter", told))
    if show_payload:
        _print_payload(record)


def _facts(letter: Letter) -> dict[str, str]:
    found = {
        "letter": letter.position,
        "from": f"{letter.topic or '?'}/{letter.partition}/{letter.offset}",
        "reason": letter.reason,
        "error": letter.error or "-",
        "key": letter.key or "-",
        "bytes": str(letter.value_bytes),
        "truncated from": str(letter.truncated_from or "-"),
        "given up": letter.given_up_at or "-",
        "by": f"{letter.group or '?'} {letter.version}",
        "written": moment(from_millis(max(0, letter.written_ms))),
        "redriven before from": letter.redriven_from or "-",
    }
    return {name: value for name, value in found.items() if value != "-"}


def _print_payload(record: Inbound) -> None:
    """Key and text as they are, anything else in hex; cut at 64 KiB."""
    typer.echo(f"key: {(record.key or b'').decode(errors='replace')}")
    value = (record.value or b"")[:_PAYLOAD_MAX]
    for name, header in record.headers:
        typer.echo(f"{name}: {(header or b'').decode(errors='replace')}")
    text = value.decode("utf-8", "replace") if value[:1] == b"{" else value.hex()
    typer.echo(text)
    left = len(record.value or b"") - len(value)
    if left:
        typer.echo(f"{left} more bytes are not shown", err=True)
