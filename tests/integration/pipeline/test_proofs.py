"""Proofs of a whole installation: signed by themselves, checked by its operator and by anybody with a key."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import waybill as package
from tests.integration.pipeline.shop import Shop
from tests.integration.pipeline.stock import with_orders
from tests.integration.pipeline.terminal import run, waybill

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]

PAGE = Path(package.__file__).parent.parent / "docs" / "checking-proofs.md"
RUN_S = 30.0


@with_orders(6)
def test_what_alibaba_got_is_signed_by_its_store_and_can_be_checked_by_anybody(
    shop: Shop, tmp_path: Path
) -> None:
    keys = shop.wait_imported()[:2]
    shop.publish(shop.shipment(key) for key in keys)
    shop.wait_confirmed(len(keys))
    for number, key in enumerate(keys):
        waybill(shop, "proof", "show", key, "--out", str(tmp_path / f"{number}.png"))
    files = sorted(tmp_path.glob("*.png"))  # a proof may have several pages

    waybill(shop, "proof", "verify", *map(str, files))
    for key in keys:
        assert "every byte is as it was published" in waybill(shop, "proof", "render", key)
    stores = json.loads(waybill(shop, "proof", "keys", "--json"))
    public = {one["key_id"]: one["public_key"] for one in stores}
    shown = json.loads(waybill(shop, "proof", "show", keys[0], "--json"))
    key = public.pop(shown["pages"][0]["key_id"])
    (other,) = public.values()  # of the other store

    assert _by_script(files[0], key).returncode == 0
    assert _by_script(files[0], other).returncode == 1
    proof = [str(file) for file in files if file.name.startswith("0")]
    assert run(shop, "proof", "verify", "--offline", *proof, "--key", key).returncode == 0
    assert run(shop, "proof", "verify", "--offline", *proof, "--key", other).returncode == 1


def _by_script(file: Path, key: str) -> "subprocess.CompletedProcess[str]":
    """The script of docs/checking-proofs.md, which knows nothing of Waybill."""
    (script,) = re.findall(r"```python\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
    return subprocess.run(  # noqa: S603 - our own page
        [sys.executable, "-c", script, key, str(file)],
        timeout=RUN_S,
        check=False,
        capture_output=True,
        text=True,
    )
