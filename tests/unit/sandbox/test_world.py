"""A world that is opened again is the same world."""

from pathlib import Path
from typing import Any

from sandbox import payloads
from sandbox.events import OrderChanged, OrdersCreated, ShippedElsewhere
from sandbox.settings import Settings
from sandbox.world import World


def settings(data_dir: Path, **options: Any) -> Settings:
    return Settings(data_dir=data_dir, orders_per_store=3, **options)


def details(world: World) -> list[dict[str, Any]]:
    return [payloads.detail(1, order) for order in world.orders.by_id.values()]


def test_opening_again_gives_the_same_orders_whatever_the_time(tmp_path: Path) -> None:
    times = iter(range(1_790_000_000_000, 1_900_000_000_000, 1_000_000))
    first = World(settings(tmp_path), now_ms=lambda: next(times))
    seller = next(iter(first.sellers))
    created = OrdersCreated(
        at_ms=next(times),
        seller=seller,
        first=3,
        count=2,
        status=None,
        payload={"remark": "x"},
    )
    orders = first.record(created)
    elsewhere = ShippedElsewhere(
        service_provider="DHL", tracking_number="T", logistics_type="EXPRESS"
    )
    for payload in ({"remark": "y"}, {"tags": None}):
        first.record(
            OrderChanged(
                at_ms=1,  # a clock that went back
                trade_id=orders[0].trade_id,
                status=None,
                payload=payload,
                shipped_elsewhere=elsewhere,
            )
        )
    assert orders[0].modified_ms == created.at_ms + 2
    before, tokens = details(first), first.tokens.newest(seller)
    first.close()
    again = World(settings(tmp_path), now_ms=lambda: next(times))
    assert details(again) == before
    assert again.tokens.newest(seller) == tokens
    assert len(again.orders.by_id) == 8
    again.close()


def test_a_pinned_epoch_makes_the_dates_repeatable(tmp_path: Path) -> None:
    worlds = [World(settings(tmp_path / name, epoch_ms=1_790_000_000_000)) for name in "ab"]
    assert details(worlds[0]) == details(worlds[1])
    for world in worlds:
        world.close()


def test_listeners_hear_of_live_changes_and_not_of_replayed_ones(tmp_path: Path) -> None:
    world = World(settings(tmp_path))
    heard: list[str] = []
    world.order_listeners.append(lambda order: heard.append(order.trade_id))
    trade_id = next(iter(world.orders.by_id))
    change = OrderChanged(
        at_ms=1, trade_id=trade_id, status="frozen", payload=None, shipped_elsewhere=None
    )
    world.record(change)
    assert heard == [trade_id]
    world.close()
