"""`waybill ledger`: whether the ledger holds everything it ever knew, and going on when it does not."""

import getpass
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer
from confluent_kafka import KafkaException
from rich.text import Text

from services.notifier.app import SOURCES
from services.notifier.settings import NotifierSettings
from waybill.cli.cluster import Cluster, told
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.output import columns, console
from waybill.contracts import Command
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.command import CommandKind, loss_key
from waybill.contracts.headers import event_headers
from waybill.settings import KafkaSettings
from waybill.streaming.errors import FatalError
from waybill.streaming.records import Outbound
from waybill.streaming.survey import Standing, Survey
from waybill.streaming.witness import Judgement, Verdict, judge

app = typer.Typer(
    help="See whether the ledger lost records, and go on when it did.", no_args_is_help=True
)

_STATE = SOURCES.state[0]
_TODO = {
    Verdict.OK: "nothing",
    Verdict.NEW: "nothing: no shipment was ever decided here",
    Verdict.UNKNOWN: "nothing: no commit of the group is known, so orders placed until the takeover are "
    "looked up at Alibaba before their first call",
}

Group = Annotated[
    str,
    typer.Option(
        "--group", envvar="WAYBILL_GROUP", metavar="NAME", help="The notifier's consumer group."
    ),
]
GROUP_DEFAULT: str = NotifierSettings.model_fields["group"].default


@app.command()
def status(
    group: Group = GROUP_DEFAULT, bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None
) -> None:
    """Compare each partition with what the notifier noted at its last commit; exit 1 if one lost records."""
    settings = kafka(bootstrap, topic_prefix)
    standings = _standings(settings, group)
    verdicts = _judged(standings)
    table = columns(("partition", "ledger end", "noted end", "accepted", "verdict", "what to do"))
    for number, found in verdicts.items():
        table.add_row(*(Text(cell) for cell in _row(number, standings[number].ends[_STATE], found)))
    console().print(table)
    if any(found.loss for found in verdicts.values()):
        raise typer.Exit(1)


def _row(number: int, end: int, found: Judgement) -> Sequence[str]:
    note = found.note
    accepted = note.accepted.at.isoformat(timespec="seconds") if note and note.accepted else "-"
    noted = str(note.end) if note else "-"
    return str(number), str(end), noted, accepted, found.verdict.value, _todo(number, found)


def _todo(number: int, found: Judgement) -> str:
    if found.loss is None:
        return _TODO[found.verdict]
    return (
        f"{found.loss.reason}. Not served. Stop the notifier and bring back what is gone, or go on "
        f"without it: waybill ledger accept-loss --partition {number} --reason TEXT"
    )


@app.command("accept-loss")
def accept_loss(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in words.")],
    partition: Annotated[
        int | None, typer.Option("--partition", min=0, metavar="N", help="One partition.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every partition that lost records now.")
    ] = False,
    who: Annotated[
        str | None, typer.Option("--who", metavar="NAME", help="Who decided; default the login.")
    ] = None,
    group: Group = GROUP_DEFAULT,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Serve partitions again although their ledger lost records.

    From then on every order placed before, or up to a day after, is looked up at Alibaba before its first
    call. Accepts exactly the losses seen now: a later one stops the partition again.
    """
    if (partition is None) is not every:
        raise InputError("name one partition with --partition, or take --all")
    settings = kafka(bootstrap, topic_prefix)
    losses = _losses(_judged(_standings(settings, group)), partition)
    decided_by = who or getpass.getuser()
    records = [
        _record(number, loss_id, decided_by, reason) for number, (loss_id, _) in losses.items()
    ]
    Cluster(settings).publish(records)
    for number, (_, words) in losses.items():
        typer.echo(f"partition {number}: accepted that {words}")
    typer.echo(
        "A running notifier goes on within seconds; see /readyz and `waybill ledger status`."
    )


def _losses(found: Mapping[int, Judgement], partition: int | None) -> dict[int, tuple[str, str]]:
    if partition is not None and partition not in found:
        raise InputError(f"there is no partition {partition}: the ledger has 0 to {len(found) - 1}")
    wanted = found if partition is None else {partition: found[partition]}
    losses = {
        number: (judgement.loss.loss_id, judgement.loss.reason)
        for number, judgement in wanted.items()
        if judgement.loss is not None
    }
    if not losses:
        where = "the ledger" if partition is None else f"partition {partition}"
        raise CommandError(f"{where} lost nothing: there is nothing to accept")
    return losses


def _record(number: int, loss_id: str, who: str, why: str) -> Outbound:
    now = datetime.now(UTC)
    command = Command(
        command_id=str(uuid4()),
        order_key=loss_key(number),
        kind=CommandKind.ACCEPT_LOSS,
        entry_revision=0,
        loss_id=loss_id,
        who=who,
        why=why,
        issued_at=now,
    )
    codec = Codec(Command, "command", SchemaBook())
    headers = event_headers(codec.name, command.command_id, "waybill/cli", millis(now), None)
    key = command.order_key.encode()
    return Outbound("commands", number, key, codec.encode(command), list(headers))


def _standings(settings: KafkaSettings, group: str) -> dict[int, Standing]:
    Cluster(settings).partitions(_STATE)  # one clear line where the cluster or the topic is away
    try:
        return Survey(settings, group, SOURCES).look(range(settings.partitions))
    except FatalError as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(told(error)) from error
    except TimeoutError as error:
        raise CommandError(f"no answer from {settings.bootstrap_servers} in time") from error


def _judged(standings: Mapping[int, Standing]) -> dict[int, Judgement]:
    return {number: judge(number, _STATE, standing) for number, standing in standings.items()}
