"""What a partition remembers of the orders that it has published, in its local store.

    s/<order key>                        what was seen (`ImportSeen`)
    r/<store> 0 <order key>              open and held orders: what may have to be read again
    k/<store> 0 <code> 0 <order key>     the same by the codes of their items
    o/<store> 0 <order key>              orders that are owed: listed, and not read yet

The last three only point: what they point at is looked at before anything is done about it, so one that is
out of date costs a look. Those that are found so are removed.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from services.importer.changes import owed, rank
from services.importer.enriching import made_with
from services.importer.enrichments import EnrichmentView
from services.importer.statuses import mapping_version
from waybill.contracts import ImportSeen, Store
from waybill.contracts.codec import Codec
from waybill.contracts.headers import SEEN_REREAD
from waybill.contracts.keys import order_key, parse_order_key
from waybill.streaming.records import Header, Inbound
from waybill.streaming.store import Changes, LocalStore

REREAD_MAX: Final = 100_000
"""Orders of a store that are looked at after a change of its mapping; the rest follows as they change."""
_PAGE: Final = 1_000


class OrderMemory:
    """See the module. Reads what is committed; `keep` says what to write."""

    def __init__(
        self, store: LocalStore, codec: Codec[ImportSeen], enrichments: EnrichmentView
    ) -> None:
        self._store = store
        self._codec = codec
        self._enrichments = enrichments

    def absorb(self, changes: Changes, record: Inbound) -> None:
        """Take in a record of the topic, at a takeover."""
        key = record.key or b""
        if record.value is None:
            changes.delete(b"s/" + key)
            return
        changes.put(b"s/" + key, record.value)
        if record.header(SEEN_REREAD):
            self._point(changes, self._codec.decode(record.value))

    def keep(self, changes: Changes, seen: ImportSeen, value: bytes) -> None:
        """Remember an order from the next commit on; `value` is the record's value."""
        changes.put(b"s/" + seen.order_key.encode(), value)
        self._point(changes, seen)

    def _point(self, changes: Changes, seen: ImportSeen) -> None:
        store_id, key = seen.store_id.encode(), seen.order_key.encode()
        place = b"r/" + store_id + b"\0" + key
        if not reread_headers(seen):
            changes.delete(place)
            changes.delete(b"o/" + store_id + b"\0" + key)
            return
        changes.put(place, b"")
        for code in seen.codes:
            changes.put(_code_prefix(seen.store_id, code) + key, b"")
        if owed(seen):
            changes.put(b"o/" + store_id + b"\0" + key, b"")
        else:
            changes.delete(b"o/" + store_id + b"\0" + key)

    def seen(self, key: str) -> ImportSeen | None:
        """What was last published of an order."""
        return next(self._seen([key.encode()]), None)

    def _seen(self, keys: list[bytes]) -> Iterator[ImportSeen]:
        values = self._store.get_many([b"s/" + key for key in keys]) if keys else []
        return (self._codec.decode(value) for value in values if value is not None)

    def outdated(self, store: Store) -> list[str]:
        """Open and held orders that were made with another table or other enrichments; the urgent first."""
        prefix = b"r/" + store.store_id.encode() + b"\0"
        found = islice(self._pointed(prefix, store.store_id), REREAD_MAX)
        return _ranked(seen for seen in found if self._is_outdated(store, seen))

    def owed(self, store_id: str) -> list[str]:
        """Orders that the site listed and did not give."""
        prefix = b"o/" + store_id.encode() + b"\0"
        found = islice(self._pointed(prefix, store_id), REREAD_MAX)
        return [seen.order_key for seen in found if owed(seen)]

    def touched(self, store: Store, enrichment_key: str) -> list[str]:
        """Open and held orders that changed enrichments make look different."""
        _, kind, subject = enrichment_key.split("/", 2)
        if kind == "order":
            try:
                seen = self.seen(order_key(store.site, subject))
            except ValueError:
                return []
            found = [seen] if seen and seen.store_id == store.store_id else []
        else:
            prefix = _code_prefix(store.store_id, subject)
            found = list(islice(self._pointed(prefix, store.store_id), REREAD_MAX))
        return _ranked(one for one in found if self._is_outdated(store, one))

    def _is_outdated(self, store: Store, seen: ImportSeen) -> bool:
        if seen.erased or not (seen.open or seen.held):
            return False
        trade_id = parse_order_key(seen.order_key).trade_id
        facts = self._enrichments.facts(store.store_id, trade_id, seen.codes)
        return seen.made_with != made_with(mapping_version(store), facts)

    def _pointed(self, prefix: bytes, store_id: str) -> Iterator[ImportSeen]:
        """What the pointers under a prefix point at, removing those that are out of date."""
        after = b""
        while page := self._store.scan(prefix, _PAGE, after):
            after = page[-1][0]
            there = {
                seen.order_key.encode(): seen
                for seen in self._seen([place[len(prefix) :] for place, _ in page])
            }
            stale = Changes()
            for place, _ in page:
                seen = there.get(place[len(prefix) :])
                if seen is not None and seen.store_id == store_id and reread_headers(seen):
                    yield seen
                else:
                    stale.delete(place)
            if stale.deletes:
                self._store.apply(stale, {})


def reread_headers(seen: ImportSeen) -> list[Header]:
    """The header of a record whose order may have to be read again."""
    return [(SEEN_REREAD, seen.store_id.encode())] if seen.open or seen.held else []


def _code_prefix(store_id: str, code: str) -> bytes:
    return b"k/" + store_id.encode() + b"\0" + code.encode() + b"\0"


def _ranked(found: Iterable[ImportSeen]) -> list[str]:
    return [key for _, key in sorted((rank(seen), seen.order_key) for seen in found)]
