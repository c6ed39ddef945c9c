"""Uploads and shipments: what is accepted, what is refused, and what is left behind."""

import hashlib
import json
from typing import Any

import pytest

from tests.integration.sandbox.client import LOGISTICS, PNG, SHIPPING, UPLOAD, Api
from tests.integration.sandbox.conftest import Start

GET = "/alibaba/order/get"
FILES = {
    "proof.jpg": b"\xff\xd8\xff\xe0 image",
    "PROOF.PNG": PNG,
    "proof.v2.pdf": b"%PDF-1.7 document",
    "proof.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 document",
}


@pytest.mark.parametrize("name", FILES)
def test_an_upload_answers_a_path_and_is_in_the_journal(api: Api, name: str) -> None:
    data = FILES[name]
    answer = api.upload(name, data)
    assert answer["code"] == "0"
    assert answer["value"].endswith(f"/{name}")
    (entry,) = api.journal("upload")
    assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert (entry["bytes"], entry["file_name"]) == (len(data), name)
    assert (entry["file_path"], entry["request_id"]) == (answer["value"], answer["request_id"])
    assert entry["seller"] == api.stores[0].id


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("proof.gif", b"GIF89a"),
        ("proof.jpeg", FILES["proof.jpg"]),
        ("proof", PNG),
        (".png", PNG),
        ("proof.png", FILES["proof.jpg"]),
        ("proof.pdf", b""),
        ("a/b.png", PNG),
    ],
)
def test_files_of_other_types_or_under_false_names_are_refused(
    api: Api, name: str, data: bytes
) -> None:
    assert api.upload(name, data)["code"] == "InvalidParameter"
    assert api.journal("upload") == []


def test_a_file_may_have_five_million_bytes_and_not_one_more(api: Api) -> None:
    largest = PNG + bytes(5_000_000 - len(PNG))
    assert api.upload(data=largest)["code"] == "0"
    refused = api.upload(data=largest + b"x")
    assert refused["code"] == "InvalidParameter"
    assert "5000000" in refused["message"]


def test_an_upload_needs_its_name_and_its_part(api: Api) -> None:
    token = api.stores[0].token
    assert api.post(UPLOAD, PNG, access_token=token).json()["code"] == "MissingParameter"
    answer = api.post(UPLOAD, access_token=token, file_name="a.png").json()
    assert (answer["code"], "data" in answer["message"]) == ("MissingParameter", True)


def test_files_are_kept_only_if_wanted(api: Api, start: Start) -> None:
    sha256 = hashlib.sha256(PNG).hexdigest()
    api.upload()
    assert "--keep-files" in api.admin("GET", f"/files/{sha256}", status=404)["error"]


def test_a_kept_file_can_be_read_by_its_hash(start: Start) -> None:
    api = start(orders_per_store=1, keep_files=True)
    api.upload()
    answer = api.http.get(f"/admin/files/{hashlib.sha256(PNG).hexdigest()}")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"


def test_a_shipment_changes_the_order_and_shows_in_the_logistics(api: Api) -> None:
    trade_id = api.order()
    before = int(api.call(GET, e_trade_id=trade_id)["value"]["modify_date"]["timestamp"])
    answer = api.ship(trade_id, tracking_number="776705370628", service_provider="DHL")
    assert answer["code"] == "0"
    assert isinstance(answer["voucher_id"], int)
    order = api.call(GET, e_trade_id=trade_id)["value"]
    assert order["trade_status"] == "delivering"
    assert int(order["modify_date"]["timestamp"]) > before
    value = api.call(LOGISTICS, trade_id=trade_id, data_select="logistic_order")["value"]
    assert value["logistic_status"] == "DELIVERING"
    assert [row["voucher"] for row in value["shipping_order_list"]] == [
        {
            "logistics_type": "EXPRESS",
            "service_provider": "DHL",
            "tracking_number": "776705370628",
        }
    ]


def test_the_journal_tells_everything_about_a_shipment(api: Api) -> None:
    trade_id = api.order()
    answer = api.ship(trade_id, tracking_number="T1")
    (entry,) = api.journal("shipment")
    (upload,) = api.journal("upload")
    assert (
        entry.items()
        >= {
            "seller": api.stores[0].id,
            "trade_id": trade_id,
            "tracking_number": "T1",
            "service_provider": "FEDEX",
            "logistics_type": "EXPRESS",
            "voucher_id": answer["voucher_id"],
            "request_id": answer["request_id"],
            "shipment_of_order": 1,
            "late": False,
        }.items()
    )
    assert entry["attachments"] == [
        {name: upload[name] for name in ("file_path", "file_name", "sha256")}
    ]
    assert entry["seq"] == upload["seq"] + 1


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"tracking_number": None}, "402", "trackingNumber must not be null"),
        ({"tracking_number": " "}, "402", "trackingNumber must not be null"),
        ({"tracking_number": 5}, "402", "trackingNumber must not be null"),
        ({"service_provider": ""}, "402", "serviceProvider must not be null"),
        ({"service_provider": "FedEx"}, "402", "serviceProvider"),
        ({"logistics_type": "express"}, "402", "logisticsType must equals EXPRESS or POST"),
        ({"logistics_type": None}, "402", "logisticsType must equals EXPRESS or POST"),
        ({"service_provider": "JT"}, "402", "contactMobile"),
        ({"service_provider": "JT", "contact_mobile": "12345"}, "402", "contactMobile"),
        ({"attachments": []}, "402", "attachments must not be null"),
        ({"attachments": [{"file_name": "a.png", "file_path": "/x.png"}]}, "402", "filePath"),
        ({"attachments": ["/x.png"]}, "402", "attachments"),
        ({"trade_id": ""}, "402", "tradeId must not be null"),
        ({"trade_id": "255201166001024316"}, "404", "order not exist"),
    ],
)
def test_an_incomplete_or_wrong_request_is_refused(
    api: Api, fields: dict[str, Any], code: str, message: str
) -> None:
    trade_id = api.order()
    answer = api.ship(**{"trade_id": trade_id, **fields})
    assert answer["code"] == code
    assert message in answer["message"]
    assert api.journal("shipment") == []
    (refused,) = api.journal("shipment_refused")
    assert (refused["code"], refused["only_by_status"]) == (code, False)
    assert api.call(GET, e_trade_id=trade_id)["value"]["trade_status"] == "undeliver"


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "null"])
def test_a_shipping_request_that_is_no_object_is_refused(api: Api, text: str) -> None:
    answer = api.call(SHIPPING, shipping_request=text)
    assert answer["code"] in {"402", "MissingParameter"}


def test_a_carrier_that_wants_a_mobile_number_gets_four_digits(api: Api) -> None:
    answer = api.ship(api.order(), service_provider="JT", contact_mobile="0815")
    assert answer["code"] == "0"


def test_another_stores_order_or_proof_is_refused(api: Api) -> None:
    other = api.stores[1]
    assert api.ship(api.order(seller=other.id))["code"] == "403"
    foreign = [{"file_name": "a.png", "file_path": api.upload(store=other)["value"]}]
    assert api.ship(api.order(), attachments=foreign)["code"] == "402"


@pytest.mark.parametrize(
    "status", ["unpay", "paid", "captured", "delivering", "trade_close", "frozen", "trade_success"]
)
def test_only_an_order_that_waits_for_shipment_can_be_shipped(api: Api, status: str) -> None:
    answer = api.ship(api.order(status=status))
    assert answer["code"] == "402"
    assert status in answer["message"]


def test_a_second_shipment_is_refused_and_counted(api: Api) -> None:
    trade_id = api.order()
    assert api.ship(trade_id, tracking_number="A")["code"] == "0"
    assert api.ship(trade_id, tracking_number="B")["code"] == "402"
    assert api.tracking_numbers(trade_id) == ["A"]
    totals = api.admin("GET", "/totals?per_order=true")
    assert totals["shipments_per_order"] == {trade_id: 1}
    assert totals["shipments_per_order_max"] == 1
    assert totals["could_have_acted_per_order_max"] == 2
    assert totals["shipments_refused"] == {"402": 1}
    assert totals["shipping_calls_received"] == 2
    assert api.journal("shipment_refused")[0]["only_by_status"] is True


def test_a_lenient_sandbox_accepts_a_second_shipment_so_that_it_is_seen(api: Api) -> None:
    assert api.admin("PUT", "/lenient", {"lenient": True}) == {"lenient": True}
    trade_id = api.order()
    vouchers = {api.ship(trade_id, tracking_number=number)["voucher_id"] for number in "ABC"}
    assert len(vouchers) == 3
    assert api.tracking_numbers(trade_id) == ["A", "B", "C"]
    totals = api.admin("GET", "/totals?per_order=true")
    assert totals["shipments_per_order"] == {trade_id: 3}
    assert totals["shipments_per_order_max"] == 3
    assert (totals["shipments"], totals["orders_shipped"]) == (3, 1)
    assert [entry["shipment_of_order"] for entry in api.journal("shipment")] == [1, 2, 3]
    api.admin("PUT", "/lenient", {"lenient": False})
    assert api.ship(trade_id, tracking_number="D")["code"] == "402"


def test_a_lenient_sandbox_keeps_all_other_rules(start: Start) -> None:
    api = start(orders_per_store=1, lenient=True)
    assert api.ship(api.order(status="trade_close"))["code"] == "0"
    assert api.ship(api.order(), tracking_number="")["code"] == "402"
    assert api.ship(api.order(seller=api.stores[1].id))["code"] == "403"


def test_a_proof_is_optional_if_the_sandbox_is_told_so(start: Start) -> None:
    api = start(orders_per_store=1, attachments_required=False)
    assert api.ship(api.order(), attachments=None)["code"] == "0"


@pytest.mark.parametrize("where", ["result", "value"])
def test_the_voucher_can_stand_elsewhere(start: Start, where: str) -> None:
    api = start(orders_per_store=1, voucher_in=where)
    answer = api.ship(api.order())
    assert "voucher_id" not in answer
    assert isinstance(answer[where]["voucher_id"], int)


def test_a_full_journal_refuses_writes_instead_of_forgetting_them(start: Start) -> None:
    api = start(orders_per_store=1, journal_entries_max=3)  # two are the stores' tokens
    trade_id = json.loads(api.shipping_request("1" * 18))["trade_id"]
    assert api.upload()["code"] == "0"
    answer = api.upload()
    assert (answer["code"], answer["type"]) == ("500", "SYSTEM")
    assert api.call(GET, e_trade_id=trade_id)["code"] == "404"
