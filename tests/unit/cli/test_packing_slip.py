"""`waybill packing-slip`, as far as it needs no cluster: what is fetched, told, refused and written."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.proofgen.pdf import encode
from tests.unit.cli.outcome import Waybill
from tests.unit.cli.test_order_story import ORDER, SHIPMENT
from waybill.cli import packing_slip
from waybill.cli.errors import InputError
from waybill.cli.packing_slip import KEYS_MAX
from waybill.cli.slip_files import check_target, files_of
from waybill.cli.slip_orders import Packing
from waybill.cli.store_changes import changed, connected
from waybill.contracts.order import OrderItem, OrderStatus
from waybill.contracts.shipment import Coverage, Part, ShipmentItem
from waybill.pictures.fetching import Fetched, Missing
from waybill.pictures.reasons import Reason

KEY = ORDER.key
STORE = connected("sandbox", "2011492515", "Lumen & Volt", ORDER.imported_at)
WITH_PICTURES = changed(STORE, ["slip_pictures=on"])
LAMP = "https://s.alicdn.com/lamp.jpg?token=secret"
CABLE = "https://evil.example/cable.jpg?token=secret"
ITEMS = (
    OrderItem(
        line_id="1", name="Lamp", quantity=Decimal(2), image_url=LAMP, warehouse_location="B"
    ),
    OrderItem(
        line_id="2", name="Cable", quantity=Decimal(1), image_url=CABLE, warehouse_location="A"
    ),
    OrderItem(line_id="3", name="Nail", quantity=Decimal(9)),
)


class Bench:
    """Orders on the table, and a web that answers as it is told."""

    def __init__(self) -> None:
        self.packings = [self.packing()]
        self.asked: list[tuple[list[str], list[str]]] = []

    def packing(self, **changes: Any) -> Packing:
        store = changes.pop("store", STORE)
        order = ORDER.model_copy(update={"items": ITEMS} | changes)
        return Packing(order.key, order, None, store)

    def read(self, *_arguments: object) -> list[Packing]:
        return self.packings

    def fetch(self, urls: Iterable[str], hosts: Sequence[str]) -> dict[str, Fetched]:
        self.asked.append(([*urls], [*hosts]))
        file = BytesIO()
        Image.new("L", (100, 100), 40).save(file, "PNG")
        return {LAMP: file.getvalue(), CABLE: Missing(Reason.HOST_NOT_ALLOWED, "evil.example")}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    made = Bench()
    monkeypatch.setattr(packing_slip, "packings", made.read)
    monkeypatch.setattr(packing_slip, "fetch_pictures", made.fetch)
    monkeypatch.chdir(tmp_path)
    return made


def test_a_slip_is_written_where_one_stands(bench: Bench, waybill: Waybill, tmp_path: Path) -> None:
    told = waybill("packing-slip", KEY)

    assert told == (0, "saved packing-slip_sandbox_255201166001024316.png\n", "")
    with Image.open(tmp_path / "packing-slip_sandbox_255201166001024316.png") as page:
        assert page.size == (1654, 2338)


def test_pictures_are_fetched_only_if_the_store_says_so(bench: Bench, waybill: Waybill) -> None:
    assert waybill("packing-slip", KEY).code == 0
    assert bench.asked == []

    bench.packings = [bench.packing(store=WITH_PICTURES)]
    assert waybill("packing-slip", KEY).code == 0
    # in the order of the page, since there is a limit to how many are fetched
    assert bench.asked == [([CABLE, LAMP], ["alicdn.com", "aliimg.com"])]


def test_a_picture_that_is_left_out_is_told_by_line_reason_and_host_alone(
    bench: Bench, waybill: Waybill
) -> None:
    bench.packings = [bench.packing(store=WITH_PICTURES)]

    told = waybill("packing-slip", KEY)

    assert told.err == (
        f"{KEY}: line 1: its picture is left out: its host is not among WAYBILL_PICTURE_HOSTS "
        "(evil.example)\n"
    )


def test_what_is_not_shown_and_what_may_not_leave_is_told(bench: Bench, waybill: Waybill) -> None:
    long = ITEMS[0].model_copy(update={"name": "long " * 200})
    bench.packings = [bench.packing(items=(long,), status=OrderStatus.ON_HOLD)]

    told = waybill("packing-slip", KEY)

    assert told.code == 0
    assert f"{KEY}: the order is on_hold: its slip says not to ship it" in told.err
    assert f"{KEY}: not everything is shown as given: text_cut" in told.err


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"part": Part(number=2)}, True),
        ({"covers_order": Coverage.PARTIAL}, True),
        ({"part": Part(number=2), "items": (ShipmentItem(sku="x", quantity=Decimal(1)),)}, False),
        ({}, False),
    ],
)
def test_a_part_that_names_no_items_is_told(
    bench: Bench, waybill: Waybill, changes: dict[str, Any], told: bool
) -> None:
    shipment = SHIPMENT.model_copy(update=changes)
    bench.packings = [bench.packings[0]._replace(shipment=shipment)]

    assert told == ("a part that names no items" in waybill("packing-slip", KEY).err)


def test_without_a_line_to_pack_nothing_is_written(
    bench: Bench, waybill: Waybill, tmp_path: Path
) -> None:
    bench.packings.append(bench.packing(key="sandbox:2", items=()))

    told = waybill("packing-slip", KEY, "sandbox:2", "--out", str(tmp_path))

    assert told == (1, "", "error: sandbox:2: no slip: items: there is nothing to pack\n")
    assert [*tmp_path.iterdir()] == []


def test_several_slips_become_one_file_in_the_given_order(
    bench: Bench, waybill: Waybill, tmp_path: Path
) -> None:
    bench.packings = [bench.packing(key=f"sandbox:{n}", trade_id=str(n)) for n in (3, 1, 2)]
    keys = [packing.key for packing in bench.packings]
    out = tmp_path / "today" / "slips.pdf"

    assert waybill("packing-slip", *keys, "--out", str(out)).out == f"saved {out}\n"
    assert waybill("packing-slip", *keys, "--pdf").out == "saved packing-slips.pdf\n"
    assert waybill("packing-slip", *keys).out.count("saved packing-slip_sandbox_") == 3

    pages = [(tmp_path / f"packing-slip_sandbox_{n}.png").read_bytes() for n in (3, 1, 2)]
    assert out.read_bytes() == (tmp_path / "packing-slips.pdf").read_bytes() == encode(pages)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--out", "slip.jpg"], "--out slip.jpg: want a folder, or a file"),
        (["--out", "slip.png", "--pdf"], "with --pdf want a folder"),
        (["sandbox:2", "--out", "slip.png"], "several orders want a folder"),
        (["sandbox:2", "--shipment", "s-1"], "--shipment: belongs to one order"),
        ([f"sandbox:{n}" for n in range(KEYS_MAX)], f"want at most {KEYS_MAX} at a time"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    waybill: Waybill, arguments: list[str], what: str
) -> None:
    told = waybill("packing-slip", KEY, *arguments, "--bootstrap", "127.0.0.1:1")

    assert (told.code, told.out) == (2, "")
    assert what in told.err


def test_pages_after_the_first_are_numbered(tmp_path: Path) -> None:
    slips = {"alibaba:1": [b"a", b"b"], "alibaba:2": [b"c"]}

    assert files_of(slips, tmp_path, as_pdf=False) == {
        tmp_path / "packing-slip_alibaba_1.png": b"a",
        tmp_path / "packing-slip_alibaba_1-2.png": b"b",
        tmp_path / "packing-slip_alibaba_2.png": b"c",
    }
    one = {"alibaba:1": [b"a", b"b"]}
    assert files_of(one, tmp_path / "x.png", as_pdf=False) == {
        tmp_path / "x.png": b"a",
        tmp_path / "x-2.png": b"b",
    }


def test_a_folder_may_have_a_name_with_a_dot_once_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "slips.2026"
    with pytest.raises(InputError):
        check_target(folder, slips=1, as_pdf=False)

    folder.mkdir()
    check_target(folder, slips=9, as_pdf=True)


def test_a_file_that_cannot_be_written_is_told(
    bench: Bench, waybill: Waybill, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")

    told = waybill("packing-slip", KEY, "--out", str(tmp_path / "taken" / "slips.pdf"))

    assert told.code == 1
    assert "taken" in told.err
