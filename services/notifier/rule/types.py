"""The vocabulary of the rule: the facts and events that go in, the decision that comes out.

All of it is frozen data without behaviour, so that the rule can be replayed, simulated and tested with
nothing but values. Times are UTC; `*_s` are seconds.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from waybill.contracts import Command, LedgerEntry, Notification, Order, Shipment, Store
from waybill.contracts.base import LogisticsType
from waybill.contracts.codec import DeadReason
from waybill.contracts.order import OrderStatus

# ---------------------------------------------------------------------------------------------- facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every number the rule knows, with its reason; one per installation, the same for every decision."""

    partition_count: int
    """Partitions of the installation; written into every entry, so that a changed count is noticed."""
    writer: str
    """Version of this software; written into every entry."""
    call_start_s: int = 5
    """A call starts within this time of its `dispatched` record being sent, or never."""
    call_s: int = 30
    """Total time of a call; after it no byte of the call is under way from this process."""
    call_margin_s: int = 60
    """Beyond start and total time, for commits that queue: a `dispatched` entry that heard nothing by then
    is in doubt."""
    call_horizon_s: int = 900
    """The stated assumption: no call acts at Alibaba later than this after it ended here."""

    lookup_first_s: int = 5
    """Pause after the first look-up; doubles with each one."""
    lookup_max_s: int = 60
    """Longest pause while a call may still act."""
    lookup_gap_s: int = 120
    """Two answers "none" count only this far apart: Alibaba's query side may lag behind."""
    contradictions_max: int = 10
    """So many answers whose status and logistics disagree, and a person has to look."""

    claim_timeout_s: int = 60
    """How long the caller waits for a proof before it reports it overdue."""
    proof_asks_max: int = 5
    """A proof is asked for so often without an answer, then a person has to look."""

    retry_first_s: int = 2
    """Pause after the first failure that surely had no effect; doubles with each one."""
    retry_max_s: int = 300
    """Longest such pause: Alibaba's trouble lasts minutes, and a shipment should go soon after it."""
    hint_first_s: int = 30
    """Pause after the first hint to the importer to read an unknown order; doubles with each one."""
    hint_max_s: int = 3_600
    """Longest such pause: a mistyped order number must not cost a read a minute for ever."""

    shipment_bytes_max: int = 256 * 1024
    """A larger shipment is refused: what is kept must fit the ledger's record limit with room to spare."""
    seen_max: int = 32
    """Shipment ids remembered per order; further ones are dead letters."""
    history_max: int = 32
    """Steps remembered; the oldest go first."""
    finished_bytes_max: int = 400
    """A finished entry stays for ever: its history is cut until it fits."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The ledger may have forgotten calls: orders from before its loss are looked up before any call."""

    accepted_at: datetime
    """From then on the ledger knows everything again."""
    quiet_since: datetime
    """From then on no forgotten call was under way, by the clock of the current owner: its takeover."""

    def may_cover(self, order: Order | None) -> bool:
        """Whether a call for this order may have been forgotten; without its date, yes.

        An order placed a day later surely had none; the day is for clocks and time zones that differ.
        """
        ordered_at = order.ordered_at if order else None
        return ordered_at is None or ordered_at < self.accepted_at + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true now, as the owner of the order knows it."""

    key: str
    """Order key."""
    now: datetime
    """The owner's own clock, which never jumps, in UTC."""
    order: Order | None
    """Newest known order of the key; None when unknown or erased."""
    order_bytes: bytes | None
    """The same order, untouched."""
    store: Store | None
    """Settings of the order's store; None when it is not connected."""
    shipment: Shipment | None
    """The decoded shipment that the entry holds as bytes; None when it holds none."""
    limits: Limits
    forgotten: Forgotten | None = None
    """Set when the ledger of this partition may have forgotten calls."""
    parts: tuple[Shipment, ...] = ()
    """The decoded further parts of the entry, in its order."""


# ------------------------------------------------------------------------------- Alibaba's answers


@dataclass(frozen=True, slots=True)
class Accepted:
    """Alibaba has the shipment."""

    voucher_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely without effect: nothing left this process, or a repeatable call gave no usable answer."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Surely without effect: too many calls; none before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """Surely without effect: the store's token is not accepted. The scheduler's gate waits for a new one."""


@dataclass(frozen=True, slots=True)
class RejectedByAlibaba:
    """Surely without effect: Alibaba's "no" to this very request, by a code of the allow-list."""

    code: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have worked, or may still work: everything that is none of the others."""

    code: str | None = None
    request_id: str | None = None


Failure = NotSent | Throttled | Unauthorised | RejectedByAlibaba | Unclear
CallOutcome = Accepted | Failure

HeldShipment = tuple[str | None, str | None, str | None]
"""A shipment that Alibaba holds: tracking number, carrier code, voucher id."""


@dataclass(frozen=True, slots=True)
class Holds:
    """Alibaba holds shipments of the order."""

    shipments: tuple[HeldShipment, ...]


@dataclass(frozen=True, slots=True)
class HoldsNone:
    """Order status and logistics both say that there is no shipment."""

    order_status: OrderStatus


@dataclass(frozen=True, slots=True)
class Contradicts:
    """Order status and logistics disagree, or leave doubt."""


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """No usable answer."""

    code: str | None = None


LookupAnswer = Holds | HoldsNone | Contradicts | LookupFailed

# --------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class ShipmentArrived:
    """A shipping system published a shipment, a correction or a void."""

    shipment: Shipment
    raw: bytes
    """The record's value, untouched."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CommandArrived:
    """An operator decided about this order."""

    command: Command


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """`facts.order` is new; None means that the order was erased."""


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """`facts.store` is new. Also to be reported for open entries when stores changed while nobody looked."""


@dataclass(frozen=True, slots=True)
class ProofArrived:
    """The answer to a claim: the hashes of its pages, or why there are none."""

    claim_id: str
    page_sha256s: tuple[str, ...] = ()
    refusal: str | None = None
    refusal_detail: str | None = None


@dataclass(frozen=True, slots=True)
class ProofOverdue:
    """The claim was asked for and not answered within `claim_timeout_s`."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Alibaba stored the proof's pages. With `claim_id`, a proof of an older claim is not used."""

    file_paths: tuple[str, ...]
    proof_sha256: tuple[str, ...]
    claim_id: str | None = None


@dataclass(frozen=True, slots=True)
class UploadFailed:
    """Alibaba did not store the proof's pages; an upload may be repeated whatever went wrong."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call of a `StartCall` came to an end. With its `attempt`, an older call's end is known as such."""

    outcome: CallOutcome
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class CallNeverStarted:
    """The lease of the call ran out before it could start; it never will."""

    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Alibaba was asked what it holds. `asked_at` is when the question left; without it, now."""

    answer: LookupAnswer
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """This process is the new owner; the old one is fenced, but a call of it may still act."""


@dataclass(frozen=True, slots=True)
class DueReached:
    """The entry's due time has come."""


Event = (
    ShipmentArrived
    | CommandArrived
    | OrderChanged
    | StoreChanged
    | ProofArrived
    | ProofOverdue
    | Uploaded
    | UploadFailed
    | CallEnded
    | CallNeverStarted
    | LookedUp
    | TakenOver
    | DueReached
)

# ------------------------------------------------------------------------------------------ decisions


@dataclass(frozen=True, slots=True)
class DeclareRequest:
    """The one call that must not happen twice, in words of ours; the client gives it Alibaba's form."""

    trade_id: str
    carrier_code: str
    logistics_type: LogisticsType
    tracking_number: str
    contact_mobile: str | None
    """Last four digits of the recipient's phone, for carriers that ask for them."""
    file_paths: tuple[str, ...]

    def canonical_json(self) -> str:
        """Sorted keys, no spaces, nothing empty: equal requests give equal text."""
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        content = {name: value for name, value in fields if value}
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()

    def sha256(self) -> str:
        """Lower-case hex SHA-256 of the canonical text."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class SendHint:
    """Ask the importer to read this order now."""


@dataclass(frozen=True, slots=True)
class StartCall:
    """Declare the shipment: after the entry is committed, within `call_start_s`, or never."""

    request: DeclareRequest
    attempt: int


@dataclass(frozen=True, slots=True)
class StartLookUp:
    """Ask Alibaba what it holds of this order: order status and logistics."""


Effect = SendHint | StartCall | StartLookUp


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write, tell and do, in one transaction; effects start after its commit.

    Notifications and effects never come without an entry, so whoever loses the commit loses all of it.
    """

    entry: LedgerEntry | None = None
    """The entry to write; None when nothing changes."""
    notifications: tuple[Notification, ...] = ()
    effects: tuple[Effect, ...] = ()
    dead: DeadReason | None = None
    """The event's record belongs to the dead letters, for this reason."""


NOTHING = Decision()
"""The event changes nothing."""
