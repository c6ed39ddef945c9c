"""What one record means: an event for the rule, a record sent on to its right partition, or a dead letter.

A record that cannot be read never stops the stream: it goes to the dead letters, and with it why.
"""

from collections.abc import Callable

import structlog

from services.notifier.batch import Turn
from services.notifier.orders import kept_form
from services.notifier.rule import (
    CommandArrived,
    Event,
    OrderChanged,
    ProofArrived,
    ShipmentArrived,
    judge,
)
from services.notifier.scheduling import Phase
from services.notifier.shared import Shared
from waybill.contracts.codec import CONFLUENT, DeadReason, DecodeError
from waybill.contracts.command import CommandKind, is_loss_key
from waybill.contracts.headers import WB_REROUTED
from waybill.contracts.identity import check_key
from waybill.contracts.ledger import State
from waybill.contracts.topics import topics
from waybill.streaming.dead_letters import dead_letter, fits, forwarded, misplaced
from waybill.streaming.errors import FatalError
from waybill.streaming.records import Inbound

log = structlog.get_logger()

_WHY_DEAD = {
    DeadReason.TOO_MANY_SHIPMENTS: "the order has seen too many shipment ids; an operator has to look",
    DeadReason.INVALID: "action, covers_order or logistics_type has a word that this version does not "
    "know; bring it back after an upgrade",
}

Decide = Callable[[Turn, str, Event], DeadReason | None]
"""Asks the rule, and puts its answer into the turn; a reason when the event is to be a dead letter."""


class Intake:
    """Reads the records of one owned partition; it keeps nothing between them."""

    def __init__(self, shared: Shared, decide: Decide) -> None:
        self._shared = shared
        self._decide = decide

    def take(self, turn: Turn, record: Inbound) -> None:
        """Put into the turn what one record leads to; never raises for a record that is wrong.

        Raises FatalError when no record can be judged, e.g. while the registry is away.
        """
        turn.follow_trace(record)
        try:
            self._read(turn, record)
            self._shared.failures.succeeded(record.topic)
        except DecodeError as error:
            self._dead(turn, record, error.reason, error.detail)
        except FatalError:
            raise
        except Exception as error:
            log.exception("record_failed", topic=record.topic, offset=record.offset)
            self._shared.failures.failed(record.topic, error)
            self._dead(turn, record, DeadReason.PROCESSING_FAILED, type(error).__name__)

    def _read(self, turn: Turn, record: Inbound) -> None:
        if record.key is None:
            raise DecodeError(DeadReason.NO_KEY, "no key; want the order key <site>:<trade_id>")
        if record.topic == "commands" and is_loss_key(record.key):
            return  # for the runtime, of this partition whatever its key hashes to
        right = misplaced(record, self._shared.partitions)
        if right is not None:
            self._reroute(turn, record, right)
            return
        key = record.key.decode(errors="replace")
        match record.topic:
            case "shipments":
                self._shipment(turn, key, record)
            case "orders":
                self._order(turn, key, record)
            case "proofs":
                self._proof(turn, key, record)
            case "commands":
                self._command(turn, key, record)
            case _:
                raise RuntimeError(f"{record.topic} is no input of the notifier")

    def _reroute(self, turn: Turn, record: Inbound, right: int) -> None:
        if record.header(WB_REROUTED) is not None:
            raise DecodeError(
                DeadReason.WRONG_PARTITION,
                f"on partition {record.partition} a second time; the key belongs to {right}",
            )
        if not fits(sent := forwarded(record, right), topics()[record.topic].bytes_max):
            raise DecodeError(
                DeadReason.WRONG_PARTITION,
                f"the key belongs to partition {right}, and the record is too large to be forwarded",
            )
        self._shared.metrics.rerouted.labels(record.topic).inc()
        turn.batch.outputs.append(sent)

    def _dead(self, turn: Turn, record: Inbound, reason: DeadReason, detail: str) -> None:
        log.warning(
            "dead_letter",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason.value,
            detail=detail,
        )
        self._shared.metrics.dead_letters.labels(reason.value).inc()
        group, now_ms = self._shared.group, self._shared.now_ms
        turn.batch.outputs.append(dead_letter(record, reason, detail, group=group, now_ms=now_ms))

    def _shipment(self, turn: Turn, key: str, record: Inbound) -> None:
        shipment = self._shared.codecs.recent_shipments.decode(record.value)
        check_key(record.key, shipment)
        raw = record.value or b""
        if raw[:1] == CONFLUENT:  # the ledger must be readable without a registry
            raw = self._shared.codecs.shipment.encode(shipment)
        event = ShipmentArrived(shipment, raw, len(record.value or b""))
        dead = self._decide(turn, key, event)
        if dead is not None:
            raise DecodeError(dead, _WHY_DEAD[dead])

    def _command(self, turn: Turn, key: str, record: Inbound) -> None:
        """An operator's decision; one that does not apply changes nothing and tells nobody, since it may be
        read again years later. Whoever writes one judges it by the same rule and looks at the entry."""
        command = self._shared.codecs.command.decode(record.value)
        check_key(record.key, command)
        if command.kind is CommandKind.UNRECOGNISED:
            raise DecodeError(
                DeadReason.INVALID, "a kind of command that this version does not know"
            )
        if (before := turn.readable(key)) is None and turn.has_entry(key):
            return  # the entry cannot be read, which is answered
        verdict = judge(before, command)
        self._decide(turn, key, CommandArrived(command))
        applied = turn.entry(key) is not before
        outcome = "applied" if applied else "ignored"
        self._shared.metrics.commands.labels(command.kind.value, outcome).inc()
        log.info(
            "command",
            order_key=key,
            kind=command.kind.value,
            command_id=command.command_id,
            outcome=outcome,
            why=verdict.words,
        )

    def _order(self, turn: Turn, key: str, record: Inbound) -> None:
        if record.value is None:
            turn.order_gone(key)
        else:
            check_key(record.key, self._shared.codecs.recent_orders.decode(record.value))
            turn.order_seen(key, kept_form(record, self._shared.codecs.order))
        if turn.has_entry(key):
            self._decide(turn, key, OrderChanged())

    def _proof(self, turn: Turn, key: str, record: Inbound) -> None:
        proof = self._shared.codecs.proof.decode(record.value)
        if not proof.pages and proof.refusal is None:
            return  # no answer: it becomes overdue
        hashes = tuple(page.sha256 for page in proof.pages)
        event = ProofArrived(proof.claim_id, hashes, proof.refusal, proof.refusal_detail)
        work = self._shared.works.get(key)
        if work is None and (parked := turn.readable(key)) and parked.state is State.PARKED:
            self._decide(turn, key, event)  # after all: it was parked for want of this proof
        if work is None or work.phase is not Phase.ASKED or work.claim_id != proof.claim_id:
            return  # an older claim's, or asked for twice: the image is never state
        entry = turn.entry(key)
        self._decide(turn, key, event)
        after = turn.entry(key)
        claim_id = after.claim.claim_id if after is not None and after.claim else None
        untouched = after is not None and after is entry and after.state is State.CLAIMED
        goes_on = untouched and claim_id == proof.claim_id
        if not (goes_on and self._shared.upload(work, proof)):
            turn.release(key)
