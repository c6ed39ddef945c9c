"""Keys of the orders that meet a condition, read from the topics."""

from datetime import datetime

from waybill.cli.cluster import Cluster
from waybill.cli.errors import InputError
from waybill.cli.orders import learnt
from waybill.cli.segments import TopicReader
from waybill.cli.store_book import StoreBook
from waybill.contracts import Notification, Order
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.notification import Reason

_ORDERS_MAX = 2_000_000
"""Keys held at once: some 250 MB."""


def keys_of_store(cluster: Cluster, store_id: str) -> frozenset[bytes]:
    """The orders that were imported for a store; raises CommandError when there is no such store."""
    StoreBook(cluster).store(store_id)
    codec = Codec(Order, "order", learnt(cluster))
    reader = TopicReader(cluster, "orders")
    found: set[bytes] = set()
    for record in reader.read(reader.from_beginning()):
        if record.key is None or record.value is None:
            continue
        try:
            ours = codec.decode(record.value).store_id == store_id
        except DecodeError:
            continue  # its store cannot be told; `waybill orders show` says why
        if ours:
            found.add(record.key)
        else:
            found.discard(record.key)
        _check_room(found, "--store")
    return frozenset(found)


def keys_of_reason(cluster: Cluster, reason: Reason, since: datetime | None) -> frozenset[bytes]:
    """The orders whose last decision since then had this reason; a decision follows its shipment."""
    codec = Codec(Notification, "notification", learnt(cluster))
    reader = TopicReader(cluster, "notifications")
    segments = reader.from_beginning() if since is None else reader.from_time(since)
    found: set[bytes] = set()
    for record in reader.read(segments):
        if record.key is None:
            continue
        try:
            meant = codec.decode(record.value).reason is reason
        except DecodeError:
            continue
        if meant:
            found.add(record.key)
        else:
            found.discard(record.key)
        _check_room(found, "--reason")
    return frozenset(found)


def _check_room(found: set[bytes], option: str) -> None:
    if len(found) > _ORDERS_MAX:
        raise InputError(
            f"{option}: more than {_ORDERS_MAX} orders; choose a shorter time, or --order"
        )
