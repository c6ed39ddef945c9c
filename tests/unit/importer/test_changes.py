"""Whether a reading is published, and what is remembered of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.importer.changes import (
    Keep,
    Publish,
    Skip,
    decide,
    erased,
    owed,
    rank,
    seen_of,
    unread,
)
from services.importer.normalise import Draft
from waybill.contracts.order import NotImportable, Order
from waybill.contracts.store import Store

Read = Callable[..., Order]
Payload = dict[str, Any]
SECOND = timedelta(seconds=1)


@pytest.fixture
def order(read: Read, payload: Payload) -> Order:
    return read(payload)


def changed(order: Order, *, later: timedelta = timedelta(0), content: str = "a" * 64) -> Order:
    return order.model_copy(
        update={"modified_at": order.modified_at + later, "content_sha256": content}
    )


def test_an_order_never_seen_is_published(order: Order) -> None:
    assert decide(None, order) == Publish(order, seen_of(order))


def test_what_was_published_is_not_published_again(order: Order) -> None:
    assert decide(seen_of(order), order) is Skip.UNCHANGED


def test_a_later_state_is_published_and_remembered(order: Order) -> None:
    later = changed(order, later=SECOND)
    decision = decide(seen_of(order), later)
    assert decision == Publish(later, seen_of(later))


def test_an_older_state_never_follows_a_newer_one(order: Order) -> None:
    assert decide(seen_of(order), changed(order, later=-SECOND)) is Skip.OLDER


def test_another_content_at_the_same_time_is_a_change(order: Order) -> None:
    assert isinstance(decide(seen_of(order), changed(order)), Publish)


def test_another_translation_of_the_same_state_is_a_change(
    read: Read, payload: Payload, store: Store
) -> None:
    mine = store.model_copy(update={"status_map": {"undeliver": "on_hold"}})
    assert isinstance(decide(seen_of(read(payload)), read(payload, of=mine)), Publish)


def test_a_new_table_that_changes_nothing_of_an_order_is_no_change(
    read: Read, payload: Payload, store: Store
) -> None:
    mine = store.model_copy(update={"status_map": {"odd": "on_hold"}})
    assert decide(seen_of(read(payload)), read(payload, of=mine)) is Skip.UNCHANGED


def test_an_erased_order_never_comes_back(order: Order) -> None:
    gone = erased(seen_of(order))
    assert not gone.open
    assert decide(gone, changed(order, later=SECOND)) is Skip.ERASED


def test_a_draft_is_not_published(order: Order, now: datetime) -> None:
    draft = Draft(order.key, "s-1", now, "intention_processing")
    assert decide(None, draft) is Skip.DRAFT
    assert decide(seen_of(order), draft) is Skip.DRAFT


def test_an_order_stays_with_its_store_until_that_is_disconnected(order: Order) -> None:
    other = changed(order, later=SECOND).model_copy(update={"store_id": "s-2"})
    assert decide(seen_of(order), other) is Skip.OTHER_STORE
    assert isinstance(decide(seen_of(order), other, disconnected={"s-1"}), Publish)
    assert decide(erased(seen_of(order)), other, disconnected={"s-1"}) is Skip.ERASED


def test_memory_of_another_order_is_a_fault(order: Order) -> None:
    with pytest.raises(ValueError, match="compared"):
        decide(seen_of(order).model_copy(update={"order_key": "alibaba:1"}), order)


@pytest.mark.parametrize(
    ("raw", "open_"),
    [
        ("undeliver", True),
        ("delivering", True),
        ("charge_back", True),
        ("odd", True),
        ("trade_success", False),
        ("trade_close", False),
    ],
)
def test_an_order_is_open_until_nothing_can_change_its_shipment(
    read: Read, payload: Payload, raw: str, open_: bool
) -> None:
    assert seen_of(read(payload | {"trade_status": raw})).open is open_


def test_a_final_status_that_a_store_translates_otherwise_stays_open(
    read: Read, payload: Payload, store: Store
) -> None:
    mine = store.model_copy(update={"status_map": {"trade_success": "awaiting_shipment"}})
    assert seen_of(read(payload | {"trade_status": "trade_success"}, of=mine)).open


def test_held_orders_are_read_again_first(order: Order) -> None:
    held = (NotImportable.NO_DELIVERY_ADDRESS,)
    unmapped = (*held, NotImportable.UNMAPPED_STATUS)
    ranks = [rank(seen_of(order).model_copy(update={"held": h})) for h in (unmapped, held, ())]
    assert ranks == sorted(set(ranks))


def test_the_same_state_made_with_another_table_is_remembered_and_not_published(
    order: Order,
) -> None:
    before = seen_of(order, "statuses-1")
    assert decide(before, order, made_with="statuses-1") is Skip.UNCHANGED
    assert decide(before, order, made_with="statuses-2") == Keep(seen_of(order, "statuses-2"))


def test_an_order_that_the_site_listed_and_did_not_give_is_owed_until_it_is_read(
    order: Order,
) -> None:
    owing = unread(None, order.key, order.store_id)
    assert owed(owing)
    decision = decide(owing, order, made_with="statuses-1")
    assert isinstance(decision, Publish)
    assert not owed(decision.seen)


def test_an_order_that_is_owed_keeps_what_was_published_of_it(order: Order) -> None:
    closed = seen_of(order, "statuses-1").model_copy(update={"open": False})
    owing = unread(closed, order.key, order.store_id)
    assert owed(owing)
    assert decide(owing, changed(order, later=-SECOND), made_with="statuses-1") is Skip.OLDER
    assert isinstance(decide(owing, order, made_with="statuses-1"), Keep)


def test_who_owes_an_order_does_not_keep_it_from_the_store_that_can_read_it(order: Order) -> None:
    owing = unread(None, order.key, "s-2")
    assert isinstance(decide(owing, order, made_with="statuses-1"), Publish)


def test_an_erased_order_is_owed_no_more(order: Order) -> None:
    assert not owed(erased(unread(None, order.key, order.store_id)))
