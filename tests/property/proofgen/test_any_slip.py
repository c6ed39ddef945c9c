"""Whatever stands in an order, its slip shows every line once, or there is a refusal."""

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.proofgen.captions import Captions
from services.proofgen.grid import WIDTH
from services.proofgen.labels import LANGUAGES
from services.proofgen.marks import Block, BoxMark, TextMark
from services.proofgen.slip.document import SlipDocument, SlipRefusal, SlipRefusalReason
from services.proofgen.slip.pages import lay_out
from services.proofgen.slip.picking import slip_of, with_pictures
from services.proofgen.slip.render import render_slip
from services.proofgen.typesetter import Typesetter
from waybill.contracts import Order, Shipment, Store
from waybill.contracts.base import Address, Option
from waybill.contracts.order import Gift, Note, Notes, OrderItem, OrderStatus
from waybill.contracts.proof import Branding, PaperSize
from waybill.contracts.shipment import ShipmentItem

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
RENDER_CPU_S_MAX = 5.0
"""Ten times the worst slip seen on a busy machine."""

# whole orders shrink for minutes
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)

SHAPED = st.text(
    st.sampled_from("abz 09-,.()[]\u202e\u200d\u0301\u0335אבגּشركة١٢กิ่नक्षी中文、。「한글ァ😀📦&<>\n"),
    max_size=60,
)
TEXT = st.text(max_size=60) | SHAPED | st.builds(lambda t, n: t * n, SHAPED, st.integers(1, 150))
MAYBE = st.none() | TEXT
NUMBER = st.decimals(0, Decimal("99999999999999.9999"), places=4)
OPTIONS = st.lists(st.builds(Option, name=TEXT, value=TEXT), max_size=3).map(tuple)
ADDRESS = st.builds(
    Address,
    name=MAYBE,
    company=MAYBE,
    phone=MAYBE,
    lines=st.lists(TEXT, max_size=6).map(tuple),
    city=MAYBE,
    postal_code=MAYBE,
    country_code=st.sampled_from([None, "JP", "TW", "XX"]),
    latin=st.lists(TEXT, max_size=3).map(tuple),
)
ITEM = st.builds(
    OrderItem,
    line_id=st.uuids().map(str),
    sku=MAYBE,
    name=TEXT,
    quantity=NUMBER,
    unit=MAYBE,
    image_url=MAYBE,
    options=OPTIONS,
    warehouse_location=MAYBE,
    status=st.sampled_from([None, "normal", "delete"]),
)
ORDER = st.fixed_dictionaries(
    {
        "trade_id": st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
        "order_number": TEXT,
        "status": st.sampled_from(OrderStatus),
        "ship_to": st.none() | ADDRESS,
        "ship_from": st.none() | ADDRESS,
        "items": st.lists(ITEM, max_size=30).map(tuple),
        "gift": st.none() | st.builds(Gift, is_gift=st.booleans(), message=MAYBE),
        "notes": st.builds(
            Notes, customer=st.lists(st.builds(Note, text=TEXT), max_size=4).map(tuple)
        ),
    }
)
SHIPMENT = st.none() | st.fixed_dictionaries(
    {
        "tracking_number": st.none() | st.text(min_size=1, max_size=50),
        "items": st.lists(
            st.builds(ShipmentItem, sku=MAYBE, name=MAYBE, quantity=NUMBER, unit=MAYBE), max_size=5
        ).map(tuple),
    }
)
BRANDING = st.builds(
    Branding,
    name=MAYBE,
    address_lines=st.lists(TEXT, max_size=8).map(tuple),
    paper=st.sampled_from(PaperSize),
    third_language=st.none() | st.sampled_from(LANGUAGES),
    logo=st.none() | st.binary(max_size=40),
)


def full(record: str) -> dict[str, Any]:
    text = (EXAMPLES / record / "v1" / "full.json").read_text("utf-8")
    value: dict[str, Any] = json.loads(text)["value"]
    return value


WHOLE_ORDER = Order.model_validate(full("order"))
WHOLE_SHIPMENT = Shipment.model_validate(full("shipment"))
STORE = Store.model_validate(full("store"))


@settings(max_examples=30, phases=WITHOUT_SHRINKING)
@given(ORDER, SHIPMENT, BRANDING, st.booleans())
def test_any_order_gives_a_slip_with_every_line_or_a_refusal(
    order: dict[str, Any], shipment: dict[str, Any] | None, branding: Branding, pictures: bool
) -> None:
    document = slip_of(
        WHOLE_ORDER.model_copy(update=order),
        WHOLE_SHIPMENT.model_copy(update=shipment) if shipment else None,
        STORE.model_copy(update={"branding": branding}),
    )
    if pictures:
        document = with_pictures(document, dict.fromkeys(_urls(document), b"\x89PNG"))
    started_s = time.process_time()
    result = render_slip(document)

    assert time.process_time() - started_s < RENDER_CPU_S_MAX
    wanted = shipment["items"] if shipment and shipment["items"] else _left(order)
    assert len(wanted) >= len(document.lines) > 0 or not wanted
    if isinstance(result, SlipRefusal):
        assert (result.reason, wanted) == (SlipRefusalReason.NO_ITEMS, ())
        return
    _check(document)


def _left(order: dict[str, Any]) -> tuple[OrderItem, ...]:
    return tuple(item for item in order["items"] if item.status != "delete")


def _urls(document: SlipDocument) -> list[str]:
    return [line.picture_url for line in document.lines if line.picture_url]


def _check(document: SlipDocument) -> None:
    """Each line's number stands once at the left edge, in order, and nothing runs over an edge."""
    numbers = []
    for page in lay_out(document, Typesetter(Captions(document.third_language))):
        foot = page.placed[-1]
        for y, block in page.placed[:-1]:
            assert y + block.height_px <= foot.y
        for mark in (mark for placed in page.placed for mark in placed.block.marks):
            if isinstance(mark, TextMark):
                assert mark.x >= -6
                assert mark.x + mark.line.width_px <= WIDTH + 1
        tables = (block for _, block in page.placed if _is_row(block))
        numbers += [block.marks[0].line.text for block in tables]  # type: ignore[union-attr]
    assert [f"{number}" for number in range(1, len(document.lines) + 1)] == numbers


def _is_row(block: Block) -> bool:
    """A number in front, and a box to tick."""
    first, second = (*block.marks, None, None)[:2]
    tick = isinstance(second, BoxMark) and second.width == second.height == 34
    return isinstance(first, TextMark) and first.x == 0 and tick
