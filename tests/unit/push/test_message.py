"""What is read out of push messages."""

import json
from typing import Any

import pytest

from waybill.push.message import OrderPush, UnreadablePushError, read

SAMPLE: dict[str, Any] = {
    "havana_id": "17379911544",
    "seller_id": "200042360",
    "message_type": 3,
    "data": {
        "status": "trade_close",
        "trade_id_str": "255201166001024316",
        "order_status": "trade_close",
        "trade_order_id": "255201166001024316",
        "status_update_time": "2025-04-19 23:18:56",
    },
    "timestamp": 1650435537,
    "site": "icbu_global",
}
ORDER = OrderPush("255201166001024316", ("200042360", "17379911544"))


def body(**changes: Any) -> bytes:
    return json.dumps(SAMPLE | changes).encode()


def test_the_documented_sample_names_order_and_seller() -> None:
    assert read(body()) == ORDER


@pytest.mark.parametrize(
    "changes",
    [
        {"message_type": 99},
        {"data": {"trade_id_str": 255201166001024316}},
        {"data": {"trade_id_str": None, "trade_order_id": "255201166001024316"}},
        {"data": {"trade_id_str": "", "trade_id": 255201166001024316}},
        {"data": json.dumps(SAMPLE["data"])},
        {"seller_id": 200042360, "havana_id": 17379911544},
        {"seller_id": "200042360", "data": SAMPLE["data"] | {"seller_id": "200042360"}},
    ],
)
def test_other_spellings_say_the_same(changes: dict[str, Any]) -> None:
    assert read(body(**changes)) == ORDER


def test_a_message_without_a_seller_names_none() -> None:
    assert read(body(seller_id=None, havana_id=None)) == OrderPush(ORDER.trade_id, ())


@pytest.mark.parametrize("data", [None, {}, [], "text", "[]", {"product_id": "1600"}, 7])
def test_messages_of_another_kind_ask_nothing(data: object) -> None:
    assert read(body(data=data)) is None


@pytest.mark.parametrize("number", ["21***54", "a b", "x" * 65, {"a": 1}, True, 1.5, "№7"])
def test_an_order_number_that_no_call_takes_is_unreadable(number: object) -> None:
    with pytest.raises(UnreadablePushError) as caught:
        read(body(data={"trade_id_str": number}))
    assert str(number) not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"not json", b"[]", b'"text"', b"7", b"\xff\xfe", b'{"a":'])
def test_what_is_no_json_object_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadablePushError):
        read(raw)
