"""A site whose orders change while they are listed, and an importer made of the pure parts alone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from services.importer.changes import Publish, decide
from services.importer.normalise import Draft, normalise
from services.importer.paging import Progress, first_page, instead, received
from services.importer.readings import Readings
from services.importer.settings import ImporterSettings
from services.importer.windows import Window, moved, next_window
from tests.unit.importer.answers import ORDER, STORE
from waybill.alibaba.models import OrderListing, OrderPage
from waybill.contracts.base import millis
from waybill.contracts.imports import ImportCursor, ImportSeen
from waybill.contracts.order import Order


@dataclass(frozen=True)
class Version:
    """One state of an order."""

    number: int
    modified: datetime


@dataclass
class Site:
    """Orders with all their versions, oldest first. Its clock and its list may lag behind ours."""

    behind: timedelta
    list_lag: timedelta
    whole_seconds: bool
    page_size: int
    tells_total: bool
    sorting: Callable[[tuple[str, Version]], object]
    orders: dict[str, list[Version]] = field(default_factory=dict)

    def change(self, name: str, at: datetime) -> None:
        """A new version of an order, or a new order; `at` is our time."""
        modified = at - self.behind
        if self.whole_seconds:
            modified = modified.replace(microsecond=0)
        versions = self.orders.setdefault(name, [])
        versions.append(Version(len(versions), modified))

    def page(self, window: Window, number: int, at: datetime) -> OrderPage:
        """What the list answers; both ends of the window are included."""
        listed_until = at - self.behind - self.list_lag
        known = [
            (name, next((v for v in reversed(versions) if v.modified <= listed_until), None))
            for name, versions in self.orders.items()
        ]
        found = [
            (name, version)
            for name, version in known
            if version and window.start <= version.modified <= window.end
        ]
        found.sort(key=self.sorting)  # type: ignore[arg-type]  # each sorting gives comparable keys
        shown = found[number * self.page_size : (number + 1) * self.page_size]
        return OrderPage(
            page=number,
            orders=tuple(OrderListing(n, None, None, v.modified) for n, v in shown),
            total=len(found) if self.tells_total else None,
            masked=0,
            is_last=False,
        )

    def read(self, name: str, at: datetime) -> Order:
        """What the detail answers now, as our record."""
        version = self.orders[name][-1]
        answer = ORDER | {
            "trade_id": name,
            "remark": f"version {version.number}",
            "modify_date": str(millis(version.modified)),
        }
        order = normalise(answer, payments=None, site="alibaba", store=STORE, imported_at=at)
        assert not isinstance(order, Draft)
        return order


SORTINGS: dict[str, Callable[[tuple[str, Version]], object]] = {
    "by number": lambda found: found[0],
    "oldest change first": lambda found: (found[1].modified, found[0]),
    "latest change first": lambda found: (-millis(found[1].modified), found[0]),
}


@dataclass
class Import:
    """The importer of one store, without Kafka and HTTP."""

    site: Site
    settings: ImporterSettings
    random: Random
    now: datetime
    churn: float = 0.0
    """How likely an order changes between two calls."""
    new_share: float = 0.1
    """How many of the changes are new orders."""
    changes_left: int = 80
    """Changes that are still to come: a site that changes faster than it can be read has no end."""
    cursor: ImportCursor | None = None
    last: Window | None = None
    seen: dict[str, ImportSeen] = field(default_factory=dict)
    published: dict[str, list[Order]] = field(default_factory=dict)
    calls: int = 0

    def __post_init__(self) -> None:
        self.readings = Readings(self.settings)

    def until_the_present(self) -> None:
        """Poll until no known ground is left."""
        more = True
        while more:
            window = next_window(STORE, self.cursor, self.now, self.settings, last=self.last)
            more = self._read(window)

    def restart(self) -> None:
        """What is only in memory is lost."""
        self.readings, self.last = Readings(self.settings), None

    def _read(self, window: Window) -> bool:
        """Read one window, or halves of it, to its end; whether more is left."""
        paging = first_page(window, self.settings)
        while paging.progress is Progress.READING:
            page = self.site.page(window, paging.page, self._call())
            for listing in page.orders:
                self._deal_with(listing)
            paging = received(paging, page, self.settings)
        half = instead(window, paging, self.settings)
        if half is not None:
            return self._read(half)
        self.cursor = moved(self.cursor, window, store_id="s-1", now=self.now, published=0)
        self.last = window
        return window.more

    def _call(self) -> datetime:
        """Every call takes a moment, in which orders may change."""
        self.calls += 1
        self.now += timedelta(milliseconds=self.random.choice((20, 200, 1_500)))
        while self.changes_left and self.random.random() < self.churn:
            self.changes_left -= 1
            known = sorted(self.site.orders)
            is_new = not known or self.random.random() < self.new_share
            name = f"{1_000 + self.calls}" if is_new else self.random.choice(known)
            self.site.change(name, self.now)
        return self.now

    def _deal_with(self, listing: OrderListing) -> None:
        key = f"alibaba:{listing.trade_id}"
        if not self.readings.needed(key, listing.modified):
            return
        order = self.site.read(listing.trade_id, self._call())
        decision = decide(self.seen.get(key), order)
        if isinstance(decision, Publish):
            self.seen[key] = decision.seen
            self.published.setdefault(listing.trade_id, []).append(decision.order)
        self.readings.remember(key, order.modified_at, self.now)


def version_of(order: Order) -> int:
    """Which version of the site's order a record shows."""
    assert order.notes is not None
    return int(order.notes.customer[0].text.removeprefix("version "))
