"""`waybill reconcile`: Alibaba's orders against what was imported, sent and proven."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

import orjson
import typer
from pydantic import Field, ValidationError
from rich.text import Text

from services.notifier.rule.parcel import normalise_tracking
from waybill.alibaba.client import AlibabaClient
from waybill.cli.alibaba_side import NotToldError, StoreSide
from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka, settings_error
from waybill.cli.errors import CommandError, InputError
from waybill.cli.our_side import OurSide, read_our_side
from waybill.cli.output import columns, console
from waybill.cli.rewrite_report import now
from waybill.cli.store_book import StoreBook
from waybill.contracts import Store
from waybill.contracts.ledger import State
from waybill.reprocessing.differences import (
    WHAT_TO_DO,
    AtAlibaba,
    Difference,
    Known,
    Rules,
    differences,
)
from waybill.reprocessing.selection import parse_time
from waybill.settings import Settings, SiteSettings
from waybill.tokens import SealError, TokenSeal

app = typer.Typer()

DIFFERENT = 1
NOT_TOLD = 2
_FIRST_IMPORT = timedelta(days=30)
"""How far back the import of a store reaches that names no time itself."""
_SHOWN_MAX = 200


class ReconcileSettings(Settings):
    """The sites, as the services have them."""

    sites: dict[str, SiteSettings] = Field(
        default_factory=dict, description="Site name to its application and API settings, as JSON."
    )


@dataclass(slots=True)
class Outcome:
    """What was compared and found."""

    compared: int = 0
    found: list[Difference] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """What could not be told, and why, one line each."""
    notes: list[str] = field(default_factory=list)
    """What nobody can ever tell; it changes no exit code."""

    @property
    def exit_code(self) -> int:
        """2 when something could not be told, 1 when there are differences, 0 when there are none."""
        if self.untold:
            return NOT_TOLD
        return DIFFERENT if self.found else 0


@app.command()
def reconcile(  # noqa: PLR0913, PLR0917 - the options of a command are its arguments
    store: Annotated[str | None, typer.Option("--store", help="Only this store.")] = None,
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="What changed since then: a time, or ago."),
    ] = "7d",
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask Alibaba: compare the topics alone.")
    ] = False,
    grace_min: Annotated[
        int, typer.Option("--grace-min", min=0, max=10_080, help="Younger things are on their way.")
    ] = 15,
    rate_per_s: Annotated[
        float, typer.Option("--rate-per-s", min=0.1, max=100, help="Calls a second, per store.")
    ] = 5.0,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Compare, and change nothing. Exit code 0: all agree, 1: differences, 2: something could not be told."""
    started = now()
    try:
        begin = parse_time(since, started)
    except (ValueError, OverflowError) as error:
        raise InputError(f"--since: {error}") from error
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    book = StoreBook(cluster)
    stores = _chosen(book, store)
    outcome = Outcome()
    ask = None if offline else _Asker(stores, book, rate_per_s, outcome)
    comparison = _Comparison(cluster, stores, begin, started, narrowed=store is not None)
    rules = Rules(
        started,
        timedelta(minutes=grace_min),
        normalise=normalise_tracking,
        ship_from={one.store_id: one.ship_from for one in stores.values()},
    )
    asyncio.run(comparison.run(ask, rules, outcome))
    _print_json(outcome, begin) if json else _print(outcome)
    raise typer.Exit(outcome.exit_code)


def _chosen(book: StoreBook, store: str | None) -> dict[str, Store]:
    stores = {key: one for key, one in book.stores().items() if not one.disconnected}
    if store is None:
        return stores
    if store not in stores:
        raise InputError(
            f"--store {store}: there is no such connected store: see `waybill stores list`"
        )
    return {store: stores[store]}


class _Asker:
    """Asks Alibaba for the stores whose tokens can be opened; names the others."""

    def __init__(
        self, stores: dict[str, Store], book: StoreBook, rate_per_s: float, outcome: Outcome
    ) -> None:
        try:
            found = ReconcileSettings()
        except ValidationError as error:
            raise InputError(settings_error(error)) from error
        self._sites = found.sites
        self._seal = self._opened_seal(found)
        self._book = book
        self._rate_per_s = rate_per_s
        self._outcome = outcome
        self._stores = stores
        self._clients: dict[str, AlibabaClient] = {}
        self.sides: dict[str, StoreSide] = {}

    def _opened_seal(self, found: ReconcileSettings) -> TokenSeal:
        try:
            return TokenSeal(found.seal_key)
        except SealError as error:
            raise InputError(f"{error}; or compare the topics alone with --offline") from error

    async def listed(self, since: datetime, at: datetime) -> dict[str, AtAlibaba]:
        """What changed at Alibaba since then, of every store that answers."""
        found: dict[str, AtAlibaba] = {}
        for store in self._stores.values():
            try:
                side = self._side(store)
                orders, masked = await side.listed(_imported_since(store, since), at)
            except (NotToldError, CommandError, SealError) as error:
                self._outcome.untold.append(f"store {store.store_id}: {error}")
                continue
            if masked:
                self._outcome.notes.append(
                    f"store {store.store_id}: {masked} listed orders have a number that no call can read"
                )
            self.sides[store.store_id] = side
            found |= orders
        return found

    def _side(self, store: Store) -> StoreSide:
        site = self._sites.get(store.site)
        if site is None:
            raise NotToldError(f"site {store.site} is not set: WAYBILL_SITES, as for the services")
        sealed = self._book.tokens(store.store_id)
        if sealed is None:
            raise NotToldError("it has no tokens: connect it again")
        if store.site not in self._clients:
            self._clients[store.site] = AlibabaClient(site.api, site.app)
        limits = site.api.rate_limit.model_copy(
            update={"start_per_s": self._rate_per_s, "max_per_s": self._rate_per_s}
        )
        token = self._seal.open(sealed).access
        return StoreSide.of(store, self._clients[store.site], token, limits)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


def _imported_since(store: Store, since: datetime) -> datetime:
    """Older orders are not imported, so they are not missing."""
    return max(since, store.import_from or store.connected_at - _FIRST_IMPORT)


@dataclass(slots=True)
class _Comparison:
    cluster: Cluster
    stores: dict[str, Store]
    since: datetime
    at: datetime
    narrowed: bool
    """One store was chosen: orders of no known store are left out."""

    async def run(self, ask: _Asker | None, rules: Rules, outcome: Outcome) -> None:
        """Ask, read, compare."""
        try:
            listed = await ask.listed(self.since, self.at) if ask else {}
            ours = read_our_side(self.cluster, self.since, listed)
            outcome.untold += [f"{key}: {why}" for key, why in sorted(ours.untold.items())]
            for key in sorted({*listed, *ours.imported, *ours.sent}):
                known = self._known(key, listed, ours)
                if self._is_meant(known):
                    outcome.compared += 1
                    known = await self._completed(known, ask, rules, outcome.untold)
                    outcome.found += differences(known, rules)
        finally:
            if ask is not None:
                await ask.close()

    def _known(self, key: str, listed: dict[str, AtAlibaba], ours: OurSide) -> Known:
        return Known(
            key,
            ours.imported.get(key),
            ours.sent.get(key),
            listed.get(key),
            ours.pages.get(key),
        )

    def _is_meant(self, known: Known) -> bool:
        return known.store_id in self.stores or (not known.store_id and not self.narrowed)

    async def _completed(
        self, known: Known, ask: _Asker | None, rules: Rules, untold: list[str]
    ) -> Known:
        """With what only a call for this very order tells."""
        side = ask.sides.get(known.store_id) if ask else None
        if side is None:
            return known
        try:
            alibaba = known.alibaba
            if alibaba is None and self._should_be_listed(known):
                alibaba = await side.order(known.key)
            if alibaba is not None and alibaba.exists and _is_confirmed(known, rules):
                held = await side.tracking_numbers(known.key)
                alibaba = _with(alibaba, held)
        except NotToldError as error:
            untold.append(f"{known.key}: {error}")
            return known
        return Known(known.key, known.imported, known.sent, alibaba, known.pages)

    def _should_be_listed(self, known: Known) -> bool:
        """Alibaba has changed it in the period, as far as we know."""
        start = _imported_since(self.stores[known.store_id], self.since)
        changed = known.imported is not None and known.imported.modified_at >= start
        sent = known.sent
        confirmed = sent is not None and sent.state is State.CONFIRMED
        return changed or (confirmed and sent is not None and (sent.since or start) >= start)


def _is_confirmed(known: Known, rules: Rules) -> bool:
    sent = known.sent
    return sent is not None and sent.state is State.CONFIRMED and rules.settled(sent.since)


def _with(alibaba: AtAlibaba, held: tuple[str, ...] | None) -> AtAlibaba:
    return AtAlibaba(alibaba.exists, alibaba.store_id, alibaba.standing, alibaba.modified_at, held)


def _print(outcome: Outcome) -> None:
    out = console()
    counts = Counter(one.kind for one in outcome.found)
    if counts:
        sums = columns(["orders", "difference", "what to do"])
        for kind, count in counts.most_common():
            sums.add_row(str(count), kind, WHAT_TO_DO[kind])
        out.print(sums)
        table = columns(["order", "store", "difference", "detail"])
        for one in outcome.found[:_SHOWN_MAX]:
            table.add_row(one.key, one.store_id or "-", one.kind, Text(one.detail))
        out.print(table)
        if len(outcome.found) > _SHOWN_MAX:
            typer.echo(f"{len(outcome.found) - _SHOWN_MAX} more: see --json", err=True)
    _tell(f"could not be told: {line}" for line in outcome.untold[:_SHOWN_MAX])
    for note in outcome.notes:
        typer.echo(note, err=True)
    typer.echo(
        f"{outcome.compared} orders compared, {len(outcome.found)} differences, "
        f"{len(outcome.untold)} could not be told"
    )


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        typer.secho(line, fg="red", err=True)


def _print_json(outcome: Outcome, since: datetime) -> None:
    answer = {
        "since": since.isoformat(),
        "compared": outcome.compared,
        "differences": [asdict(one) for one in outcome.found],
        "could_not_be_told": outcome.untold,
        "notes": outcome.notes,
    }
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
