"""How to read all pages of a window while orders move between them. Pure.

Neither the order of the site's list nor its stability is documented. An order that changes while the
pages are read may push others onto a page that was already read, where nobody looks any more. It
leaves traces: the total changes, or a number shows up twice. A pass that shows such a trace is
followed by another one from the first page. A pass without a trace, or two passes that saw the very
same list, end the window.

Orders may be handled as their pages come: handling one twice is harmless.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from services.importer.settings import ImporterSettings
from services.importer.windows import Window, halved
from waybill.alibaba.models import OrderPage

SHORT_WINDOW_FACTOR: Final = 10
"""A window too short to be halved may have so many times `pages_max` pages: 200,000 orders that were
touched in the same minute still come in, and a list without end is still stopped."""


class WindowTooLongError(Exception):
    """A list that does not end. The cursor must stay; a person has to look."""


class Progress(Enum):
    """Where the reading of a window stands."""

    READING = auto()
    """Ask for `Paging.page` next."""
    COMPLETE = auto()
    """Every order of the window has been listed."""
    RESTLESS = auto()
    """Orders kept moving in every pass: see `instead`."""
    TOO_LONG = auto()
    """More pages than may be read in one pass: see `instead`."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The state between two pages. Start with `first_page`."""

    page: int = 0
    """The page to ask for next, counted from 0."""
    number: int = 1
    """Which pass this is."""
    progress: Progress = Progress.READING
    seen: frozenset[str] = frozenset()
    """Numbers listed in this pass."""
    masked: int = 0
    """Entries of this pass whose number cannot be read; nobody can tell them apart."""
    moving: bool = False
    """Whether this pass shows traces of orders that moved."""
    pages: tuple[tuple[str, ...], ...] = ()
    """The pages of this pass."""
    previous: tuple[tuple[str, ...], ...] | None = None
    """The pages of the pass before."""
    total: int | None = None
    """The total that the last page told."""
    patient: bool = False
    """Whether the window is too short to be halved, so that it may have very many pages."""


def first_page(window: Window, settings: ImporterSettings) -> Paging:
    """Begin to read a window."""
    return Paging(patient=halved(window, settings) is None)


def received(paging: Paging, page: OrderPage, settings: ImporterSettings) -> Paging:
    """What to do after a page. Only pages of `paging.page` may be handed in, in turn."""
    if page.page != paging.page or paging.progress is not Progress.READING:
        raise ValueError(f"page {page.page} was not asked for; want page {paging.page}")
    ids = tuple(order.trade_id for order in page.orders)
    seen = paging.seen.union(ids)
    now = replace(
        paging,
        page=paging.page + 1,
        seen=seen,
        masked=paging.masked + page.masked,
        moving=paging.moving or _moved(paging, page, ids, len(seen)),
        pages=(*paging.pages, ids),
        total=page.total,
    )
    if _is_end(now, page):
        return _after_pass(now, settings)
    if now.page >= _pages_max(now, settings):
        return replace(now, progress=Progress.TOO_LONG)
    return now


def _pages_max(paging: Paging, settings: ImporterSettings) -> int:
    return settings.pages_max * (SHORT_WINDOW_FACTOR if paging.patient else 1)


def _moved(paging: Paging, page: OrderPage, ids: tuple[str, ...], seen: int) -> bool:
    repeated = seen < len(paging.seen) + len(ids)
    changed = paging.page > 0 and page.total != paging.total
    # without a total nobody can see that an order left, and drew the last one onto a page already read
    untold = paging.page > 0 and page.total is None
    return repeated or changed or untold


def _is_end(now: Paging, page: OrderPage) -> bool:
    """An empty page, the last number of the total, or a server that answers every page alike.

    Not a short page: a server may give fewer orders a page than it was asked for.
    """
    empty = not page.orders and not page.masked
    counted = len(now.seen) + now.masked == now.total
    alike = len(now.pages) > 1 and now.pages[-1] == now.pages[-2] and not page.masked
    return empty or counted or alike


def _after_pass(now: Paging, settings: ImporterSettings) -> Paging:
    missing = now.total is not None and len(now.seen) + now.masked != now.total
    if not (now.moving or missing) or now.pages == now.previous:
        return replace(now, progress=Progress.COMPLETE)
    if now.number >= settings.passes_max:
        return replace(now, progress=Progress.RESTLESS)
    return Paging(number=now.number + 1, previous=now.pages, patient=now.patient)


def instead(window: Window, paging: Paging, settings: ImporterSettings) -> Window | None:
    """The window to read instead of one that could not be read to its end; `None`: move the cursor.

    A short window whose orders never rest is taken as read: it lies within the overlap of those that
    follow, so whatever slipped through is listed again. Raises WindowTooLongError.
    """
    if paging.progress is Progress.COMPLETE:
        return None
    half = halved(window, settings)
    if half is None and paging.progress is Progress.TOO_LONG:
        raise WindowTooLongError(
            f"more than {_pages_max(paging, settings)} pages of orders changed from "
            f"{window.start.isoformat()} to {window.end.isoformat()}; raise pages_max if the store "
            "really has so many"
        )
    return half
