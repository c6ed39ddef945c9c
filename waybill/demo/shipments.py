"""The demo's shipments: what a warehouse of two shops would publish, in every form that may occur. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from waybill.cli.shipment_lines import shipment_headers
from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, DeadReason, SchemaBook
from waybill.contracts.files import foreign_fingerprints
from waybill.contracts.keys import order_key, partition_of
from waybill.streaming.records import Outbound

SITE = "sandbox"
_SOURCE = "demo-warehouse"
_CARRIERS = (
    ("fedex", "FedEx", "FedEx International Priority", "EXPRESS"),
    ("dhl", "DHL", "DHL Express Worldwide", "EXPRESS"),
    ("ups", "UPS", "UPS Worldwide Saver", "EXPRESS"),
    ("sf", "SF Express", "SF International Express", "EXPRESS"),
    ("ems", "EMS", "EMS International", "POST"),
)
_TRACKING_PAGES = {
    "fedex": "https://www.fedex.com/fedextrack/?trknbr=",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB=",
    "ups": "https://www.ups.com/track?tracknum=",
}
_NOTES = ("Thank you for your order!", "感谢您的订购。", "Gracias por su compra.", None, None)
_FROM = {
    "company": "Example Fulfilment Co., Ltd.",
    "lines": ["1 Harbour Road"],
    "city": "Ningbo",
    "postal_code": "315000",
    "country_code": "CN",
}


class Maker:
    """Makes shipments and their records; `now` is when they leave."""

    def __init__(self, now: datetime, partitions: int) -> None:
        self._now = now
        self._partitions = partitions
        self._codec = Codec(Shipment, "shipment", SchemaBook())
        self._numbers: dict[str, int] = {}

    # ------------------------------------------------------------------------------------- identity

    @staticmethod
    def key(trade_id: str, suffix: str = "") -> tuple[str, str]:
        """Order key and shipment id."""
        return order_key(SITE, trade_id), f"wms-{trade_id}{suffix}"

    def number(self, trade_id: str) -> str:
        """The tracking number of an order's parcel; no two orders share one."""
        index = self._numbers.setdefault(trade_id, len(self._numbers) + 1)
        return f"7767{index:08d}"

    def other(self, trade_id: str) -> str:
        """The number of another parcel for the same order."""
        return f"9{self.number(trade_id)}"

    # ------------------------------------------------------------------------------------ shipments

    def shipment(
        self, trade_id: str, *, suffix: str = "", revision: int = 1, **more: Any
    ) -> Shipment:
        """A usual shipment; `carrier` and `tracking` (None: not yet) and any other field may be given."""
        key, shipment_id = self.key(trade_id, suffix)
        tracking = more.pop("tracking", self.number(trade_id))
        carrier = more.pop("carrier", None)
        fields: dict[str, Any] = {
            "order_key": key,
            "shipment_id": shipment_id,
            "revision": revision,
            "occurred_at": self._now,
            "shipped_at": self._now,
            "tracking_number": tracking,
            "source": {"system": _SOURCE},
            "ship_from": _FROM,
            **self._styled(trade_id),
            **({"carrier": {"code": carrier}} if carrier else {}),
        }
        return Shipment.model_validate(fields | more)

    def _styled(self, trade_id: str) -> dict[str, Any]:
        number = int(self.number(trade_id))
        code, name, service, kind = _CARRIERS[number % len(_CARRIERS)]
        page = _TRACKING_PAGES.get(code)
        return {
            "carrier": {"code": code, "name": name},
            "tracking_url": f"{page}{number}" if page else None,
            "service": {"name": service},
            "logistics_type": kind,
            "cost": {"amount": f"{20 + number % 60}.50", "currency": "USD"},
            "note_to_buyer": _NOTES[number % len(_NOTES)],
            "packages": [{"weight": {"value": f"{1 + number % 9}.4", "unit": "kg"}}],
        }

    def parcels(self, trade_id: str, count: int) -> Shipment:
        """One shipment in several parcels."""
        numbers = [f"{self.number(trade_id)}{index:02d}" for index in range(count)]
        packages = [{"tracking_number": number} for number in numbers]
        return self.shipment(trade_id, packages=packages)

    def partial(self, trade_id: str) -> Shipment:
        """Only a part of the order."""
        return self.shipment(trade_id, covers_order="partial")

    def long_ago(self, trade_id: str) -> Shipment:
        """It left before the store was connected."""
        return self.shipment(trade_id, shipped_at=self._now - timedelta(days=40))

    def returned(self, trade_id: str) -> Shipment:
        """On its way back to the seller."""
        return self.shipment(trade_id, is_return=True)

    def test(self, trade_id: str) -> Shipment:
        """Somebody tries the interface."""
        return self.shipment(trade_id, test=True)

    def foreign(self, trade_id: str) -> Shipment:
        """It names a store that the order does not belong to."""
        return self.shipment(trade_id, store_id="sandbox-1")

    def strange_item(self, trade_id: str) -> Shipment:
        """It holds a line that the order does not have."""
        return self.shipment(trade_id, items=[{"line_id": "no-such-line", "quantity": "1"}])

    def void(self, trade_id: str, revision: int) -> Shipment:
        """The shipment is taken back."""
        key, shipment_id = self.key(trade_id)
        fields = {"action": "void", "revision": revision, "occurred_at": self._now}
        return Shipment.model_validate({"order_key": key, "shipment_id": shipment_id, **fields})

    def corrected(self, trade_id: str, revision: int) -> Shipment:
        """The same parcel, with carrier and note put right."""
        note = "Please sign for it."
        return self.shipment(trade_id, revision=revision, action="correct", note_to_buyer=note)

    # -------------------------------------------------------------------------------------- records

    def avro(self, shipment: Shipment) -> Outbound:
        """As Avro, where it belongs."""
        return self._record(shipment, self._codec.encode(shipment))

    def json(self, shipment: Shipment) -> Outbound:
        """As plain JSON, as a shell script would."""
        return self._record(shipment, orjson.dumps(_plain(shipment)))

    def misplaced(self, shipment: Shipment) -> Outbound:
        """On another partition, as a client with another partitioner would."""
        right = self.avro(shipment)
        wrong = (right.partition + 5) % self._partitions
        return Outbound(right.topic, wrong, right.key, right.value, right.headers)

    def _record(self, shipment: Shipment, value: bytes) -> Outbound:
        key = shipment.order_key
        partition = partition_of(key, self._partitions)
        headers = shipment_headers(shipment, _SOURCE)
        return Outbound("shipments", partition, key.encode(), value, headers)


def _plain(shipment: Shipment) -> dict[str, Any]:
    return shipment.model_dump(mode="json", exclude_defaults=True)


def unreadable_records(make: Maker, trade_id: str) -> Iterator[tuple[DeadReason, Outbound]]:
    """One record of each kind that nobody can read, with the reason of its dead letter."""
    good = make.avro(make.shipment(trade_id, suffix="x"))
    value, key = good.value or b"", good.key or b""

    def broken(new_value: bytes, new_key: bytes | None = key) -> Outbound:
        return Outbound("shipments", good.partition, new_key, new_value)

    yield DeadReason.UNKNOWN_FORM, broken(b"order;tracking\n1;2\n")
    yield DeadReason.UNREADABLE, broken(value[:-20])
    yield DeadReason.INVALID, broken(orjson.dumps({"order_key": key.decode(), "tracking": "1"}))
    yield DeadReason.UNKNOWN_SCHEMA, broken(_go_header() + value[10:])
    yield DeadReason.NO_KEY, broken(value, None)
    other = make.avro(make.shipment("999000000000000002", suffix="x"))
    yield DeadReason.KEY_MISMATCH, broken(other.value or b"")


def _go_header() -> bytes:
    """The header that a Go library computes for shipments, wrongly."""
    wrong = next(
        mark
        for mark, told in foreign_fingerprints().items()
        if told["record"].startswith("shipment") and "hamba" in told["library"]
    )
    return b"\xc3\x01" + bytes.fromhex(wrong)
