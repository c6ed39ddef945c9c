"""A picture file as the logo of a store."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from waybill.cli.errors import InputError
from waybill.cli.store_changes import changed, connected

STORE = connected("sandbox", "2011492515", "Lumen & Volt", datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_becomes_a_small_grey_png(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"logo.{ending}"
    Image.effect_noise((2_000, 700), 60).convert("RGB").save(path)

    after = changed(STORE, [f"branding.logo=@{path}"])

    assert after.branding.logo is not None
    assert len(after.branding.logo) <= 200_000
    with Image.open(BytesIO(after.branding.logo)) as found:
        assert (found.format, found.mode) == ("PNG", "L")
        assert found.width <= 560
        assert found.height <= 96
    assert changed(after, ["branding.logo="]).branding.logo is None
    assert changed(after, ["name=Volt"]).branding.logo == after.branding.logo


@pytest.mark.parametrize("value", ["logo.png", "@/no/such/file.png", f"@{__file__}"])
def test_what_is_no_picture_file_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"branding\.logo"):
        changed(STORE, [f"branding.logo={value}"])


def test_a_time_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="time_zone"):
        changed(STORE, ["time_zone=Mars/Base"])
