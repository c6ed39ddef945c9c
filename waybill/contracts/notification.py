"""Notification: what became of a shipment, and why. The only public way out."""

from pydantic import Field

from waybill.contracts.base import Id, OpenEnum, Record, Sha256, Text, Timestamp


class Outcome(OpenEnum):
    """What was decided."""

    UNRECOGNISED = "UNRECOGNISED"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    REJECTED = "rejected"
    PARKED = "parked"
    VOIDED = "voided"
    TOO_LATE = "too_late"
    DUPLICATE = "duplicate"
    DRY_RUN = "dry_run"
    IN_DOUBT = "in_doubt"


class Reason(OpenEnum):
    """Why: one closed list for ledger entries, notifications, metrics and the documentation."""

    UNRECOGNISED = "UNRECOGNISED"
    # waiting
    ORDER_UNKNOWN = "order_unknown"
    ORDER_HELD = "order_held"
    ORDER_NOT_SHIPPABLE_YET = "order_not_shippable_yet"
    NO_TRACKING_NUMBER = "no_tracking_number"
    CARRIER_UNMAPPED = "carrier_unmapped"
    PARTS_MISSING = "parts_missing"
    STORE_NOT_CONNECTED = "store_not_connected"
    DRY_RUN = "dry_run"
    # refused by a rule
    ORDER_ALREADY_SHIPPED = "order_already_shipped"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_OF_ANOTHER_STORE = "order_of_another_store"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"
    PARTIAL_SHIPMENT = "partial_shipment"
    BEFORE_START = "before_start"
    RETURN_SHIPMENT = "return_shipment"
    TEST_SHIPMENT = "test_shipment"
    TOO_LARGE = "too_large"
    TOO_MANY_SHIPMENTS = "too_many_shipments"
    ITEMS_NOT_IN_ORDER = "items_not_in_order"
    # said by Alibaba
    REJECTED_BY_ALIBABA = "rejected_by_alibaba"
    NOT_SENT = "not_sent"
    THROTTLED = "throttled"
    UNAUTHORISED = "unauthorised"
    OUTCOME_UNKNOWN = "outcome_unknown"
    # needs a person
    PROOF_REFUSED = "proof_refused"
    NO_PROOF = "no_proof"
    LOOKUPS_CONTRADICT = "lookups_contradict"
    ASK_OPERATOR = "ask_operator"
    LEDGER_UNREADABLE = "ledger_unreadable"
    # changes
    CORRECTION_TOO_LATE = "correction_too_late"
    VOID_TOO_LATE = "void_too_late"
    TAKEN_BACK = "taken_back"
    SAME_PARCEL = "same_parcel"
    ANNOUNCED = "announced"
    FOUND_BY_LOOKUP = "found_by_lookup"
    # decided by an operator
    RELEASED = "released"
    RESEND_ASKED = "resend_asked"
    NOT_AT_ALIBABA = "not_at_alibaba"
    CANCELLED_BY_OPERATOR = "cancelled_by_operator"
    ACKNOWLEDGED = "acknowledged"


class Notification(Record):
    """One decision on one shipment. Equal decisions have equal ids: keep them, and count each once."""

    notification_id: Id = Field(
        description="Derived from order key and entry revision, and from the shipment where one decision is "
        "told to several publishers; equal when published twice."
    )
    order_key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    trade_id: Id = Field(description="Number of the order at the site.")
    store_id: Id | None = Field(None, description="The store, once the order is known.")
    shipment_id: Id | None = Field(None, description="The shipment that the decision is about.")
    shipment_revision: int | None = Field(None, description="Its revision.")
    part_shipment_ids: tuple[Id, ...] = Field(
        (),
        description="Further shipments that the decision is about, where parts are collected.",
        max_length=64,
    )
    outcome: Outcome = Field(description="What was decided.")
    reason: Reason | None = Field(None, description="Why.")
    message: Text = Field(description="The same in words, and what to do; no personal data.")
    entry_revision: int = Field(description="Revision of the ledger entry that took the decision.")
    decided_at: Timestamp = Field(description="When, UTC milliseconds.")
    winner_shipment_id: Id | None = Field(
        None, description="The shipment that holds the order, if another one does."
    )
    tracking_number: Text | None = Field(
        None, description="Tracking number that Alibaba has, or was to get."
    )
    carrier_code: Text | None = Field(None, description="Alibaba's code of the carrier.")
    voucher_id: Text | None = Field(None, description="Alibaba's id of the shipment.")
    proof_sha256: tuple[Sha256, ...] = Field(
        (), description="Hashes of the proof pages that were uploaded or shown.", max_length=20
    )
    request: Text | None = Field(
        None, description="The request that a dry run would have sent, canonical JSON."
    )
    error_code: Text | None = Field(None, description="Alibaba's error code.")
    request_id: Text | None = Field(
        None, description="Alibaba's request id, to quote to its support."
    )
    attempt: int | None = Field(None, description="Number of declare calls made so far.")
    needs_operator: bool = Field(False, description="True when a person has to decide.")
    mail_buyer: bool = Field(
        False,
        description="True when a mailer is to tell the buyer: the store wants it, and the shipping system "
        "does not do it itself. Only on the first confirmation of a shipment.",
    )
