"""What a packing slip is made of: the order, the shipment to pack, and the store, as the topics hold them."""

from collections.abc import Iterable
from typing import NamedTuple

from waybill.cli.cluster import Cluster
from waybill.cli.errors import CommandError, InputError
from waybill.cli.order_story import Story, tell
from waybill.cli.orders_read import learnt
from waybill.cli.store_book import StoreBook
from waybill.contracts import Order, Shipment, Store
from waybill.contracts.keys import parse_order_key, partition_of
from waybill.contracts.shipment import Action
from waybill.streaming.records import Inbound

_TOPICS = ("orders", "shipments", "ledger")


class Packing(NamedTuple):
    """What one slip is made of."""

    key: str
    order: Order
    shipment: Shipment | None
    store: Store


def packings(
    cluster: Cluster, keys: Iterable[str], shipment_id: str | None, timeout_s: float
) -> list[Packing]:
    """The orders of these keys in their order; raises CommandError for the first that has no slip."""
    wanted = list(dict.fromkeys(map(_checked, keys)))
    told = _stories(cluster, wanted, timeout_s)
    stores = StoreBook(cluster).stores()
    return [_packing(story, stores, shipment_id, cluster.address) for story in told]


def shipment_of(story: Story, shipment_id: str | None = None) -> Shipment | None:
    """The shipment to pack: the one that is named, else the one that holds the order in the ledger.

    Before the ledger knows the order it is the one published last. Voided ones, returns and tests are none
    to pack. Raises CommandError when the one that is named is not there.
    """
    newest: dict[str, Shipment] = {}
    for shipment in story.shipments:
        known = newest.pop(shipment.shipment_id, shipment)
        newer = shipment.effective_revision >= known.effective_revision
        newest[shipment.shipment_id] = shipment if newer else known
    packed = {name: one for name, one in newest.items() if _is_packed(one)}
    if shipment_id is not None:
        if shipment_id not in packed:
            raise CommandError(f"{story.key}: no shipment of that id is to be packed")
        return packed[shipment_id]
    if story.entry is not None:
        return packed.get(story.entry.shipment_id or "")
    return next(reversed(packed.values()), None)


def _is_packed(shipment: Shipment) -> bool:
    leaves = shipment.action in (Action.CREATE, Action.CORRECT)
    return leaves and not shipment.is_return and not shipment.test


def _checked(key: str) -> str:
    try:
        return str(parse_order_key(key))
    except ValueError as error:
        raise InputError(str(error)) from error


def _stories(cluster: Cluster, keys: list[str], timeout_s: float) -> list[Story]:
    """Each partition is read once, however many of the orders lie there."""
    book = learnt(cluster, timeout_s)
    count = cluster.partitions("orders")
    found: dict[bytes, list[Inbound]] = {key.encode(): [] for key in keys}
    for partition in sorted({partition_of(key, count) for key in keys}):
        for record in cluster.read(_TOPICS, partition, timeout_s=timeout_s):
            if record.key in found:
                found[record.key].append(record)
    return [tell(key, found[key.encode()], book) for key in keys]


def _packing(
    story: Story, stores: dict[str, Store], shipment_id: str | None, address: str
) -> Packing:
    key, order = story.key, story.order
    if story.erased:
        raise CommandError(
            f"{key}: its personal data was erased, so there is no slip of it any more"
        )
    if order is None:
        raise CommandError(f"{key}: the orders at {address} have no such order that can be read")
    store = stores.get(order.store_id)
    if store is None:
        raise CommandError(f"{key}: its store {order.store_id} is not connected")
    if store.disconnected:
        raise CommandError(
            f"{key}: its store is disconnected: `waybill stores connect {store.store_id}` connects it again"
        )
    return Packing(key, order, shipment_of(story, shipment_id), store)
