"""Bad input of each kind ends as a clear refusal or a dead letter, and the stream goes on."""

import pytest

from tests.integration.pipeline.shop import SETTLE_S, Shop
from tests.integration.pipeline.stock import with_orders
from tests.waiting import wait_until
from waybill.cli.shipment_lines import ShipmentWriter
from waybill.contracts.keys import partition_of
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


@with_orders(10)
def test_each_kind_of_bad_record_is_a_dead_letter_with_its_reason_and_good_ones_go_on(
    shop: Shop,
) -> None:
    key, astray, json_key, *_ = shop.wait_imported()
    number = partition_of(key, 12)
    wrong = (partition_of(astray, 12) + 1) % 12
    good = ShipmentWriter(12).record(shop.shipment(key))
    body = good.value or b""
    json_line = shop.shipment(json_key).model_dump_json().encode()
    lost = Outbound(
        "shipments", wrong, astray.encode(), ShipmentWriter(12).record(shop.shipment(astray)).value
    )
    bad = {
        "unknown_form": Outbound("shipments", number, key.encode(), b"\xff\xfenothing"),
        "unknown_schema": Outbound("shipments", number, key.encode(), b"\xc3\x01" + b"\x01" * 20),
        "unreadable": Outbound("shipments", number, key.encode(), body[:30]),
        "invalid": Outbound("shipments", number, key.encode(), b'{"order_key": "sandbox:1"}'),
        "no_value": Outbound("shipments", number, key.encode(), None),
        "key_mismatch": Outbound("shipments", partition_of("sandbox:2", 12), b"sandbox:2", body),
        "wrong_partition": Outbound(
            "shipments", wrong, astray.encode(), lost.value, [("wb-rerouted", b"1")]
        ),
    }
    large = shop.shipment(json_key, shipment_id="large", note_to_buyer=None, tracking_number="L1")
    padded = large.model_dump_json().encode()[:-1] + b', "ignored": "' + b"x" * 300_000 + b'"}'

    shop.publish_raw(bad.values())
    shop.publish_raw(
        [lost, Outbound("shipments", partition_of(json_key, 12), json_key.encode(), padded)]
    )
    shop.publish_raw(
        [Outbound("shipments", partition_of(json_key, 12), json_key.encode(), json_line)]
    )
    shop.publish_raw([good])

    shop.wait_outcomes({"confirmed": 3, "refused": 1})
    wait_until(lambda: len(shop.read("dead-letters")) == len(bad), SETTLE_S, every_s=0.5)
    letters = {
        (letter.header("dlq.reason") or b"").decode(): letter
        for letter in shop.read("dead-letters")
    }
    assert set(letters) == set(bad)
    for reason, record in bad.items():
        assert letters[reason].value == record.value
        assert letters[reason].key == record.key
        assert letters[reason].header("dlq.origin-topic") == b"shipments"
        assert letters[reason].header("dlq.error")
    refused = [one for one in shop.notifications() if one.outcome == "refused"]
    assert [one.reason for one in refused] == ["too_large"]
    shop.assert_one_shipment_each()
