"""Everything that goes well and goes wrong, and what is told of it: no secret, and nobody by name."""

import json

import pytest

from tests.integration.pipeline.leaks import (
    assert_nothing_leaked,
    leaks,
    pages_of,
    persons_of,
    secrets_of,
)
from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import run
from tests.integration.pipeline.tokens import end_tokens, tokens_of
from tests.waiting import wait_until
from waybill.cli.shipment_lines import ShipmentWriter
from waybill.contracts import Order
from waybill.contracts.keys import partition_of
from waybill.demo.installation import SERVICES
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

TROUBLE = [
    {"kind": "gop_error", "code": code, "path": "/alibaba/*", "times": 2}
    for code in ("IllegalAccessToken", "ServiceTimeout", "InvalidParameter", "isp.unknown-error")
] + [
    {"kind": "http_error", "status": 503, "times": 2},
    {"kind": "cut_after", "path": "/alibaba/*/order/shipping", "times": 1},
]
COMMANDS = (
    ("stores", "list"),
    ("orders", "list"),
    ("orders", "list", "--needs-operator"),
    ("dead-letters", "list"),
    ("redrive", "--held"),
    ("replay", "shipments"),
    ("reconcile",),
    ("ledger", "status"),
)


def _unreadable(order: Order) -> list[Outbound]:
    """Shipments with the buyer's data where they do not belong."""
    assert order.ship_to is not None
    person = {"name": order.ship_to.name, "phone": order.ship_to.phone}
    number, key = partition_of(order.key, 12), order.key.encode()
    values = (
        {"order_key": order.key, "shipment_id": person, "occurred_at": person},
        {"order_key": order.ship_to.name, "carrier": person},
        {"order_key": order.key, order.ship_to.name or "": 1},
    )
    bodies = [*(json.dumps(value).encode() for value in values), str(order.ship_to.lines).encode()]
    names = [Outbound("shipments", 0, (order.ship_to.name or "").encode(), b"{}")]
    return [Outbound("shipments", number, key, body) for body in bodies] + names


def _told_by_commands(shop: Shop, trade_id: str) -> dict[str, str]:
    every = (*COMMANDS, ("stores", "show", tokens_of(shop, shop.admin.sellers()[0]).store_id))
    wrong = (("orders", "import", "sandbox:0"), ("orders", "release", f"sandbox:{trade_id}"))
    ended = {arguments: run(shop, *arguments) for arguments in (*every, *wrong)}
    return {f"waybill {' '.join(a)}": told.stdout + told.stderr for a, told in ended.items()}


@with_orders(6)
def test_no_secret_and_no_person_in_whatever_is_told_of_a_run(shop: Shop) -> None:
    keys = shop.wait_imported()
    orders = shop.orders()
    shop.admin.add_faults(TROUBLE)
    bad = _unreadable(orders[keys[0]])
    shop.publish_raw(bad)
    shop.publish(shop.shipment(key, note_to_buyer="Leave it at number 4711") for key in keys)
    broken_body = (ShipmentWriter(12).record(shop.shipment(keys[1])).value or b"")[:40]
    shop.publish_raw(
        [Outbound("shipments", partition_of(keys[1], 12), keys[1].encode(), broken_body)]
    )
    first, _ = shop.admin.sellers()
    shop.wait_confirmed(len(keys) // 2)
    end_tokens(shop, first, access=True, refresh=True)
    wait_until(lambda: tokens_of(shop, first).ended_at is not None, SETTLE_S, every_s=0.5)
    wait_until(lambda: len(shop.read("dead-letters")) == len(bad) + 1, SETTLE_S, every_s=0.5)

    told = pages_of(shop, SERVICES) | _told_by_commands(shop, keys[0].split(":")[1])
    letters = {
        f"dead letter {number}": str([pair for pair in letter.headers if pair[0] != "dlq.key"])
        for number, letter in enumerate(shop.read("dead-letters"))
    }
    notes = {
        f"notification {number}": record.value.decode("latin-1") if record.value else ""
        for number, record in enumerate(shop.read("notifications"))
    }

    proofs = {
        f"proof {number}": record.value.decode("latin-1") if record.value else ""
        for number, record in enumerate(shop.read("proofs"))
    }

    assert_nothing_leaked(shop, told | letters | notes | proofs)


def test_the_search_finds_what_it_looks_for() -> None:
    told = {"a log": r'{"x": "M\u00fcller-Meier", "y": "s3cret!"}', "another": "all is well"}
    assert leaks(told, ["s3cret!"], ["Müller-Meier"]) == ["a secret in a log", "a person in a log"]


@with_orders(6)
def test_what_is_looked_for_is_there(shop: Shop) -> None:
    keys = shop.wait_imported()
    folder = shop.installation.folder
    tokens = (folder / "sandbox" / "journal.jsonl").read_text("utf-8")
    assert leaks({"the journal": tokens}, secrets_of(folder), ())
    assert len(persons_of(shop.orders()[key] for key in keys)) >= 3 * len(keys)
