"""The script of docs/checking-proofs.md checks a page with Python and cryptography alone, and as strictly."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

import waybill
from services.proofgen.imprint import KEYWORDS
from services.proofgen.proving import Proved, Prover
from services.proofgen.signing import KEY_ID, PUBLIC_KEY, SIGNATURE, SigningKeys
from tests.gallery.claims import ORDER_KEY, STORE_ID, claim_bytes
from tests.tampering import TAMPERED, signed_by_a_stranger
from waybill.cli import proof
from waybill.contracts import Proof
from waybill.contracts.codec import Codec, SchemaBook
from waybill.installation_keys import new_key

PAGE = (Path(waybill.__file__).parent.parent / "docs" / "checking-proofs.md").read_text("utf-8")
RUN_S = 30.0
MANY = [{"line_id": str(n), "name": f"Item {n}", "quantity": "1"} for n in range(25)]
KEY = SecretStr(new_key())
PUBLIC = SigningKeys(KEY).signer(STORE_ID).public_key.text


@pytest.fixture(scope="module")
def pages() -> tuple[bytes, bytes]:
    proved = Prover(KEY).prove(claim_bytes(order={"items": MANY}))
    assert isinstance(proved, Proved)
    first, second = Codec(Proof, "proof", SchemaBook()).decode(proved.value).pages
    return first.image, second.image


def check(folder: Path, page: bytes, key: str = PUBLIC) -> "subprocess.CompletedProcess[str]":
    (script,) = re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL)
    (folder / "check_page.py").write_text(script, "utf-8")
    (folder / "proof.png").write_bytes(page)
    return subprocess.run(  # noqa: S603 - our own page
        [sys.executable, "check_page.py", key, "proof.png"],
        cwd=folder, timeout=RUN_S, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_a_signed_page_passes_and_tells_what_it_is(
    tmp_path: Path, pages: tuple[bytes, bytes]
) -> None:
    ended = check(tmp_path, pages[1])

    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"waybill.order-key {ORDER_KEY}\n" in ended.stdout
    assert "waybill.page 2\nwaybill.pages 2\n" in ended.stdout
    assert "nothing was changed since" in ended.stdout


@pytest.mark.parametrize("what", TAMPERED)
def test_every_change_is_found(tmp_path: Path, pages: tuple[bytes, bytes], what: str) -> None:
    ended = check(tmp_path, TAMPERED[what](*pages))

    assert ended.returncode == 1
    assert "nothing was changed" not in ended.stdout


def test_bytes_before_and_after_and_other_keys_are_found(
    tmp_path: Path, pages: tuple[bytes, bytes]
) -> None:
    page = pages[0]
    for changed in (page + b"\0", b"\0" + page, page[:-1], b"", signed_by_a_stranger(page)):
        assert check(tmp_path, changed).returncode == 1
    assert check(tmp_path, page, SigningKeys(KEY).signer("x").public_key.text).returncode == 1


def test_the_page_names_every_text_and_every_command() -> None:
    for keyword in (*KEYWORDS, KEY_ID, PUBLIC_KEY, SIGNATURE):
        assert f"`{keyword}`" in PAGE
    for command in proof.app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        assert f"waybill proof {name}" in PAGE
