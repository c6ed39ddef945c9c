"""The default meaning of every status code, and overrides."""

import pytest

from waybill.alibaba.statuses import ALIASES, DEFAULT, OFFICIAL, OrderStatus, order_status

EXPECTED = {
    OrderStatus.AWAITING_PAYMENT: {
        "to_be_audited",
        "unpay",
        "paying",
        "relating",
        "paid",
        "captured",
    },
    OrderStatus.AWAITING_SHIPMENT: {"undeliver"},
    OrderStatus.SHIPPED: {
        "delivering",
        "wait_confirm_receipt",
        "trade_success",
        "partial_delivering",
        "waiting_for_delivery_confirmation",
        "waiting_for_shipment",
    },
    OrderStatus.CANCELLED: {"trade_close", "charge_back"},
    OrderStatus.ON_HOLD: {"frozen", "wait_confirm_modify", "trade_unavailable"},
    OrderStatus.IGNORED: {"intention_processing"},
}


def test_the_enum_has_16_codes_and_3_aliases_are_known_beside_it() -> None:
    assert (len(OFFICIAL), len(ALIASES), len(DEFAULT)) == (16, 3, 19)


@pytest.mark.parametrize(
    ("code", "status"), [(code, status) for status, codes in EXPECTED.items() for code in codes]
)
def test_a_known_code_has_its_meaning(code: str, status: OrderStatus) -> None:
    assert order_status(code) is status


def test_the_expectations_cover_every_known_code() -> None:
    assert {code for codes in EXPECTED.values() for code in codes} == set(DEFAULT)


def test_only_one_code_allows_shipping() -> None:
    shippable = [
        code for code, status in DEFAULT.items() if status is OrderStatus.AWAITING_SHIPMENT
    ]

    assert shippable == ["undeliver"]


@pytest.mark.parametrize(
    "raw", ["unpaid", "WAIT_SELLER_SEND_GOODS", "UNDELIVER", "waitsellersend", "", None]
)
def test_an_unknown_code_is_unmapped_and_never_guessed(raw: str | None) -> None:
    assert order_status(raw) is OrderStatus.UNMAPPED


def test_white_space_around_a_code_does_not_matter() -> None:
    assert order_status(" undeliver\n") is OrderStatus.AWAITING_SHIPMENT


def test_a_store_may_say_what_a_code_means() -> None:
    overrides = {"waiting_for_shipment": "awaiting_shipment", "my_code": OrderStatus.ON_HOLD}

    assert order_status("waiting_for_shipment", overrides) is OrderStatus.AWAITING_SHIPMENT
    assert order_status("my_code", overrides) is OrderStatus.ON_HOLD
    assert order_status("frozen", overrides) is OrderStatus.ON_HOLD


def test_an_override_that_means_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="sent"):
        order_status("undeliver", {"undeliver": "sent"})
