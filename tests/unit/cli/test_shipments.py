"""`waybill shipments`, as far as it needs no cluster."""

import json
from pathlib import Path

from tests.unit.cli.outcome import Waybill
from waybill.contracts import Shipment

NOBODY = ("--bootstrap", "127.0.0.1:1")


def test_the_example_is_a_line_that_publish_accepts(waybill: Waybill) -> None:
    printed = waybill("shipments", "example", "--order", "sandbox:123", "--carrier", "dhl")

    checked = waybill("shipments", "publish", "-", "--check", stdin=printed.out.encode())

    assert Shipment.model_validate_json(printed.out).order_key == "sandbox:123"
    assert checked == (0, "1 good, 0 bad\n", "")


def test_the_example_wants_an_order_key(waybill: Waybill) -> None:
    told = waybill("shipments", "example", "--order", "123")

    assert (told.code, told.out) == (2, "")
    assert "--order" in told.err


def lines(waybill: Waybill, *more: str) -> bytes:
    good = waybill("shipments", "example").out
    return "".join([good, *more]).encode()


def test_one_bad_line_is_exit_code_2_and_nothing_is_published(waybill: Waybill) -> None:
    told = waybill("shipments", "publish", "-", *NOBODY, stdin=lines(waybill, "\n", "{}\n"))

    assert told.code == 2
    assert "line 3: order_key: Field required" in told.err
    assert "1 good, 1 bad; nothing was published" in told.err


def test_checking_alone_reaches_for_no_cluster(waybill: Waybill) -> None:
    told = waybill("shipments", "publish", "-", "--check", *NOBODY, stdin=lines(waybill, "oops\n"))

    assert told.code == 2
    assert told.err.splitlines() == [
        "line 2: not JSON: Expecting value at character 1",
        "1 good, 1 bad",
    ]


def test_a_flood_of_problems_is_cut(waybill: Waybill) -> None:
    told = waybill("shipments", "publish", "-", "--check", stdin=b"oops\n" * 500)

    assert told.code == 2
    assert len(told.err.splitlines()) == 51
    assert told.err.endswith("0 good, 500 bad\n")


def test_a_line_without_an_end_is_told_and_the_next_one_is_read(waybill: Waybill) -> None:
    told = waybill(
        "shipments", "publish", "-", "--check", stdin=b"x" * 3_000_000 + b"\n" + lines(waybill)
    )

    assert told.err.splitlines() == ["line 1: longer than 1000000 bytes", "1 good, 1 bad"]


def test_no_line_at_all_is_wrong_use(waybill: Waybill) -> None:
    assert waybill("shipments", "publish", "-", stdin=b"\n\n").code == 2


def test_a_file_is_read_as_it_is(waybill: Waybill, tmp_path: Path) -> None:
    file = tmp_path / "shipments.jsonl"
    value = json.loads(waybill("shipments", "example").out)
    file.write_text(json.dumps(value | {"note_to_buyer": "谢谢"}, ensure_ascii=False), "utf-8")

    assert waybill("shipments", "publish", str(file), "--check").out == "1 good, 0 bad\n"
