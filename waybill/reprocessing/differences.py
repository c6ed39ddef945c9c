"""What Alibaba has, what was imported and what was sent, compared order by order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from waybill.contracts import LedgerEntry
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason


class Kind(StrEnum):
    """Why an order is reported; a closed list, for filters and counts."""

    NOT_IMPORTED = "not_imported"
    NOT_AT_ALIBABA = "not_at_alibaba"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"
    NOT_SHIPPED_AT_ALIBABA = "not_shipped_at_alibaba"
    OTHER_TRACKING_NUMBER = "other_tracking_number"
    CONFIRMED_WITHOUT_PROOF = "confirmed_without_proof"
    WAITING_LONG = "waiting_long"
    IN_DOUBT = "in_doubt"
    PARKED = "parked"
    REJECTED = "rejected"


WHAT_TO_DO = {
    Kind.NOT_IMPORTED: "look at the importer and its store; the next poll should bring it",
    Kind.NOT_AT_ALIBABA: "Alibaba does not know it for this store: another store's, or deleted",
    Kind.SHIPPED_ELSEWHERE: "somebody declared it by hand or with other software: nothing is sent",
    Kind.NOT_SHIPPED_AT_ALIBABA: "look at it on Alibaba, then `waybill orders resend`",
    Kind.OTHER_TRACKING_NUMBER: "correct it by hand at Alibaba: a shipment is declared once",
    Kind.CONFIRMED_WITHOUT_PROOF: "found by a look-up, or sent without a page: add the proof by hand",
    Kind.WAITING_LONG: "the reason says what is missing; `waybill orders show`",
    Kind.IN_DOUBT: "a look-up will tell; if it stays, look at it on Alibaba",
    Kind.PARKED: "needs a person: `waybill orders show`, then release, resend or cancel",
    Kind.REJECTED: "Alibaba refused it for good: publish a corrected shipment",
}


class Standing(StrEnum):
    """An order at Alibaba, as far as shipping goes."""

    SHIPPABLE = "shippable"
    SHIPPED = "shipped"
    OTHER = "other"
    DRAFT = "draft"
    """Not an order yet: it is not imported."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The order as it was imported last."""

    store_id: str
    standing: Standing
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The ledger's entry, in what matters here."""

    store_id: str | None
    state: State
    reason: Reason | None
    since: datetime | None
    """When it entered its state."""
    tracking_number: str | None = None
    """As declared."""

    @classmethod
    def of(cls, entry: LedgerEntry) -> "Sent":
        """From an entry; the steps of its history say since when it stands where it stands."""
        since = None
        for step in reversed(entry.history):
            if step.state is not entry.state:
                break
            since = step.at
        tracking = entry.attempt.tracking_number if entry.attempt else None
        return cls(entry.store_id, entry.state, entry.reason, since, tracking)


@dataclass(frozen=True, slots=True)
class AtAlibaba:
    """What Alibaba answered."""

    exists: bool
    store_id: str
    standing: Standing = Standing.OTHER
    modified_at: datetime | None = None
    tracking_numbers: tuple[str, ...] | None = None
    """Of the shipments it holds; None when it was not asked, or its answer left doubt."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one order; None for what is not there, or was not asked."""

    key: str
    imported: Imported | None = None
    sent: Sent | None = None
    alibaba: AtAlibaba | None = None
    pages: int | None = None
    """Pages of the proof, as the confirmation told; None when it is not known."""

    @property
    def store_id(self) -> str:
        """Whichever source names it."""
        for source in (self.imported, self.alibaba, self.sent):
            if source is not None and source.store_id:
                return source.store_id
        return ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as a difference."""

    now: datetime
    grace: timedelta = timedelta(minutes=15)
    """What is younger is on its way: polls, calls and Alibaba's own query side take their time."""
    waiting_max: timedelta = timedelta(days=1)
    normalise: Callable[[str | None], str] = lambda number: (number or "").strip().upper()
    """Tracking numbers are compared in this form."""
    ship_from: dict[str, datetime] | None = None
    """Per store: what was shipped earlier is history."""

    def settled(self, at: datetime | None) -> bool:
        """Whether it is old enough to count; a time nobody knows is."""
        return at is None or self.now - at >= self.grace


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree, without personal data."""

    key: str
    store_id: str
    kind: Kind
    detail: str = ""


def differences(known: Known, rules: Rules) -> Iterator[Difference]:
    """Everything that does not agree about one order, the gravest first."""
    found = [
        *_of_presence(known, rules),
        *_of_shipping(known, rules),
        *_of_state(known, rules),
    ]
    for kind, detail in found:
        yield Difference(known.key, known.store_id, kind, detail)


_Found = Iterator[tuple[Kind, str]]


def _of_presence(known: Known, rules: Rules) -> _Found:
    alibaba = known.alibaba
    if alibaba is None:
        return
    if not alibaba.exists:
        yield Kind.NOT_AT_ALIBABA, ""
    elif (
        known.imported is None
        and alibaba.standing is not Standing.DRAFT
        and rules.settled(alibaba.modified_at)
    ):
        yield Kind.NOT_IMPORTED, f"{alibaba.standing} at Alibaba"


def _of_shipping(known: Known, rules: Rules) -> _Found:
    source = known.alibaba if known.alibaba is not None else known.imported
    if source is None or (known.alibaba is not None and not known.alibaba.exists):
        return
    if known.sent is not None and known.sent.state is State.CONFIRMED:
        yield from _of_confirmed(known, known.sent, rules)
    elif source.standing is Standing.SHIPPED and _is_foreign(known, source.modified_at, rules):
        state = known.sent.state.value if known.sent else "no shipment"
        yield Kind.SHIPPED_ELSEWHERE, f"here: {state}"


def _is_foreign(known: Known, modified_at: datetime | None, rules: Rules) -> bool:
    """Not ours, not on its way to be ours, and not from before this installation shipped for the store."""
    if known.sent is not None and known.sent.state in {State.DISPATCHED, State.IN_DOUBT}:
        return False
    start = (rules.ship_from or {}).get(known.store_id)
    history = start is not None and modified_at is not None and modified_at < start
    return not history and rules.settled(modified_at)


def _of_confirmed(known: Known, sent: Sent, rules: Rules) -> _Found:
    if not rules.settled(sent.since):
        return
    alibaba = known.alibaba
    held = (alibaba.tracking_numbers if alibaba is not None else None) or ()
    ours = rules.normalise(sent.tracking_number)
    if held and ours and ours not in {rules.normalise(number) for number in held}:
        told = f"declared {sent.tracking_number}, Alibaba has {', '.join(held)}"
        yield Kind.OTHER_TRACKING_NUMBER, told
    elif _says_unshipped(known):
        yield Kind.NOT_SHIPPED_AT_ALIBABA, _how_unshipped(known, held)
    if known.pages == 0:
        yield Kind.CONFIRMED_WITHOUT_PROOF, ""


def _says_unshipped(known: Known) -> bool:
    if known.alibaba is not None:
        empty = known.alibaba.tracking_numbers == ()
        return empty or known.alibaba.standing is Standing.SHIPPABLE
    imported = known.imported
    return imported is not None and imported.standing is Standing.SHIPPABLE


def _how_unshipped(known: Known, held: tuple[str, ...]) -> str:
    if held:
        return "it can still be shipped there, although Alibaba holds our number"
    return "" if known.alibaba is not None else "as it was imported last"


def _of_state(known: Known, rules: Rules) -> _Found:
    sent = known.sent
    if sent is None:
        return
    reason = sent.reason.value if sent.reason else sent.state.value
    match sent.state:
        case State.WAITING | State.CLAIMED:
            if sent.reason is not Reason.DRY_RUN and _is_late(sent, rules):
                yield Kind.WAITING_LONG, reason
        case State.DISPATCHED | State.IN_DOUBT:
            if rules.settled(sent.since):
                yield Kind.IN_DOUBT, reason
        case State.PARKED:
            yield Kind.PARKED, reason
        case State.REJECTED:
            yield Kind.REJECTED, reason


def _is_late(sent: Sent, rules: Rules) -> bool:
    return sent.since is not None and rules.now - sent.since > rules.waiting_max
