"""What the sandbox's stores sell: products with their units, price ranges and sku attributes."""

from __future__ import annotations

from typing import NamedTuple


class Good(NamedTuple):
    """One product of the catalogue orders are drawn from."""

    model: str
    name: str
    unit: str
    """Alibaba's wording; goods sold by length or weight come in fractions such as ``2.5000``."""
    fractional: bool
    price_min: int
    price_max: int
    """Unit price range in hundredths of a US dollar; other currencies are scaled roughly."""
    attributes: tuple[tuple[str, tuple[str, ...]], ...]


_COLOURS = ("Black", "White", "Navy Blue", "Rosé", "军绿色", "Натуральный")
_SIZES = ("S", "M", "L", "XL", "42½", "One size")

GOODS: tuple[Good, ...] = (
    Good(
        "HX-200",
        "Portable Blender 380 ml, USB-C, Food Grade Tritan",
        "Piece/Pieces",
        False,
        690,
        1450,
        (("Color", _COLOURS), ("Plug", ("EU", "UK", "US", "AU"))),
    ),
    Good(
        "TS-41",
        "Custom Logo Organic Cotton T-Shirt 220 g",
        "Piece/Pieces",
        False,
        310,
        890,
        (
            ("Color", _COLOURS),
            ("Size", _SIZES),
            ("Logo", ("No logo", "Screen print", "Embroidery")),
        ),
    ),
    Good(
        "FAB-7",
        "Linen Blend Fabric, Width 145 cm — «Lin lavé»",
        "Meter/Meters",
        True,
        240,
        760,
        (("Color", ("Ecru", "Sauge", "Encre")), ("Weight", ("170 g/m²", "210 g/m²"))),
    ),
    Good(
        "TEA-KG",
        "Oolong Tea Leaves 凍頂烏龍茶, Bulk",
        "Kilogram/Kilograms",
        True,
        1800,
        5200,
        (("Grade", ("A", "AA", "特級")),),
    ),
    Good(
        "LED-S12",
        "LED Strip 12 V 5 m RGBWW & Power Supply",
        "Set/Sets",
        False,
        420,
        1980,
        (("Color temperature", ("2700 K", "4000 K", "RGBWW")), ("IP rating", ("IP20", "IP65"))),
    ),
    Good(
        "CNC-6061",
        "CNC Machined Part, Aluminium 6061-T6, ±0.01 mm, per drawing",
        "Piece/Pieces",
        False,
        85,
        24000,
        (("Surface", ("As machined", "Anodised", "Sand blasted <Ra 1.6>")),),
    ),
    Good(
        "BAG-K3",
        "Kraft Paper Bag with Twisted Handle 32×12×41 cm (100 pcs)",
        "Pack/Packs",
        False,
        1150,
        2900,
        (("Print", ("None", "1 colour", "4 colours")),),
    ),
    Good(
        "CAB-2M",
        'USB-C Cable 2 m 100 W "E-Mark"',
        "Piece/Pieces",
        False,
        95,
        340,
        (("Color", _COLOURS), ("Length", ("1 m", "2 m", "3 m"))),
    ),
    Good("PUZ-1K", "Wooden Puzzle 1000 Teile „Rügen“", "Piece/Pieces", False, 380, 1240, ()),
    Good(
        "SOL-40",
        "Foldable Solar Panel 40 W",
        "Piece/Pieces",
        False,
        3200,
        8900,
        (("Connector", ("MC4", "DC5521", "USB-C")),),
    ),
    Good(
        "RUG-G",
        "Handgeknüpfter Teppich / Hand-knotted Rug",
        "Square Meter/Square Meters",
        True,
        5400,
        19800,
        (("Design", ("Gabbeh", "Ikat", "Plain")),),
    ),
    Good(
        "MUG-CER",
        "Ceramic Mug 350 ml マグカップ",
        "Piece/Pieces",
        False,
        120,
        480,
        (("Color", _COLOURS), ("Package", ("Bulk", "Gift box"))),
    ),
)

STORE_NAMES: tuple[str, ...] = (
    "Ningbo Brightway Houseware Co., Ltd.",
    "Shenzhen Lumen & Volt Electronics Co., Ltd.",
    "Suzhou Silkroad Textile Import & Export Co., Ltd.",
    "Yiwu Everglad Gifts Factory",
    "Guangzhou Orient Packaging Co., Ltd.",
)
"""Store names; more stores than names get a number."""
