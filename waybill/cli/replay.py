"""`waybill replay`: records of a public topic once more, at the end of the same topic.

Positions of a running service are never touched: they travel in its own transactions, and moving them would
fight it. The records come to it as new ones, and its ledger has seen them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Annotated

import typer

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_filters import keys_of_reason, keys_of_store
from waybill.cli.rewrite_report import (
    RATE_DEFAULT,
    Orders,
    Progress,
    Rate,
    Run,
    chosen_orders,
    now,
    print_tally,
)
from waybill.cli.rewriting import Rewriter
from waybill.cli.segments import Segment, TopicReader
from waybill.contracts.base import millis
from waybill.contracts.notification import Reason
from waybill.contracts.topics import topics
from waybill.reprocessing.selection import (
    Choice,
    Selection,
    Tally,
    as_offsets,
    parse_offsets,
    parse_time,
)
from waybill.reprocessing.stamps import REPLAY, replayed, run_id
from waybill.reprocessing.topics import why_not
from waybill.streaming.dead_letters import fits
from waybill.streaming.records import Inbound, Outbound

app = typer.Typer()

_PROBE = run_id(REPLAY, now(), "0000")
"""As long as any run's id, to see whether a record still fits with it."""


@app.command()
def replay(  # noqa: PLR0913, PLR0917 - the options of a command are its arguments
    topic: Annotated[str, typer.Argument(help="Topic by its short name: shipments.")],
    since: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="2026-11-23T15:50Z, a day, or ago: 90m, 2h, 7d."
        ),
    ] = None,
    offsets: Annotated[
        str | None,
        typer.Option(
            "--offsets", metavar="P:O,…", help="Or from these offsets, of these partitions."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Not what was written later; default: all."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", help="Only orders imported for this store.")
    ] = None,
    order: Orders = None,
    reason: Annotated[
        Reason | None,
        typer.Option("--reason", help="Only orders whose last decision had this reason."),
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Also what an earlier replay wrote.")
    ] = False,
    rate_per_s: Rate = RATE_DEFAULT,
    run: Run = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Write records again; without --run only say which. Harmless twice: the ledger has seen them."""
    if topic not in topics():
        raise InputError(f"TOPIC {topic!r}: there is no such topic; want shipments")
    refused = why_not(topic)
    if refused is not None:
        raise InputError(f"TOPIC {topic}: nothing is replayed there: {refused}")
    started = now()
    times = _Times.of(since, until, started)
    keys = chosen_orders(order)
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    reader = TopicReader(cluster, topic)
    segments = _segments(reader, times, offsets)
    keys = _narrowed(cluster, keys, store, reason, times)
    job = _Job(reader, segments, Selection(reader.partitions, keys, times.until_ms, copies))
    tally = job.tallied()
    print_tally(tally)
    if not run:
        typer.echo(f"{tally.taken} records would be written again; --run does it")
        return
    job.run(Rewriter(cluster, rate_per_s), run_id(REPLAY, started, token_hex(2)), tally.taken)


@dataclass(frozen=True, slots=True)
class _Times:
    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, since: str | None, until: str | None, at: datetime) -> "_Times":
        times = cls(_time("--from", since, at), _time("--until", until, at))
        if times.since and times.until and times.until < times.since:
            raise InputError("--until: it lies before --from")
        return times

    @property
    def until_ms(self) -> int | None:
        return None if self.until is None else millis(self.until)


def _time(option: str, text: str | None, at: datetime) -> datetime | None:
    try:
        return None if text is None else parse_time(text, at)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{option}: {error}") from error


def _segments(reader: TopicReader, times: _Times, offsets: str | None) -> list[Segment]:
    if (times.since is None) == (offsets is None):
        raise InputError("say where to begin: either --from TIME or --offsets P:O,…")
    if times.since is not None:
        return reader.from_time(times.since)
    try:
        starts = parse_offsets(offsets or "", reader.partitions)
    except ValueError as error:
        raise InputError(f"--offsets: {error}") from error
    return reader.from_offsets(starts)


def _narrowed(
    cluster: Cluster,
    keys: frozenset[bytes] | None,
    store: str | None,
    reason: Reason | None,
    times: _Times,
) -> frozenset[bytes] | None:
    """The orders that meet every condition; None when there is none."""
    if store is not None:
        found = keys_of_store(cluster, store)
        keys = found if keys is None else keys & found
    if reason is not None:
        found = keys_of_reason(cluster, reason, times.since)
        keys = found if keys is None else keys & found
    return keys


@dataclass(slots=True)
class _Job:
    """One replay: the same choice for the look before and for the run."""

    reader: TopicReader
    segments: list[Segment]
    selection: Selection
    reached: dict[int, int] = field(default_factory=dict)

    def tallied(self) -> Tally:
        """Read the range and count; writes nothing."""
        tally = Tally()
        for record in self.reader.read(self.segments):
            choice = self._choice(record)
            if choice is Choice.TAKEN:
                tally.take(record)
            else:
                tally.leave(choice.value)
        return tally

    def _choice(self, record: Inbound) -> Choice:
        choice = self.selection.choose(record)
        limit = topics()[record.topic].bytes_max
        if choice is Choice.TAKEN and not fits(replayed(record, _PROBE), limit):
            return Choice.TOO_LARGE
        return choice

    def run(self, rewriter: Rewriter, run: str, total: int) -> None:
        """Write; an interruption says where to go on."""
        self.reached = {one.partition: one.start for one in self.segments}
        progress = Progress(total)

        def written(sources: list[Inbound]) -> None:
            for source in sources:
                self.reached[source.partition] = source.offset + 1
            progress.add(len(sources))

        try:
            rewriter.write(self._pairs(run), written)
        except KeyboardInterrupt:
            raise CommandError(self._stopped(progress, "stopped")) from None
        except CommandError as error:
            raise CommandError(self._stopped(progress, str(error))) from error
        typer.echo(f"{progress.done} records were written again as {run}")

    def _pairs(self, run: str) -> Iterator[tuple[Inbound, Outbound]]:
        for record in self.reader.read(self.segments):
            if self._choice(record) is Choice.TAKEN:
                yield record, replayed(record, run)

    def _stopped(self, progress: Progress, why: str) -> str:
        places = as_offsets(self.reached)
        return (
            f"{why}; {progress.done} of {progress.total} records were written again. Go on with the same "
            f"options, but --offsets {places} instead of --from"
        )
