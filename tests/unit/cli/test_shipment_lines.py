"""Lines of shipments: what is good, and how what is bad is told."""

import json

import pytest

from waybill.cli.shipment_lines import (
    LINE_BYTES_MAX,
    SHIPMENT_BYTES_MAX,
    ShipmentWriter,
    check_line,
)
from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.headers import last_text
from waybill.contracts.keys import partition_of

KEY = "sandbox:255201166001024316"
GOOD = {
    "order_key": KEY,
    "shipment_id": "wms-1",
    "revision": 3,
    "occurred_at": "2026-11-23T15:00:00Z",
    "shipped_at": "2026-11-23T14:00:00+08:00",
    "tracking_number": "776705370628",
    "carrier": {"code": "fedex"},
}


def line(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def problems(text: bytes) -> list[str]:
    return [str(problem) for problem in check_line(7, text).problems]


def test_a_good_line_is_a_shipment() -> None:
    checked = check_line(1, line())

    assert checked.problems == ()
    assert checked.shipment == Shipment.model_validate(GOOD)


def test_amounts_stay_exact() -> None:
    text = line(cost={"amount": 12345678901234.5678, "currency": "USD"}).replace(
        b"12345678901234.568", b"12345678901234.5678"
    )

    shipment = check_line(1, text).shipment

    assert shipment is not None
    assert shipment.cost is not None
    assert str(shipment.cost.amount) == "12345678901234.5678"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"not json", "line 7: not JSON: Expecting value at character 1"),
        (b"\xff\xfe{}", "line 7: not UTF-8"),
        (b"[1]", "line 7: not a JSON object"),
        (b'{"a": NaN}', "line 7: not JSON: NaN is no value"),
        (b'{"a": 1, "a": 2}', "line 7: the field a stands twice in one object"),
        (b"[" * 100_000, "line 7: not JSON: nested too deeply"),
        (b'{"x":"' + b"x" * LINE_BYTES_MAX + b'"}', "line 7: longer than 1000000 bytes"),
        (line(occurred_at="2026-11-23T15:00:00"), "line 7: occurred_at: a time without an offset"),
        (line(order_key="255201"), "line 7: order_key: want <site>:<trade_id>"),
        (line(carrier=None), "line 7: carrier: missing"),
        (line(items=[{"quantity": "two"}]), "line 7: items.0.quantity: "),
        (line(action="UNRECOGNISED"), "line 7: action: "),
        (line(note_to_buyer="n" * 1_001), "line 7: note_to_buyer: "),
    ],
)
def test_a_problem_names_line_and_field(text: bytes, told: str) -> None:
    assert problems(text)[0].startswith(told)


def test_all_problems_of_a_line_are_told() -> None:
    told = problems(line(order_key="x", shipped_at="yesterday", trackingNumber="1"))

    assert [one.split(":")[1].strip() for one in told] == [
        "trackingNumber",
        "order_key",
        "shipped_at",
    ]


def test_values_are_never_repeated() -> None:
    told = problems(
        line(order_key="Jana Nováková", shipped_at="Dlouhá 12", contact_mobile="secret")
    )

    assert len(told) == 3
    assert not any(word in one for one in told for word in ("Jana", "Dlouhá", "secret"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"trackingNumber": "1"}, "trackingNumber: no such field; did you mean tracking_number?"),
        ({"shiped_at": None}, "shiped_at: no such field; did you mean shipped_at?"),
        ({"carrier": {"code": "a", "nme": "b"}}, "carrier.nme: no such field; did you mean name?"),
        (
            {"packages": [{}, {"weight": {"value": "1", "units": "kg"}}]},
            "packages.1.weight.units: no such field; did you mean unit?",
        ),
        ({"zebra": 1}, "zebra: no such field"),
    ],
)
def test_a_field_that_the_contract_lacks_is_told_as_a_typing_error(
    changes: dict[str, object], told: str
) -> None:
    assert f"line 7: {told}" in problems(line(**changes))


def test_fields_that_the_contract_lacks_pass_if_wanted() -> None:
    assert check_line(1, line(zebra=1), allow_unknown=True).shipment is not None


def test_a_shipment_that_the_notifier_would_refuse_as_too_large_is_told() -> None:
    note = [{"name": "i" * 9_000, "quantity": "1"} for _ in range(30)]

    assert problems(line(items=note)) == [f"line 7: longer than {SHIPMENT_BYTES_MAX} bytes"]


@pytest.mark.parametrize("as_json", [False, True])
def test_the_record_is_what_the_notifier_reads(as_json: bool) -> None:
    checked = check_line(1, line())
    codec = Codec(Shipment, "shipment", SchemaBook())
    assert checked.shipment is not None

    record = ShipmentWriter(12).record(checked.shipment, checked.text if as_json else None)

    assert codec.decode(record.value, allow_json=True) == checked.shipment
    assert (record.topic, record.key) == ("shipments", KEY.encode())
    assert record.partition == partition_of(KEY, 12)
    assert last_text(record.headers, "ce_id") == f"{KEY}/wms-1@3"
    content_type = last_text(record.headers, "content-type")
    assert content_type == (
        "application/json" if as_json else "application/avro;encoding=single-object"
    )
