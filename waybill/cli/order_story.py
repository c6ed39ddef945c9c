"""What the topics tell of one order: its facts, its shipments, and every step with its time. Pure.

Steps name no buyer and no address; whoever needs those asks for the whole records.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from waybill.contracts import (
    RECORDS,
    Claim,
    LedgerEntry,
    Notification,
    Order,
    Proof,
    Shipment,
)
from waybill.contracts.base import Record, from_millis
from waybill.contracts.codec import Codec, DecodeError, SchemaBook
from waybill.contracts.headers import DLQ_ERROR, DLQ_REASON, DLQ_TOPIC, WB_REROUTED, last_text
from waybill.contracts.topics import topics
from waybill.streaming.records import Inbound

TOPICS = (
    "orders",
    "shipments",
    "ledger",
    "claims",
    "proofs",
    "notifications",
    "commands",
    "dead-letters",
)
"""What is read of an order; all of them keyed by it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, as one topic tells it."""

    at: datetime
    topic: str
    what: str
    detail: str = ""


@dataclass(slots=True)
class Story:
    """Everything that was read of one order."""

    key: str
    order: Order | None = None
    erased: bool = False
    """True when its personal data was erased and nothing newer of it was imported."""
    entry: LedgerEntry | None = None
    proof: Proof | None = None
    shipments: list[Shipment] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def known(self) -> bool:
        """Whether any topic holds a record of the order."""
        return bool(self.steps)

    @property
    def held(self) -> Shipment | None:
        """The shipment that holds the order, else the one published last."""
        wanted = self.entry.shipment_id if self.entry else None
        ours = [one for one in self.shipments if one.shipment_id == wanted]
        found = ours or self.shipments
        return found[-1] if found else None


def tell(key: str, records: Iterable[Inbound], book: SchemaBook) -> Story:
    """The story of one order from the records of its partition; other keys are passed over undecoded."""
    codecs = {topic: _codec(topic, book) for topic in TOPICS if topics()[topic].record}
    story = Story(key)
    for record in records:
        if record.key != key.encode():
            continue
        if record.topic == "dead-letters":
            story.steps.append(_dead_letter(record))
        elif record.value is None:
            story.steps.append(Step(_at(record), record.topic, "erased"))
            if record.topic == "orders":
                story.order, story.erased = None, True
        else:
            _take(story, record, codecs[record.topic])
    story.steps.sort(key=lambda step: step.at)
    return story


def _codec(topic: str, book: SchemaBook) -> Codec[Any]:
    name = topics()[topic].record or ""
    return Codec(RECORDS[name], name, book)


def _take(story: Story, record: Inbound, codec: Codec[Any]) -> None:
    try:
        decoded: Record = codec.decode(record.value, allow_json=topics()[record.topic].json_allowed)
    except DecodeError as error:
        detail = f"{error.reason}: {error.detail}"
        story.steps.append(Step(_at(record), record.topic, "cannot be read", detail))
        return
    _TAKERS[record.topic](story, record, decoded)


def _at(record: Inbound) -> datetime:
    return from_millis(max(0, record.timestamp_ms))


def _take_order(story: Story, record: Inbound, order: Any) -> None:
    story.order, story.erased = order, False
    why = ", ".join(order.not_importable)
    detail = f"{order.raw_status} at Alibaba" + (f"; cannot be shipped: {why}" if why else "")
    story.steps.append(Step(order.imported_at, record.topic, f"order {order.status}", detail))


def _take_shipment(story: Story, record: Inbound, shipment: Any) -> None:
    story.shipments.append(shipment)
    came = last_text(record.headers, WB_REROUTED)
    form = "JSON" if (record.value or b"")[:1] == b"{" else "Avro"
    detail = (
        f"{shipment.shipment_id} revision {shipment.effective_revision}, {form}"
        f"{', tracking number ' + shipment.tracking_number if shipment.tracking_number else ''}"
        f"{', forwarded from partition ' + came if came else ''}"
    )
    story.steps.append(Step(_at(record), record.topic, f"shipment {shipment.action}", detail))


def _take_entry(story: Story, _record: Inbound, entry: Any) -> None:
    # earlier revisions may be compacted away: the newest one's history tells the steps
    story.entry = entry
    kept = [step for step in story.steps if step.topic != "ledger"]
    told = [
        Step(step.at, "ledger", str(step.state), str(step.reason or "")) for step in entry.history
    ]
    story.steps = kept + told


def _take_claim(story: Story, record: Inbound, claim: Any) -> None:
    story.claims.append(claim)
    again = sum(one.claim_id == claim.claim_id for one in story.claims) > 1
    what = "proof asked for again" if again else "proof asked for"
    story.steps.append(Step(_at(record), record.topic, what, f"claim {claim.claim_id}"))


def _take_proof(story: Story, record: Inbound, proof: Any) -> None:
    story.proof = proof
    if proof.refusal:
        what, detail = f"proof refused: {proof.refusal}", proof.refusal_detail or ""
    else:
        size = sum(len(page.image) for page in proof.pages) / 1_000
        what, detail = "proof drawn", f"{len(proof.pages)} page(s), {size:.0f} kB"
    story.steps.append(Step(_at(record), record.topic, what, detail))


def _take_notification(story: Story, record: Inbound, notification: Any) -> None:
    story.notifications.append(notification)
    reason = f" ({notification.reason})" if notification.reason else ""
    detail = f"{notification.shipment_id}: {notification.message}"
    what = f"told: {notification.outcome}{reason}"
    story.steps.append(Step(notification.decided_at, record.topic, what, detail))


def _take_command(story: Story, _record: Inbound, command: Any) -> None:
    what = f"operator: {command.kind}"
    detail = f"{command.who}, at ledger revision {command.entry_revision}: {command.why}"
    story.steps.append(Step(command.issued_at, "commands", what, detail))


def _dead_letter(record: Inbound) -> Step:
    reason = last_text(record.headers, DLQ_REASON) or "no reason given"
    origin = last_text(record.headers, DLQ_TOPIC) or "a topic"
    detail = last_text(record.headers, DLQ_ERROR) or ""
    return Step(_at(record), record.topic, f"dead letter from {origin}: {reason}", detail)


_TAKERS: Mapping[str, Callable[[Story, Inbound, Any], None]] = {
    "orders": _take_order,
    "shipments": _take_shipment,
    "ledger": _take_entry,
    "claims": _take_claim,
    "proofs": _take_proof,
    "notifications": _take_notification,
    "commands": _take_command,
}


# ----------------------------------------------------------------------------------------------- facts


def order_facts(order: Order) -> dict[str, str]:
    """The order in a few lines, without a word about the buyer but the country."""
    total = order.totals.grand if order.totals else None
    quantity = f"{len(order.items)} line(s)"
    facts = {
        "order": order.key,
        "store": order.store_id,
        "status": f"{order.status} ({order.raw_status} at Alibaba)",
        "can be shipped": "yes" if order.importable else f"no: {', '.join(order.not_importable)}",
        "items": quantity,
        "total": f"{_plain(total.amount)} {total.currency}" if total else "-",
        "ships to": (order.ship_to.country_code or "-") if order.ship_to else "no address",
        "ordered": moment(order.ordered_at),
        "paid": moment(order.paid_at),
        "changed at Alibaba": moment(order.modified_at),
        "imported": moment(order.imported_at),
    }
    return {name: value for name, value in facts.items() if value != "-"}


def shipment_facts(story: Story) -> dict[str, str]:
    """The shipment that holds the order, and what became of it."""
    facts: dict[str, str] = {}
    shipment, entry = story.held, story.entry
    if shipment is not None:
        carrier = shipment.carrier
        facts |= {
            "shipment": f"{shipment.shipment_id} revision {shipment.effective_revision}",
            "carrier": (carrier.code or carrier.name or "-") if carrier else "-",
            "tracking number": shipment.tracking_number or "-",
            "left": moment(shipment.shipped_at),
        }
    if entry is not None:
        facts |= _entry_facts(entry)
    return {name: value for name, value in facts.items() if value != "-"}


def _entry_facts(entry: LedgerEntry) -> dict[str, str]:
    attempt, result = entry.attempt, entry.result
    return {
        "state": f"{entry.state}{f' ({entry.reason})' if entry.reason else ''}",
        "ledger revision": str(entry.revision),
        "needs a person": str(entry.attention or "-"),
        "next look": moment(entry.due_at),
        "calls to Alibaba": str(attempt.number) if attempt else "-",
        "declared as": f"{attempt.carrier_code} {attempt.tracking_number}" if attempt else "-",
        "voucher": (result.voucher_id or "-") if result else "-",
        "learnt by": str(result.via) if result else "-",
        "Alibaba's error code": entry.error_code or "-",
        "Alibaba's request id": entry.request_id or "-",
    }


def _plain(amount: Decimal) -> str:
    """`12.50` of 12.5000, and `12.3456` as it is."""
    cents = amount.quantize(Decimal("0.01"))
    return str(cents if cents == amount else amount)


def moment(at: datetime | None) -> str:
    """`2026-11-23 15:50:00.123Z`, or `-`."""
    if at is None:
        return "-"
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def as_json(story: Story, *, full: bool) -> dict[str, Any]:
    """The same for machines; whole records, with the buyer's data, only if wanted."""
    answer: dict[str, Any] = {
        "key": story.key,
        "order": order_facts(story.order) if story.order else None,
        "shipment": shipment_facts(story),
        "state": story.entry.state if story.entry else None,
        "reason": story.entry.reason if story.entry else None,
        "steps": [
            {"at": moment(s.at), "topic": s.topic, "what": s.what, "detail": s.detail}
            for s in story.steps
        ],
        "notifications": [one.model_dump(mode="json") for one in story.notifications],
        "proof": _proof_json(story.proof),
    }
    if full:
        answer["records"] = {
            "order": story.order.model_dump(mode="json") if story.order else None,
            "shipments": [one.model_dump(mode="json") for one in story.shipments],
        }
    return answer


def _proof_json(proof: Proof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    bare = proof.model_dump(mode="json", exclude={"pages"})
    pages = [
        {"media_type": p.media_type, "sha256": p.sha256, "bytes": len(p.image)} for p in proof.pages
    ]
    return {**bare, "pages": pages}
