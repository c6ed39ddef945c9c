"""The evidence of a fire, sorted by order, and what a problem is. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.endings import Told, told_of
from tests.fire.evidence import Evidence
from waybill.contracts import LedgerEntry, Notification, Shipment
from waybill.contracts.keys import order_key
from waybill.demo.installation import SITE

_DRAFTS = frozenset({"intention_processing"})
"""Orders that are only being talked about: the importer does not publish them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as promised; an unfinished one may still come right by itself."""

    what: str
    unfinished: bool = False

    def __str__(self) -> str:
        return ("unfinished: " if self.unfinished else "") + self.what


Problems = Iterator[Problem]


@dataclass(frozen=True)
class Case:
    """The evidence, sorted by order."""

    evidence: Evidence
    rewinds: int = 0
    """How often a group's positions were put back: so often a record may be read once more."""
    events: Mapping[str, list[Shipment]] = field(init=False)
    entries: Mapping[str, list[LedgerEntry]] = field(init=False)
    told: Mapping[str, Told] = field(init=False)
    accepted: Mapping[str, list[dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        events: dict[str, list[Shipment]] = defaultdict(list)
        for one in self.evidence.published:
            if one.bad is None and one.shipment is not None:
                events[one.shipment.order_key].append(one.shipment)
        entries: dict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in self.evidence.ledger:
            entries[entry.key].append(entry)
        notes: dict[str, list[Notification]] = defaultdict(list)
        for note in self.evidence.notifications:
            notes[note.order_key].append(note)
        told = {key: told_of(about) for key, about in notes.items()}
        accepted: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.evidence.journal:
            if row["kind"] == "shipment":
                accepted[order_key(SITE, row["trade_id"])].append(row)
        for name, value in (
            ("events", events), ("entries", entries), ("told", told), ("accepted", accepted),
        ):  # fmt: skip
            object.__setattr__(self, name, dict(value))

    @cached_property
    def last(self) -> dict[str, LedgerEntry]:
        """The newest entry of each order."""
        return {key: entries[-1] for key, entries in self.entries.items()}

    @cached_property
    def open_at_site(self) -> frozenset[str]:
        """Orders that Alibaba wants a shipment for, and that can have one."""
        ready = (o for o in self.evidence.site if o.status == "undeliver" and o.has_address)
        return frozenset(order_key(SITE, order.trade_id) for order in ready)

    @cached_property
    def importable(self) -> frozenset[str]:
        """Orders that the importer is to publish."""
        real = (order for order in self.evidence.site if order.status not in _DRAFTS)
        return frozenset(order_key(SITE, order.trade_id) for order in real)
