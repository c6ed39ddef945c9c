"""The models: what an order and a shipment can say, and what is refused at the border."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.contracts.builders import example, shipment
from waybill.contracts import Order
from waybill.contracts.base import Address, Money, from_millis, millis


def order(**changed: Any) -> Order:
    return Order.model_validate({**example("order", "minimal").value, **changed})


def at(path: str, record: Any) -> Any:
    for name in path.split("."):
        record = record[int(name)] if name.isdigit() else getattr(record, name)
    return record


class TestWhatAnOrderCarries:
    """The fields that shipping systems import from Alibaba."""

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("buyer.email", "jana@example.com"),
            ("buyer.phone", "+420 601 234 567"),
            ("ship_to.phone", "+420 601 234 567"),
            ("requested_service.text", "Alibaba.com Standard"),
            ("payment.method", "TT"),
            ("adjustments.0.kind", "coupon"),
            ("adjustments.0.code", "NOV100"),
            ("gift.is_gift", True),
            ("gift.message", "Všechno nejlepší! 🎁"),
            ("notes.internal.0.text", "Pack with foam."),
            ("notes.customer.0.text", "Please deliver before noon."),
            ("weight_total.unit", "kg"),
            ("items.0.weight.unit", "g"),
            ("items.0.image_url", "https://example.com/lamp.jpg"),
            ("items.0.options.0.name", "Color"),
            ("items.0.options.0.value", "red"),
            ("items.0.warehouse_location", "A-03-2"),
            ("raw_status", "undeliver"),
        ],
    )
    def test_a_field(self, path: str, expected: object) -> None:
        assert at(path, example("order", "full").model()) == expected

    def test_a_postal_code_may_be_absent(self) -> None:
        found = example("order", "without-postal-code").model()

        assert isinstance(found, Order)
        assert found.importable
        assert found.ship_to is not None
        assert found.ship_to.postal_code is None

    def test_discounts_are_negative(self) -> None:
        assert at("totals.discount.amount", example("order", "full").model()) < 0


class TestWhatAShipmentCarries:
    """The fields that shipping systems send with a shipment."""

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("action", "create"),
            ("tracking_number", "776705370628"),
            ("carrier.code", "fedex"),
            ("service.name", "FedEx International Priority®"),
            ("cost.currency", "USD"),
            ("note_to_buyer", "Thank you! 感谢您的订购。"),
            ("items.0.sku", "LAMP-RED-L"),
            ("items.0.options.0.value", "red"),
            ("packages.1.tracking_number", "776705370639"),
        ],
    )
    def test_a_field(self, path: str, expected: object) -> None:
        assert at(path, example("shipment", "full").model()) == expected


class TestShipments:
    """What makes a shipment whole."""

    def test_without_a_revision_the_event_time_counts(self) -> None:
        assert shipment().effective_revision == millis(shipment().occurred_at) == 1795163400000
        assert shipment(revision=3).effective_revision == 3

    def test_a_shipment_needs_a_time(self) -> None:
        with pytest.raises(ValidationError, match="shipped_at: missing"):
            shipment(shipped_at=None)

    @pytest.mark.parametrize("carrier", [None, {}, {"code": "", "name": ""}])
    def test_a_shipment_needs_a_carrier(self, carrier: dict[str, str] | None) -> None:
        with pytest.raises(ValidationError, match="carrier: missing"):
            shipment(carrier=carrier)

    def test_a_void_needs_neither(self) -> None:
        assert shipment(action="void", shipped_at=None, carrier=None).carrier is None

    def test_a_key_that_is_none_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="want <site>:<trade_id>"):
            shipment(order_key="255201166001024316")

    @pytest.mark.parametrize("number", ["", "  ", "\t"])
    def test_a_blank_tracking_number_is_none(self, number: str) -> None:
        assert shipment(tracking_number=number).tracking_number is None

    def test_a_tracking_number_is_trimmed(self) -> None:
        assert shipment(tracking_number=" 1Z 999 ").tracking_number == "1Z 999"

    @pytest.mark.parametrize("number", ["1" * 51, "1\n2", "1\x002"])
    def test_a_tracking_number_of_another_form_is_refused(self, number: str) -> None:
        with pytest.raises(ValidationError, match="tracking_number"):
            shipment(tracking_number=number)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("items", [{"quantity": "1"}] * 2_001),
            ("packages", [{}] * 501),
            ("note_to_buyer", "x" * 1_001),
            ("shipment_id", "x" * 129),
            ("shipment_id", "a b"),
            ("shipment_id", ""),
            ("part", {"number": 65}),
            ("revision", 2**63),
        ],
    )
    def test_everything_has_a_limit(self, field: str, value: object) -> None:
        with pytest.raises(ValidationError, match=field):
            shipment(**{field: value})


class TestOrders:
    """Limits of an order."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("tags", {str(n): "x" for n in range(101)}),
            ("tags", {"x" * 257: "x"}),
            ("tags", {"": "x"}),
            ("items", [{"line_id": "1", "name": "x", "quantity": "1"}] * 2_001),
            ("adjustments", [{"kind": "discount"}] * 501),
        ],
    )
    def test_everything_has_a_limit(self, field: str, value: object) -> None:
        with pytest.raises(ValidationError, match=field):
            order(**{field: value})


class TestTimes:
    """Times are points in time: with an offset, in UTC, in milliseconds."""

    def test_a_time_is_kept_in_utc_and_cut_to_milliseconds(self) -> None:
        zone = timezone(timedelta(hours=8))

        kept = order(modified_at=datetime(2026, 11, 20, 9, 0, 0, 123_999, zone)).modified_at

        assert kept == datetime(2026, 11, 20, 1, 0, 0, 123_000, UTC)
        assert kept.tzinfo is UTC

    def test_a_naive_time_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="a time without an offset"):
            order(modified_at=datetime(2026, 11, 20))  # noqa: DTZ001 - that is the point

    @pytest.mark.parametrize("text", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
    def test_a_time_that_utc_cannot_hold_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationError, match="before year 1 or after year 9999"):
            order(modified_at=text)

    @pytest.mark.parametrize("ms", [0, 1, -1, 1795163400250, -62135596800000, 253402300799999])
    def test_epoch_milliseconds_and_back(self, ms: int) -> None:
        assert millis(from_millis(ms)) == ms


class TestMoney:
    """Exact numbers, never floats, never rounded."""

    @pytest.mark.parametrize(
        "amount", ["0.00001", "123456789012345", "NaN", "Infinity", "12,50", ""]
    )
    def test_what_does_not_fit_is_refused(self, amount: str) -> None:
        with pytest.raises(ValidationError):
            Money.model_validate({"amount": amount, "currency": "USD"})

    @pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", "€"])
    def test_a_currency_is_three_capital_letters(self, currency: str) -> None:
        with pytest.raises(ValidationError):
            Money.model_validate({"amount": "1", "currency": currency})


def test_a_record_is_immutable() -> None:
    address = Address(city="Praha")
    with pytest.raises(ValidationError, match="frozen"):
        address.city = "Brno"  # type: ignore[misc]
