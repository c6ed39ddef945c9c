"""Whether a reading is published, and what is remembered of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.importer.changes import Publish, Reread, Skip, decide, erased, seen_of, to_reread
from services.importer.normalise import Draft
from waybill.contracts.imports import ImportSeen
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
    def seen(name: str, **facts: Any) -> ImportSeen:
        return seen_of(order).model_copy(update={"order_key": name, **facts})

    unmapped = (NotImportable.NO_DELIVERY_ADDRESS, NotImportable.UNMAPPED_STATUS)
    memory = [
        seen("o:open"),
        seen("o:closed", open=False),
        seen("o:no-address", held=(NotImportable.NO_DELIVERY_ADDRESS,)),
        seen("o:unmapped", held=unmapped),
        seen("o:erased", held=unmapped, erased=True),
        seen("o:other", held=unmapped, store_id="s-2"),
    ]
    assert to_reread(memory, "s-1", Reread.NONE) == []
    assert to_reread(memory, "s-1", Reread.UNMAPPED) == ["o:unmapped"]
    assert to_reread(memory, "s-1", Reread.OPEN) == ["o:unmapped", "o:no-address", "o:open"]
