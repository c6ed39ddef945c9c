"""What a partition knows of enrichments: a view of its part of the topic.

A record that lies on another partition than its store's is forwarded once and taken away from where it
lay, and one that nobody can read is a dead letter. Both wait in the view until a transaction carries them, so
that a crash in between loses none.
"""

import orjson
import structlog

from services.importer.enriching import NOTHING, Facts
from services.importer.metrics import ImporterMetrics
from waybill.contracts.codec import Codec, DeadReason, DecodeError
from waybill.contracts.enrichment import (
    Enrichment,
    order_enrichment_key,
    sku_enrichment_key,
    store_of_key,
)
from waybill.contracts.headers import WB_REROUTED
from waybill.contracts.identity import check_key
from waybill.contracts.keys import partition_of
from waybill.streaming.dead_letters import dead_letter, forwarded
from waybill.streaming.ports import Batch
from waybill.streaming.records import Inbound, Outbound
from waybill.streaming.store import Changes, LocalStore

log = structlog.get_logger()

TOPIC = "enrichments"
_FACTS = b"e/"
_MISPLACED = b"wf/"
_UNREADABLE = b"wd/"
_BATCH = 100
"""Misplaced and unreadable records of one transaction."""


class EnrichmentView:
    """One partition's enrichments, in its local store under `e/`, `wf/` and `wd/`."""

    def __init__(
        self,
        number: int,
        partitions: int,
        store: LocalStore,
        codec: Codec[Enrichment],
        metrics: ImporterMetrics,
    ) -> None:
        self._number = number
        self._partitions = partitions
        self._store = store
        self._codec = codec
        self._metrics = metrics
        self._waiting = bool(store.scan(b"w", 1))
        self._any = bool(store.scan(_FACTS, 1))

    # ---------------------------------------------------------------------------------------- taking

    def take(self, changes: Changes, record: Inbound) -> str | None:
        """Take in a record of the topic; the key whose facts are others now, if they are."""
        store_id = store_of_key(record.key)
        if store_id is None:
            detail = "want a key <store id>/order/<trade id> or <store id>/sku/<sku>"
            self._unreadable(changes, record, DecodeError(DeadReason.KEY_MISMATCH, detail))
            return None
        if partition_of(store_id, self._partitions) != self._number:
            self._misplaced(changes, record)
            return None
        try:
            return self._facts(changes, record)
        except DecodeError as error:
            self._unreadable(changes, record, error)
            return None

    def _facts(self, changes: Changes, record: Inbound) -> str | None:
        key = record.key or b""
        place = _FACTS + key
        if record.value is None:
            changes.delete(place)
            self._metrics.enrichments.labels("taken").inc()
            return key.decode()
        given = self._codec.decode(record.value)
        check_key(key, given)
        known = changes.puts.get(place)
        if known is None and place not in changes.deletes:
            (known,) = self._store.get_many([place])
        if known is not None and self._codec.decode(known).given_at > given.given_at:
            self._metrics.enrichments.labels("older").inc()
            return None  # it came late, or was read again
        self._any = True
        self._metrics.enrichments.labels("taken").inc()
        changes.put(place, record.value)
        return key.decode()

    def _misplaced(self, changes: Changes, record: Inbound) -> None:
        place = _MISPLACED + (record.key or b"")
        if record.header(WB_REROUTED) is None:
            changes.put(place, _packed(record, None))
        elif record.value is None:
            changes.delete(place)  # our own mark: what lay here has been forwarded
            return
        else:
            error = DecodeError(DeadReason.WRONG_PARTITION, "forwarded once, and wrong again")
            self._unreadable(changes, record, error)
        self._waiting = True

    def _unreadable(self, changes: Changes, record: Inbound, error: DecodeError) -> None:
        log.error("enrichment_unreadable", offset=record.offset, reason=str(error))
        changes.put(_UNREADABLE + record.offset.to_bytes(8, "big"), _packed(record, error))
        self._waiting = True

    # ------------------------------------------------------------------------------- forwarding

    @property
    def waiting(self) -> bool:
        """Whether `flush` may have something to write."""
        return self._waiting

    def flush(self, batch: Batch, group: str, now_ms: int) -> None:
        """Forward what is misplaced and give up what is unreadable, a bounded number at once."""
        waiting = self._store.scan(b"w", _BATCH)
        self._waiting = len(waiting) == _BATCH or any(
            place.startswith((_MISPLACED, _UNREADABLE)) for place in batch.changes.puts
        )
        for place, packed in waiting:
            record, why = _unpacked(packed, self._number)
            batch.changes.delete(place)
            if why is not None:
                reason, detail = why
                batch.outputs.append(
                    dead_letter(record, reason, detail, group=group, now_ms=now_ms)
                )
                self._metrics.dead_letters.labels(reason.value).inc()
                self._metrics.enrichments.labels("unreadable").inc()
                continue
            self._metrics.enrichments.labels("forwarded").inc()
            store_id = store_of_key(record.key) or ""
            batch.outputs.append(forwarded(record, partition_of(store_id, self._partitions)))
            mark = [(WB_REROUTED, str(self._number).encode())]
            batch.outputs.append(Outbound(TOPIC, self._number, record.key, None, mark))

    # ---------------------------------------------------------------------------------------- asking

    def facts(self, store_id: str, trade_id: str, codes: tuple[str, ...]) -> Facts:
        """All that is known of an order and the articles in it."""
        if not self._any:
            return NOTHING
        keys = [order_enrichment_key(store_id, trade_id)]
        keys += [sku_enrichment_key(store_id, code) for code in codes]
        values = self._store.get_many([_FACTS + key.encode() for key in keys])
        of_order, *of_codes = [self._codec.decode(value) if value else None for value in values]
        by_code = {code: facts for code, facts in zip(codes, of_codes, strict=True) if facts}
        return Facts(of_order, by_code) if of_order or by_code else NOTHING


def _packed(record: Inbound, error: DecodeError | None) -> bytes:
    headers = [(name, value.hex() if value is not None else None) for name, value in record.headers]
    return orjson.dumps(
        {
            "offset": record.offset,
            "at": record.timestamp_ms,
            "key": record.key.hex() if record.key is not None else None,
            "value": record.value.hex() if record.value is not None else None,
            "headers": headers,
            "why": (error.reason.value, error.detail) if error else None,
        }
    )


def _unpacked(packed: bytes, number: int) -> tuple[Inbound, tuple[DeadReason, str] | None]:
    found = orjson.loads(packed)
    headers = [(name, _bytes(value)) for name, value in found["headers"]]
    key, value = _bytes(found["key"]), _bytes(found["value"])
    record = Inbound(TOPIC, number, found["offset"], key, value, headers, found["at"])
    why = (DeadReason(found["why"][0]), str(found["why"][1])) if found["why"] else None
    return record, why


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
