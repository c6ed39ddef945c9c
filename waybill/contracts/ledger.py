"""LedgerEntry: the life of an order's one shipment. Written by the notifier alone; the last record of a key is all there is."""

from pydantic import Field

from waybill.contracts.base import Id, LogisticsType, OpenEnum, Record, Sha256, Text, Timestamp
from waybill.contracts.notification import Reason


class State(OpenEnum):
    """Where the order's shipment stands; `UNRECOGNISED` means hands off and alert."""

    UNRECOGNISED = "UNRECOGNISED"
    WAITING = "waiting"
    CLAIMED = "claimed"
    DISPATCHED = "dispatched"
    CONFIRMED = "confirmed"
    IN_DOUBT = "in_doubt"
    REJECTED = "rejected"
    PARKED = "parked"
    VOIDED = "voided"


class SeenEnd(OpenEnum):
    """What became of a shipment id that the entry has seen."""

    UNRECOGNISED = "UNRECOGNISED"
    CURRENT = "current"
    REFUSED = "refused"
    VOIDED = "voided"
    SAME_PARCEL = "same_parcel"
    PART = "part"


class Seen(Record):
    """The highest revision seen of one shipment id; anything at or below it is a no-op."""

    shipment_id: Id = Field(description="The shipping system's id.")
    revision: int = Field(description="Highest revision seen.")
    end: SeenEnd = Field(description="What became of it.")


class LedgerPart(Record):
    """A shipment that covers a part of the order and waits for the others."""

    shipment_id: Id = Field(description="The shipping system's id.")
    revision: int = Field(description="Its revision.")
    final: bool = Field(False, description="True when the publisher says that nothing follows.")
    shipment: bytes = Field(description="The untouched Shipment.")


class ClaimRef(Record):
    """The proof that was asked for."""

    claim_id: Id = Field(description="A proof must carry it to count.")
    asks: int = Field(1, description="How often it was asked for without an answer in time.")
    issued_at: Timestamp = Field(description="Time printed on the proof, UTC milliseconds.")


class Attempt(Record):
    """The declare call: everything needed to know later what was sent."""

    number: int = Field(description="1 for the first call.")
    request_sha256: Sha256 = Field(description="Hash of the canonical request.")
    tracking_number: Text = Field(description="As sent; compared with what a look-up finds.")
    carrier_code: Text = Field(description="As sent.")
    logistics_type: LogisticsType = Field(description="As sent.")
    file_paths: tuple[Text, ...] = Field(
        (), description="Alibaba's paths of the uploaded proof pages.", max_length=20
    )
    proof_sha256: tuple[Sha256, ...] = Field(
        (), description="Hashes of those pages.", max_length=20
    )
    dispatched_at: Timestamp | None = Field(
        None, description="Written before the first byte of the call, UTC milliseconds."
    )
    quiet_since: Timestamp | None = Field(
        None,
        description="From then on no call of this attempt was under way, by the clock of the current owner, UTC milliseconds.",
    )


class Lookups(Record):
    """What Alibaba answered when asked whether it holds a shipment."""

    made: int = Field(0, description="Look-ups made.")
    none_at: tuple[Timestamp, ...] = Field(
        (), description="Times of the answers 'none' that count, UTC milliseconds.", max_length=8
    )
    contradictions: int = Field(0, description="Answers whose status and logistics disagree.")


class ResultVia(OpenEnum):
    """How the confirmation was learnt."""

    UNRECOGNISED = "UNRECOGNISED"
    CALL = "call"
    LOOKUP = "lookup"


class Result(Record):
    """Alibaba has it."""

    voucher_id: Text | None = Field(None, description="Alibaba's id of the shipment, if it told.")
    via: ResultVia = Field(description="By the call's own answer or by a look-up.")
    at: Timestamp = Field(description="When it was learnt, UTC milliseconds.")


class Step(Record):
    """One line of the history."""

    at: Timestamp = Field(description="When, UTC milliseconds.")
    state: State = Field(description="State entered.")
    reason: Reason | None = Field(None, description="Why.")


class LedgerEntry(Record):
    """One per order. While open it carries shipment and order untouched; once finished it keeps no personal data."""

    key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    store_id: Id | None = Field(None, description="The store, once the order is known.")
    revision: int = Field(description="Grows by one with each write.")
    state: State = Field(description="Where the shipment stands.")
    reason: Reason | None = Field(None, description="Why it stands there.")
    due_at: Timestamp | None = Field(
        None, description="When the entry wants to be looked at again, UTC milliseconds."
    )
    claimed_at: Timestamp | None = Field(
        None, description="When it joined the queue of its store, UTC milliseconds."
    )
    shipment_id: Id | None = Field(None, description="The shipment that holds the order.")
    shipment_revision: int | None = Field(None, description="Its revision.")
    parcel_sha256: Sha256 | None = Field(
        None,
        description="Hash of carrier and normalised tracking number: the same parcel under another id.",
    )
    shipment: bytes | None = Field(
        None, description="The untouched Shipment; dropped when finished."
    )
    order: bytes | None = Field(
        None, description="The untouched Order that the claim was made from; dropped when finished."
    )
    order_sha256: Sha256 | None = Field(None, description="Content hash of that order.")
    parts: tuple[LedgerPart, ...] = Field((), description="Parts collected so far.", max_length=64)
    seen: tuple[Seen, ...] = Field(
        (), description="Shipment ids seen, with their highest revision.", max_length=32
    )
    claim: ClaimRef | None = Field(None, description="The proof that was asked for.")
    attempt: Attempt | None = Field(None, description="The latest declare call.")
    lookups: Lookups | None = Field(None, description="Look-ups since the latest call.")
    result: Result | None = Field(None, description="How Alibaba came to hold it.")
    failures: int = Field(0, description="Failures in a row; decides the back-off.")
    error_code: Text | None = Field(None, description="Alibaba's latest error code.")
    request_id: Text | None = Field(None, description="Alibaba's latest request id.")
    attention: Reason | None = Field(
        None, description="Set when a person should look, e.g. a correction came too late."
    )
    last_command_id: Id | None = Field(None, description="Latest operator command applied.")
    history: tuple[Step, ...] = Field(
        (), description="The latest steps, oldest first.", max_length=32
    )
    partition_count: int = Field(
        description="Partition count of the installation when this was written."
    )
    writer: Text = Field(description="Version of the software that wrote it.")
