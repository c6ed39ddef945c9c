"""`waybill redrive`: dead letters back to their topic, and another look at orders that are held."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Annotated

import typer
from rich.text import Text

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError, InputError
from waybill.cli.held_orders import redrive_held
from waybill.cli.letter_box import LetterBox, reading_check
from waybill.cli.output import columns, console
from waybill.cli.rewrite_report import (
    RATE_DEFAULT,
    Orders,
    Progress,
    Run,
    chosen_orders,
    now,
    print_tally,
)
from waybill.cli.rewriting import Rewriter
from waybill.contracts.codec import DeadReason
from waybill.contracts.topics import topics
from waybill.reprocessing.letters import (
    NO_REASON,
    Fate,
    Judgement,
    Letter,
    Unreadable,
    Wanted,
    judge,
    record_of,
)
from waybill.reprocessing.selection import Tally
from waybill.reprocessing.stamps import REDRIVE, run_id
from waybill.reprocessing.topics import why_not
from waybill.streaming.records import Inbound, Outbound

app = typer.Typer()

LETTERS_MAX = 200_000
"""Letters of one run: their positions are held, some 30 MB."""
_WHY_SHOWN_MAX = 20
_HELD_RATE_DEFAULT = 5.0
"""Two calls to Alibaba each, beside those of the import."""


def wanted_letters(reason: str | None, topic: str | None, order: list[str] | None) -> Wanted:
    """The options as a condition; raises InputError naming the field."""
    reasons = [*DeadReason, NO_REASON]
    if reason is not None and reason not in reasons:
        raise InputError(f"--reason {reason!r}: want one of {', '.join(reasons)}")
    if topic is not None and topic not in topics():
        raise InputError(f"--topic {topic!r}: want one of {', '.join(sorted(topics()))}")
    return Wanted(
        frozenset({reason}) if reason else None,
        frozenset({topic}) if topic else None,
        chosen_orders(order),
    )


@app.command()
def redrive(  # noqa: PLR0913, PLR0917 - the options of a command are its arguments
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only letters of this reason (held: of orders).")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Only letters from this topic, by its short name.")
    ] = None,
    order: Orders = None,
    held: Annotated[
        bool, typer.Option("--held", help="Not letters: have held orders read from Alibaba again.")
    ] = False,
    store: Annotated[
        str | None, typer.Option("--store", help="With --held: only orders of this store.")
    ] = None,
    rate_per_s: Annotated[
        float | None,
        typer.Option(
            "--rate-per-s", min=0.1, max=10_000, help="At most so many a second; held orders 5."
        ),
    ] = None,
    run: Run = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Write dead letters back, each once; without --run only say which, and why not the others."""
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    if held:
        if topic is not None:
            raise InputError("--topic: goes with dead letters, not with --held")
        rate = rate_per_s or _HELD_RATE_DEFAULT
        redrive_held(cluster, reason, store, chosen_orders(order), rate if run else None)
        return
    if store is not None:
        raise InputError("--store: goes with --held; a dead letter has no store, name its orders")
    wanted = wanted_letters(reason, topic, order)
    if topic is not None and (refused := why_not(topic)) is not None:
        raise InputError(f"--topic {topic}: nothing goes back there: {refused}")
    # the writer first: a run that it shuts out has ended before the look at what was sent
    rewriter = Rewriter(cluster, rate_per_s or RATE_DEFAULT) if run else None
    job = _Job(LetterBox(cluster), wanted, reading_check(cluster, bootstrap, topic_prefix))
    job.plan()
    job.print()
    if rewriter is None:
        typer.echo(f"{len(job.chosen)} dead letters would go back; --run does it")
    else:
        job.run(rewriter, cluster, run_id(REDRIVE, now(), token_hex(2)))


@dataclass(slots=True)
class _Job:
    box: LetterBox
    wanted: Wanted
    unreadable: Unreadable
    chosen: dict[str, int] = field(default_factory=dict)
    """Positions of the letters that go back, with their times."""
    tally: Tally = field(default_factory=Tally)
    whys: Counter[tuple[str, str]] = field(default_factory=Counter)

    def plan(self) -> None:
        """Judge every letter that is meant; first all alone, then by what was sent before."""
        fit: dict[str, Inbound] = {}
        for record, letter in self.box.letters(self.wanted):
            judgement = judge(record, self.unreadable)
            if judgement.fate is Fate.SEND:
                fit[letter.position] = _bare(record)
                self._check_room(len(fit))
            else:
                self._leave(letter, judgement)
        if not fit:
            return
        sent = self.box.sent_before(min(record.timestamp_ms for record in fit.values()))
        for position, record in fit.items():
            if position in sent:
                self.tally.leave(Fate.SENT_BEFORE.value)
            else:
                self.tally.take(record)
                self.chosen[position] = record.timestamp_ms

    def _check_room(self, count: int) -> None:
        if count > LETTERS_MAX:
            raise InputError(
                f"more than {LETTERS_MAX} letters would go back: choose with --reason or --order"
            )

    def _leave(self, letter: Letter, judgement: Judgement) -> None:
        self.tally.leave(judgement.fate.value)
        if len(self.whys) < _WHY_SHOWN_MAX or (letter.reason, judgement.why) in self.whys:
            self.whys[letter.reason, judgement.why] += 1

    def print(self) -> None:
        """What goes back, and why the rest does not."""
        print_tally(self.tally)
        if not self.whys:
            return
        table = columns(["letters", "reason", "why they stay"])
        for (reason, why), count in self.whys.most_common():
            table.add_row(str(count), reason, Text(why))
        console().print(table)

    def run(self, rewriter: Rewriter, cluster: Cluster, run: str) -> None:
        """Write what was chosen; an interrupted run goes on when it is started again."""
        progress = Progress(len(self.chosen))
        partitions = cluster.partitions("shipments")
        try:
            rewriter.write(self._pairs(partitions, run), lambda done: progress.add(len(done)))
        except (KeyboardInterrupt, CommandError) as error:
            why = str(error) or "stopped"
            raise CommandError(
                f"{why}; {progress.done} of {progress.total} letters went back. Run it again: those are "
                "left out"
            ) from None
        typer.echo(f"{progress.done} dead letters went back as {run}")

    def _pairs(self, partitions: int, run: str) -> Iterator[tuple[Inbound, Outbound]]:
        for record, letter in self.box.letters(self.wanted):
            if letter.position in self.chosen:
                yield record, record_of(record, partitions, run)


def _bare(record: Inbound) -> Inbound:
    """Without its payload and headers: what counting needs."""
    return Inbound(
        record.topic, record.partition, record.offset, record.key, None, (), record.timestamp_ms
    )
