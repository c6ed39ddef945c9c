"""A made-up order that shows every part of a slip: for previews and measurements. Nobody lives here."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from services.proofgen.document import ItemLine, PostalAddress
from services.proofgen.slip.document import SlipDocument, SlipLine
from services.proofgen.specimen import SPECIMEN as PROOF

_CHINA = timezone(timedelta(hours=8))

SPECIMEN = SlipDocument(
    order_id=PROOF.order_id,
    order_number=PROOF.order_id,
    lines=(
        SlipLine(PROOF.items[0], "A-03-2"),
        SlipLine(
            ItemLine(
                "Desk lamp with clamp, swivel arm, dimmable, USB-C",
                Decimal(1),
                "LAMP-RED-L",
                "Piece",
                (("Colour", "Signal red"), ("Size", "L"), ("Plug", "EU")),
            ),
            "A-12-1",
        ),
        SlipLine(PROOF.items[1], "B-01-4"),
        SlipLine(PROOF.items[2]),
    ),
    ordered_at=PROOF.ordered_at,
    ship_by_at=datetime(2026, 11, 30, 8, tzinfo=_CHINA),
    store_name=PROOF.store_name,
    seller=PROOF.ship_from,
    ship_to=PostalAddress(
        name="Erika Mustermann",
        company="Mustermann & Söhne Elektrohandel GmbH",
        lines=("Musterstraße 118, Hinterhaus", "10969 Berlin", "Germany (DE)"),
        phone="+49 30 2555 0143",
        country_code="DE",
    ),
    carrier=PROOF.carrier_name,
    service=PROOF.service,
    shipment_id=PROOF.shipment_id,
    tracking_number=PROOF.tracking_number,
    is_part=True,
    is_gift=True,
    gift_message="Happy birthday, dear Erika!\nMay your garden glow. 生日快乐！\nYours, Max",
    customer_notes=("Please deliver before noon, and pack the lamps apart from the profiles.",),
)
