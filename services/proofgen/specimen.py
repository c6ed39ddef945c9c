"""A made-up shipment that fills the page: for warming up, previews and measurements. Nobody lives here."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from services.proofgen.document import (
    AddressMatch,
    Cost,
    ItemLine,
    Parcel,
    PostalAddress,
    ProofDocument,
)

_CHINA = timezone(timedelta(hours=8))

SPECIMEN = ProofDocument(
    document_id="specimen",
    order_id="255201166001024316",
    issued_at=datetime(2026, 11, 23, 22, 5, 9, tzinfo=_CHINA),
    shipment_id="se-28529731",
    shipment_revision=3,
    tracking_number="JD014600006281234567",
    carrier_name="DHL Express",
    carrier_code="DHL",
    logistics_type="EXPRESS",
    shipped_at=datetime(2026, 11, 23, 17, 40, tzinfo=_CHINA),
    ship_to=PostalAddress(
        name="Erika Mustermann",
        company="Mustermann & Söhne Elektrohandel GmbH",
        lines=("Musterstraße 118, Hinterhaus", "10969 Berlin", "Germany (DE)"),
        phone="+49 30 2555 0143",
        country_code="DE",
    ),
    store_name="Shenzhen Bright Star Technology Co., Ltd.",
    ordered_at=datetime(2026, 11, 19, 9, 12, 44, tzinfo=_CHINA),
    buyer_name="Erika Mustermann",
    tracking_url="https://www.dhl.com/global-en/home/tracking.html?tracking-id=JD014600006281234567",
    service="Express Worldwide",
    label_created_at=datetime(2026, 11, 23, 11, 2, tzinfo=_CHINA),
    ship_from=PostalAddress(
        name="李明",
        company="深圳市亮星科技有限公司",
        lines=("粤海街道高新南一道008号 A座 1203室", "广东省深圳市南山区 518057", "中国 (CN)"),
        phone="+86 755 8632 1100",
        latin=("12/F Tower A, Gaoxin South 1st Road", "Nanshan, Shenzhen 518057, China"),
        country_code="CN",
    ),
    address_match=AddressMatch(compared=True),
    items=(
        ItemLine(
            name="LED strip light 24 V, 5 m reel, IP65, warm white",
            quantity=Decimal(24),
            sku="LS-24V-5M-WW",
            unit="Pieces",
            options=(("Colour temperature", "2700 K"), ("Length", "5 m")),
        ),
        ItemLine(
            name="电源适配器 24V 6A 带欧规插头",
            quantity=Decimal(24),
            sku="PSU-24-6A-EU",
            unit="Pieces",
            options=(("Plug", "EU"),),
        ),
        ItemLine(
            name="Aluminium profile with opal cover",
            quantity=Decimal("12.5"),
            sku="AL-PRO-2M",
            unit="Metres",
        ),
    ),
    parcels=(
        Parcel(
            tracking_number="JD014600006281234567",
            weight=Decimal("6.4"),
            weight_unit="kg",
            dimensions_cm=(Decimal(60), Decimal(40), Decimal(30)),
        ),
        Parcel(
            tracking_number="JD014600006281234574",
            weight=Decimal("5.15"),
            weight_unit="kg",
            dimensions_cm=(Decimal(60), Decimal(40), Decimal(30)),
        ),
    ),
    cost=Cost(Decimal("86.40"), "USD"),
    note_to_buyer="Thank you for your order. Two cartons; please check the seals before signing.",
)
