"""Where a window of a store stands after a page, and what the cursor says when it was read whole.

Windows come in two kinds that know nothing of each other: those that follow the present, and those of a
back-fill.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from services.importer.paging import (
    Paging,
    Progress,
    WindowTooLongError,
    first_page,
    instead,
    received,
)
from services.importer.settings import ImporterSettings
from services.importer.windows import (
    Window,
    backfill_begun,
    backfill_moved,
    backfill_window,
    moved,
    next_window,
)
from waybill.contracts import ImportCursor, Store

if TYPE_CHECKING:
    from waybill.alibaba.models import OrderPage


@dataclass(slots=True)
class Polling:
    """The window of a store that is being read."""

    window: Window
    paging: Paging
    published: int = 0
    backfill: bool = False
    listed: bool = False
    """Whether any order was listed."""
    read: dict[str, datetime] = field(default_factory=dict)
    """Of a back-fill: orders that were read, with the modified time that they said."""

    def unread(self, order_key: str, listed_modified_at: datetime | None) -> bool:
        """Whether a listed order has not been read in this window as it is listed; for a back-fill."""
        return listed_modified_at is None or self.read.get(order_key) != listed_modified_at


@dataclass(frozen=True, slots=True)
class Step:
    """What a page led to."""

    polling: Polling
    ended: bool = False
    """Whether that was its window's end."""
    cursor: ImportCursor | None = None
    """To be written when the window was read whole."""
    more: bool = False
    failure: str | None = None
    """Why the window cannot be read at all; the store is tried again later."""


@dataclass(slots=True)
class StoreProgress:
    """How far one store is: its cursor, and its windows of both kinds."""

    cursor: ImportCursor | None = None
    open: dict[bool, Polling] = field(default_factory=dict)
    """The window being read, by whether it is one of a back-fill."""
    last: dict[bool, Polling] = field(default_factory=dict)
    """The window read before, in the same way."""
    owed_at: datetime | None = None
    """When orders that are owed were tried last."""

    def polling(
        self, store: Store, now: datetime, rules: ImporterSettings, *, backfill: bool
    ) -> Polling:
        """The window to go on with; begins one if there is none."""
        found = self.open.get(backfill)
        if found is None:
            window = self._window(store, now, rules, backfill=backfill)
            found = Polling(window, first_page(window, rules), backfill=backfill)
            self.open[backfill] = found
        return found

    def _window(
        self, store: Store, now: datetime, rules: ImporterSettings, *, backfill: bool
    ) -> Window:
        last = self.last.get(backfill)
        if not backfill or self.cursor is None:
            return next_window(store, self.cursor, now, rules, last=last.window if last else None)
        begun = backfill_begun(store, self.cursor, now)
        if begun is not self.cursor:
            self.cursor, last = begun, None
        was_empty = last is not None and not last.listed
        window = last.window if last else None
        return backfill_window(self.cursor, rules, last=window, was_empty=was_empty)

    def after_page(
        self,
        polling: Polling,
        page: "OrderPage",
        published: int,
        store_id: str,
        now: datetime,
        rules: ImporterSettings,
    ) -> Step:
        """What the page of a window leads to; changes nothing."""
        paging = received(polling.paging, page, rules)
        listed = polling.listed or bool(page.orders)
        total = polling.published + published
        after = Polling(polling.window, paging, total, polling.backfill, listed, polling.read)
        if paging.progress is Progress.READING:
            return Step(after, more=True)
        try:
            shorter = instead(polling.window, paging, rules)
        except WindowTooLongError as error:
            return Step(after, ended=True, failure=str(error))
        if shorter is not None:
            first = first_page(shorter, rules)
            again = Polling(shorter, first, total, polling.backfill, listed, polling.read)
            return Step(again, more=True)
        return Step(after, True, self._moved(after, store_id, now), more=after.window.more)

    def _moved(self, polling: Polling, store_id: str, now: datetime) -> ImportCursor:
        window, published = polling.window, polling.published
        if polling.backfill and self.cursor is not None:
            return backfill_moved(self.cursor, window, now=now, published=published)
        return moved(self.cursor, window, store_id=store_id, now=now, published=published)

    def committed(self, step: Step) -> None:
        """The page counts now."""
        kind = step.polling.backfill
        if not step.ended:
            self.open[kind] = step.polling
            return
        self.open.pop(kind, None)
        self.last[kind] = step.polling
        if step.cursor is not None:
            self.cursor = step.cursor
