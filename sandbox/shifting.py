"""Orders that change while somebody pages through them."""

from __future__ import annotations

import random

from sandbox.events import OrderChanged, OrdersCreated
from sandbox.faults import Shift
from sandbox.settings import ORDERS_MAX
from sandbox.world import World


def shift(world: World, seller: str, spec: Shift, dice: random.Random) -> None:
    """Change some orders of a store and make new ones, so that pages of its list move.

    Everything goes into the journal, as if somebody had done it through the admin API.
    """
    known = world.orders.of(seller)
    for order in dice.sample(known, min(spec.orders, len(known))):
        note = {"remark": f"changed while it was read: {dice.randrange(10**9):09d}"}
        world.record(
            OrderChanged(
                at_ms=world.now_ms(),
                trade_id=order.trade_id,
                status=None,
                payload=note if spec.content else None,
                shipped_elsewhere=None,
            )
        )
    room = ORDERS_MAX - len(world.orders.by_id)
    if spec.create and room > 0:
        world.record(
            OrdersCreated(
                at_ms=world.now_ms(),
                seller=seller,
                first=len(known),
                count=min(spec.create, room),
                status="undeliver",
                payload=None,
            )
        )
