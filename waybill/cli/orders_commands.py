"""`waybill orders release|resend|cancel|acknowledge`: what an operator decides about one order.

The command names the revision of the ledger entry that was read, so it applies to exactly what was shown
or not at all, however often it is read. It is judged by the notifier's own rule before it is written, and
written only if it would apply.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from getpass import getuser
from time import monotonic
from typing import Annotated
from uuid import uuid4

import orjson
import typer
from confluent_kafka import KafkaException, TopicPartition
from pydantic import ValidationError

from services.notifier.rule import Objection, plan_of
from waybill.cli.cluster import READ_S, Cluster, told
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.orders_list import Timeout
from waybill.cli.orders_read import Place, learnt, newest_entry
from waybill.cli.store_book import SOURCE
from waybill.contracts import Command, LedgerEntry
from waybill.contracts.base import millis
from waybill.contracts.codec import Codec
from waybill.contracts.command import CommandKind
from waybill.contracts.headers import event_headers, new_traceparent
from waybill.contracts.keys import parse_order_key, partition_of
from waybill.streaming.records import Outbound

WAIT_S = 10.0
"""A notifier that runs answers in milliseconds; one that takes a partition over needs some seconds."""
_POLL_S = 0.2
_BATCH = 500

Key = Annotated[str, typer.Argument(help="Order key <site>:<trade_id>.")]
Why = Annotated[str, typer.Option("--reason", help="Why you decide so; kept for a year.")]
Who = Annotated[
    str | None, typer.Option("--who", help="Who decides; default: the user of this machine.")
]
WaitS = Annotated[
    float,
    typer.Option("--wait-s", min=0, help="Longest wait for the notifier's answer, in seconds."),
]
Check = Annotated[bool, typer.Option("--check", help="Only say what would happen; write nothing.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


ABOUT: Mapping[CommandKind, str] = {
    CommandKind.RELEASE: (
        "Let a parked or rejected shipment go on.\n\nOne that was surely never sent goes on as order and "
        "store allow it. Any other is looked up at Alibaba first, and goes out only if Alibaba holds no "
        "shipment of the order."
    ),
    CommandKind.RESEND: (
        "Look again for a shipment that a person found missing at Alibaba.\n\nWhatever Alibaba holds "
        "stays. If it holds none, the shipment goes out again; one that was finished before is no longer "
        "kept, and the order is then free for a newly published one."
    ),
    CommandKind.CANCEL: (
        "Take back a shipment that was surely not sent, as a void would.\n\nThe order is then free for "
        "another one, or for the same one with a higher revision."
    ),
    CommandKind.ACKNOWLEDGE: (
        "Close a correction or void that came too late, once it is settled.\n\nNothing is sent, and "
        "nothing else changes."
    ),
}
"""What each command is for: the help of the command line."""


def command_of(kind: CommandKind) -> Callable[..., None]:
    """The function behind `waybill orders <kind>`."""

    def run(  # noqa: PLR0913, PLR0917 - the options of a command line
        key: Key,
        reason: Why,
        who: Who = None,
        wait_s: WaitS = WAIT_S,
        check: Check = False,
        json: Json = False,
        timeout: Timeout = READ_S,
        bootstrap: Bootstrap = None,
        topic_prefix: TopicPrefix = None,
    ) -> None:
        wish = Wish(kind, key, reason, who, wait_s, check, json, timeout)
        carry(Cluster(kafka(bootstrap, topic_prefix)), wish)

    return run


@dataclass(frozen=True, slots=True)
class Wish:
    """One command line."""

    kind: CommandKind
    key: str
    why: str
    who: str | None
    wait_s: float
    check: bool
    json: bool
    timeout_s: float


def carry(cluster: Cluster, wish: Wish) -> None:
    """Read, judge, show, write, wait, and say what came of it; raises CommandError when it does not apply."""
    try:
        parse_order_key(wish.key)
    except ValueError as error:
        raise InputError(str(error)) from error
    codec = Codec(LedgerEntry, "ledger_entry", learnt(cluster, wish.timeout_s))
    place = newest_entry(cluster, wish.key, codec, wish.timeout_s)
    plan = plan_of(place.entry, wish.kind)
    if isinstance(plan, Objection):
        raise CommandError(f"{wish.key} is {stands(place.entry)}: {plan.words}")
    answer = _Answer(wish, place.entry)
    answer.say(f"{wish.key} is {stands(place.entry)}, ledger revision {place.entry.revision}")
    answer.say(plan.words)
    if wish.check:
        answer.end("checked", place.entry)
        return
    command = _command(wish, place.entry)
    cluster.publish([_record(cluster, command)])
    answer.command_id = command.command_id
    if not wish.wait_s:
        answer.end("written", place.entry)
        return
    _conclude(answer, command, _answered(cluster, place, codec, wish))


def stands(entry: LedgerEntry) -> str:
    """State, reason, and what came too late."""
    words = ", ".join(str(word) for word in (entry.reason, entry.attention) if word)
    return f"{entry.state} ({words})" if words else str(entry.state)


# ------------------------------------------------------------------------------------------- writing


def _command(wish: Wish, entry: LedgerEntry) -> Command:
    try:
        return Command(
            command_id=uuid4().hex,
            order_key=wish.key,
            kind=wish.kind,
            entry_revision=entry.revision,
            who=_who(wish.who),
            why=_given("--reason", wish.why),
            issued_at=datetime.now(UTC),
        )
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise InputError(f"{found['loc'][0]}: {found['msg']}") from error


def _who(given: str | None) -> str:
    if given is not None:
        return _given("--who", given)
    try:
        return getuser()
    except (OSError, KeyError) as error:  # a container may run as a user without a name
        raise InputError("say who decides with --who: this machine's user has no name") from error


def _given(option: str, text: str) -> str:
    if not text.strip():
        raise InputError(f"{option} is empty: those who look at the order later want to know")
    return text.strip()


def _record(cluster: Cluster, command: Command) -> Outbound:
    codec = Codec(Command, "command", learnt(cluster))
    key, event_id = command.order_key, command.command_id
    trace, at_ms = new_traceparent(event_id), millis(command.issued_at)
    return Outbound(
        "commands",
        partition_of(key, cluster.partitions("commands")),
        key.encode(),
        codec.encode(command),
        tuple(event_headers("command", event_id, SOURCE, at_ms, trace)),
    )


# ------------------------------------------------------------------------------------------- waiting


def _answered(
    cluster: Cluster, place: Place, codec: Codec[LedgerEntry], wish: Wish
) -> LedgerEntry | None:
    """The first entry after the one that was judged; None when there is none within the wait."""
    for value in _later(cluster, place, wish):
        entry = codec.decode(value)
        if entry.revision > place.entry.revision:
            return entry
    return None


def _later(cluster: Cluster, place: Place, wish: Wish) -> Iterator[bytes]:
    """What is written about the order from there on, until the wait is over."""
    deadline_s = monotonic() + wish.wait_s
    consumer = cluster.consumer()
    try:
        consumer.assign(
            [TopicPartition(cluster.name("ledger"), place.partition, place.next_offset)]
        )
        while monotonic() < deadline_s:
            for message in consumer.consume(_BATCH, _POLL_S):
                value = message.value()
                if message.error() is None and message.key() == wish.key.encode() and value:
                    yield value
    except KafkaException as error:
        raise CommandError(told(error)) from error
    finally:
        consumer.close()


def _conclude(answer: "_Answer", command: Command, after: LedgerEntry | None) -> None:
    if after is None:
        answer.fail(
            "no_answer",
            f"the notifier did not answer within {answer.wish.wait_s:g} s: see that it runs. The command "
            "is written and applies when it is read, as long as the entry stays at revision "
            f"{command.entry_revision}",
        )
    elif after.last_command_id == command.command_id:
        answer.say(f"done: {command.order_key} is {stands(after)} now")
        answer.say(f"follow it: waybill orders show {command.order_key}")
        answer.end("applied", after)
    else:
        answer.fail(
            "not_applied",
            f"nothing was done: {command.order_key} moved on to {stands(after)} before the command was "
            "read: look again, then decide",
            after,
        )


@dataclass(slots=True)
class _Answer:
    """What is said on the way, to people line by line, to machines as one object at the end."""

    wish: Wish
    before: LedgerEntry
    command_id: str | None = None
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)
        if not self.wish.json:
            typer.echo(line)

    def end(self, outcome: str, entry: LedgerEntry) -> None:
        if not self.wish.json:
            return
        told = {
            "order_key": self.wish.key,
            "kind": self.wish.kind.value,
            "outcome": outcome,
            "command_id": self.command_id,
            "entry_revision": self.before.revision,
            "plan": self.lines[1],
            "state": entry.state.value,
            "reason": entry.reason.value if entry.reason else None,
            "attention": entry.attention.value if entry.attention else None,
            "revision": entry.revision,
        }
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())

    def fail(self, outcome: str, why: str, entry: LedgerEntry | None = None) -> None:
        self.end(outcome, entry or self.before)
        raise CommandError(why)
