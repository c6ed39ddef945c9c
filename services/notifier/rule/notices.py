"""Notifications: what a publisher is told. Plain words, what to do, nothing personal."""

from uuid import UUID, uuid5

from services.notifier.rule.entry import part_ids
from services.notifier.rule.types import Facts
from waybill.contracts import LedgerEntry, Notification
from waybill.contracts.notification import Outcome, Reason

_NOTIFICATIONS = UUID("0d4c7f9e-2f5b-5c1e-8a7d-5b3a4f1c9e21")
DETAIL_CHARS_MAX = 500
"""Of a renderer's detail; the rest is in the proof record."""

MESSAGES: dict[tuple[Outcome, Reason | None], str] = {
    (Outcome.WAITING, Reason.ORDER_UNKNOWN): (
        "The order is not known yet and is being asked for at Alibaba; the shipment goes out by itself once "
        "it is imported. If this lasts, check the order number and whether its store is connected."
    ),
    (Outcome.WAITING, Reason.ORDER_HELD): (
        "The order was imported but cannot be shipped as it is, for example without a delivery address; the "
        "shipment goes out by itself once that is cured. The order's not_importable field says what is wrong."
    ),
    (Outcome.WAITING, Reason.ORDER_NOT_SHIPPABLE_YET): (
        "Alibaba does not wait for a shipment of this order yet, for example because its payment is not "
        "complete; the shipment goes out by itself once it does."
    ),
    (Outcome.WAITING, Reason.NO_TRACKING_NUMBER): (
        "The shipment has no tracking number; publish it again with one and a higher revision."
    ),
    (Outcome.WAITING, Reason.CARRIER_UNMAPPED): (
        "The carrier has no Alibaba code in the store's settings; add it to the store's carrier map, and the "
        "shipment goes out by itself."
    ),
    (Outcome.WAITING, Reason.PARTS_MISSING): (
        "The shipment is a part of the order and waits for the others: one notification goes to Alibaba when "
        "the parts cover the order, or when the one marked final and all those numbered before it are here."
    ),
    (Outcome.WAITING, Reason.STORE_NOT_CONNECTED): (
        "The order's store is not connected; connect it, and the shipment goes out by itself."
    ),
    (Outcome.DRY_RUN, Reason.DRY_RUN): (
        "The store is in dry run: proof and request are ready and nothing was sent. Check them, then switch "
        "the store to live, and the shipment goes out by itself."
    ),
    (Outcome.CONFIRMED, None): "Alibaba accepted the shipment.",
    (Outcome.CONFIRMED, Reason.FOUND_BY_LOOKUP): (
        "Alibaba holds the shipment: a look-up found its tracking number."
    ),
    (Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN): (
        "Alibaba's answer to the shipment was lost or unclear. Nothing is sent again before look-ups have "
        "shown whether Alibaba has it; there is nothing to do."
    ),
    (Outcome.REFUSED, Reason.ORDER_ALREADY_SHIPPED): (
        "Another shipment holds this order, and an order gets one. Nothing was sent for this one. To use it "
        "instead, void the other one while it is not sent, then publish this one with a higher revision."
    ),
    (
        Outcome.REFUSED,
        Reason.ORDER_CANCELLED,
    ): "The order is cancelled at Alibaba; nothing was sent.",
    (Outcome.REFUSED, Reason.ORDER_OF_ANOTHER_STORE): (
        "The order belongs to another store than the shipment names; nothing was sent. Correct order number "
        "or store and publish it again with a higher revision."
    ),
    (Outcome.REFUSED, Reason.SHIPPED_ELSEWHERE): (
        "Alibaba already has a shipment of this order that did not come from here; nothing is sent."
    ),
    (Outcome.REFUSED, Reason.PARTIAL_SHIPMENT): (
        "The shipment covers only a part of the order, and an order gets one shipment; nothing was sent. "
        "Publish one shipment that covers the whole order, with a higher revision or a new id; or let the "
        "store collect parts (partial_policy=collect), and publish them again with higher revisions."
    ),
    (Outcome.REFUSED, Reason.BEFORE_START): (
        "The shipment left before the store's ship-from date; nothing was sent. If it should be, set that "
        "date earlier and publish the shipment again with a higher revision."
    ),
    (Outcome.REFUSED, Reason.RETURN_SHIPMENT): "Returns are never sent to Alibaba.",
    (Outcome.REFUSED, Reason.TEST_SHIPMENT): "The shipment is marked as a test; nothing was sent.",
    (Outcome.REFUSED, Reason.TOO_LARGE): (
        "The shipment record is larger than 256 KiB and was not used. Shorten it, for example its item "
        "options, and publish it again with a higher revision."
    ),
    (Outcome.REFUSED, Reason.ITEMS_NOT_IN_ORDER): (
        "The shipment names order lines that the order lacks, or more than was ordered; nothing was sent. "
        "Correct line ids and quantities and publish it again with a higher revision."
    ),
    (Outcome.REJECTED, Reason.REJECTED_BY_ALIBABA): (
        "Alibaba refused the shipment for good; the error code says why. Correct it and publish it again "
        "with a higher revision, or publish another shipment."
    ),
    (Outcome.PARKED, Reason.PROOF_REFUSED): (
        "The proof of shipment could not be drawn. Correct the shipment and publish it again with a higher "
        "revision."
    ),
    (Outcome.PARKED, Reason.NO_PROOF): (
        "No proof of shipment was made in time; nothing was sent. It goes on by itself when the proof "
        "arrives: check that the proof service runs."
    ),
    (Outcome.PARKED, Reason.LOOKUPS_CONTRADICT): (
        "Alibaba's status of the order and its list of shipments disagree, so nobody can tell whether it has "
        "the shipment. Look at the order in Alibaba, then decide."
    ),
    (Outcome.PARKED, Reason.ASK_OPERATOR): (
        "The answer to the shipment was lost, and look-ups found no shipment. The store's settings ask for a "
        "person: look at the order in Alibaba, then decide whether it is sent again."
    ),
    (Outcome.VOIDED, Reason.TAKEN_BACK): (
        "The shipment was taken back; Alibaba was told nothing of it. The order is free for another one "
        "unless another shipment holds it."
    ),
    (Outcome.TOO_LATE, Reason.CORRECTION_TOO_LATE): (
        "The correction came after the shipment was sent to Alibaba, which cannot be changed from here. "
        "Should Alibaba turn out not to have it, the corrected shipment goes instead. Otherwise correct it "
        "in Alibaba."
    ),
    (Outcome.TOO_LATE, Reason.VOID_TOO_LATE): (
        "The shipment was taken back after it was sent to Alibaba, which cannot be changed from here. "
        "Should Alibaba turn out not to have it, it stays unsent. Otherwise settle it in Alibaba and with "
        "the buyer."
    ),
    (Outcome.WAITING, Reason.RELEASED): (
        "An operator released the shipment: it goes out by itself, with a new proof."
    ),
    (Outcome.IN_DOUBT, Reason.RELEASED): (
        "An operator released the shipment: Alibaba is looked up first. Only if it holds no shipment of this "
        "order does the shipment go out; where it was finished before, its content is gone, and the order is "
        "then free for a newly published shipment."
    ),
    (Outcome.IN_DOUBT, Reason.RESEND_ASKED): (
        "An operator found the shipment missing at Alibaba: it is looked up first. Only if Alibaba holds no "
        "shipment of this order is it sent again; where it was finished before, its content is gone, and the "
        "order is then free for a newly published shipment."
    ),
    (Outcome.VOIDED, Reason.NOT_AT_ALIBABA): (
        "Alibaba was looked up because an operator asked for it, and holds no shipment of this order: the "
        "order is free. Publish the shipment again with a higher revision, or another shipment."
    ),
    (Outcome.VOIDED, Reason.CANCELLED_BY_OPERATOR): (
        "An operator took the shipment back; Alibaba was told nothing of it. The order is free: publish the "
        "shipment again with a higher revision, or another shipment."
    ),
    (Outcome.CONFIRMED, Reason.ACKNOWLEDGED): (
        "Alibaba holds the shipment; the correction or void that came too late was dealt with by a person."
    ),
    (Outcome.DUPLICATE, Reason.SAME_PARCEL): (
        "The same carrier and tracking number are already known under another shipment id; they count as one "
        "shipment, and there is nothing to do."
    ),
}
"""The words for each outcome and reason."""


_ABOUT_A_CALL = frozenset(
    {Outcome.CONFIRMED, Outcome.IN_DOUBT, Outcome.REJECTED, Outcome.PARKED, Outcome.TOO_LATE}
)


def notice(
    entry: LedgerEntry, facts: Facts, outcome: Outcome, reason: Reason | None, **more: object
) -> Notification:
    """The notification of the decision that made `entry`, about the shipment that holds it; `more` overrides.

    Its id derives from order key and entry revision, so a decision that is taken again tells it once. What a
    decision tells about further shipments goes through `told_apart`.
    """
    call = entry.attempt if outcome in _ABOUT_A_CALL else None
    fields: dict[str, object] = {
        "notification_id": _id(entry.key, entry.revision),
        "order_key": entry.key,
        "trade_id": trade_id_of(entry.key),
        "store_id": entry.store_id,
        "shipment_id": entry.shipment_id,
        "shipment_revision": entry.shipment_revision,
        "outcome": outcome,
        "reason": reason,
        "message": MESSAGES[outcome, reason],
        "entry_revision": entry.revision,
        "decided_at": facts.now,
        "tracking_number": call.tracking_number if call else None,
        "carrier_code": call.carrier_code if call else None,
        "attempt": call.number if call else None,
        "error_code": entry.error_code if call else None,
        "request_id": entry.request_id if call else None,
    }
    fields |= more
    if fields["shipment_id"] == entry.shipment_id and "part_shipment_ids" not in fields:
        fields["part_shipment_ids"] = part_ids(entry)
    return Notification.model_validate(fields)


def told_apart(*notes: Notification) -> tuple[Notification, ...]:
    """What one decision tells several publishers: after the first, each id names its shipment too.

    One about a shipment that was told of before it says nothing new, and is left out.
    """
    told: dict[str | None, Notification] = {}
    for note in notes:
        named = _id(note.order_key, note.entry_revision, note.shipment_id or "")
        apart = note.model_copy(update={"notification_id": named}) if told else note
        told.setdefault(note.shipment_id, apart)
    return tuple(told.values())


def _id(*names: str | int) -> str:
    return str(uuid5(_NOTIFICATIONS, ":".join(map(str, names))))


def trade_id_of(key: str) -> str:
    """The order's number at its site."""
    return key.partition(":")[2]
