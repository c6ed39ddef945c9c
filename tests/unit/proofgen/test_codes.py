"""Codes are drawn in whole modules, can be read, and a damaged one is noticed."""

import pytest
from PIL import Image

from services.proofgen.carrier_links import URL_CHARS_MAX
from services.proofgen.codes import (
    BAR_HEIGHT_SHARE,
    BAR_MODULE_PX_MIN,
    BAR_QUIET_MODULES,
    QR_MODULE_PX_MIN,
    QR_QUIET_MODULES,
    Symbol,
    code_128,
    is_readable,
    qr_code,
)

NUMBERS = [
    "JD014600006281234567",
    "RB123456785CN",
    "1Z999AA10123456784",
    "9400110200881234567890",
    "4",
    "a b-c_d/e.f",
    "(01)09501101530003",
    "~!@#$%^&*",
    "0" * 50,
]
URLS = ["https://dhl.com/1", "https://www.dhl.com/track?id=" + "x" * (URL_CHARS_MAX - 29)]


def on_page(symbol: Symbol) -> Image.Image:
    page = Image.new("L", (1654, 600), 255)
    page.paste(symbol.image, (100, 50))
    return page


@pytest.mark.parametrize("number", NUMBERS)
def test_every_tracking_number_can_be_read_back(number: str) -> None:
    symbol = code_128(number, 1_400)

    assert symbol is not None
    assert is_readable(on_page(symbol), 100, 50, symbol)


@pytest.mark.parametrize("url", URLS)
def test_every_url_can_be_read_back(url: str) -> None:
    symbol = qr_code(url, 260)

    assert symbol is not None
    assert is_readable(on_page(symbol), 100, 50, symbol)


@pytest.mark.parametrize("number", NUMBERS)
def test_bars_keep_the_rules_of_the_symbology(number: str) -> None:
    symbol = code_128(number, 1_400)

    assert symbol is not None
    module_px = symbol.quiet_px // BAR_QUIET_MODULES
    bars = symbol.image.crop(
        (symbol.quiet_px, 0, symbol.image.width - symbol.quiet_px, symbol.image.height)
    )
    assert module_px >= BAR_MODULE_PX_MIN
    assert bars.width % module_px == 0
    assert bars.height >= max(120, BAR_HEIGHT_SHARE * bars.width)
    quiet = symbol.image.crop((0, 0, symbol.quiet_px, symbol.image.height))
    assert quiet.getextrema() == (255, 255)
    assert {0, 255} == set(symbol.image.tobytes())


def test_the_qr_code_keeps_its_quiet_zone_and_module() -> None:
    symbol = qr_code(URLS[1], 260)

    assert symbol is not None
    assert symbol.quiet_px >= QR_QUIET_MODULES * QR_MODULE_PX_MIN
    assert symbol.image.crop((0, 0, symbol.image.width, symbol.quiet_px)).getextrema() == (255, 255)


@pytest.mark.parametrize("number", ["", "x" * 51, "运单123", "tab\there", "a" * 45])
def test_no_bars_rather_than_bad_ones(number: str) -> None:
    assert code_128(number, 1_400) is None


@pytest.mark.parametrize("url", ["", "https://dhl.com/ü", "https://dhl.com/" + "x" * URL_CHARS_MAX])
def test_no_qr_code_rather_than_a_bad_one(url: str) -> None:
    assert qr_code(url, 260) is None


def test_a_damaged_code_is_noticed() -> None:
    symbol = code_128("JD014600006281234567", 1_400)
    assert symbol is not None
    page = on_page(symbol)
    page.paste(0, (300, 0, 330, 600))

    assert not is_readable(page, 100, 50, symbol)


def test_a_code_with_another_text_is_noticed() -> None:
    right, wrong = code_128("JD014600006281234567", 1_400), code_128("JD014600006281234568", 1_400)
    assert right is not None
    assert wrong is not None

    assert not is_readable(on_page(wrong), 100, 50, right)
