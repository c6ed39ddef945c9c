"""What `waybill proof verify --offline` says of pages, of changed pages and of whatever else is handed in."""

import io
import json
import os
import random
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from services.proofgen import png
from services.proofgen.codes import qr_code
from services.proofgen.proving import Proved, Prover
from services.proofgen.signing import SigningKeys
from tests.gallery.claims import ORDER_KEY, STORE_ID, claim_bytes
from tests.tampering import STRANGER, TAMPERED, chunk, signed_by_a_stranger
from tests.unit.cli.outcome import Waybill
from waybill.contracts import Proof
from waybill.contracts.codec import Codec, SchemaBook
from waybill.installation_keys import new_key

KEY = new_key()
PUBLIC = SigningKeys(SecretStr(KEY)).signer(STORE_ID).public_key
MANY = [{"line_id": str(n), "name": f"Item {n}", "quantity": "1"} for n in range(25)]
FAST_S = 5.0


def drawn(key: str | None, **facts: Any) -> list[bytes]:
    proved = Prover(SecretStr(key) if key else None).prove(claim_bytes(**facts))
    assert isinstance(proved, Proved)
    proof = Codec(Proof, "proof", SchemaBook()).decode(proved.value)
    return [page.image for page in proof.pages]


@pytest.fixture(scope="module")
def page() -> bytes:
    return drawn(KEY)[0]


@pytest.fixture(scope="module")
def two_pages() -> tuple[bytes, bytes]:
    first, second = drawn(KEY, order={"items": MANY})
    return first, second


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYBILL_SIGNING_KEY", raising=False)


def saved(folder: Path, *contents: bytes) -> list[str]:
    files = [folder / f"{number}.png" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return [str(file) for file in files]


def results(waybill: Waybill, files: list[str], *options: str) -> tuple[int, dict[str, bool]]:
    """The exit code, and which checks passed in all files."""
    told = waybill("proof", "verify", "--offline", "--json", *options, *files)
    found: dict[str, bool] = {}
    for one in json.loads(told.out):
        for check in one["checks"]:
            found[check["check"]] = check["passed"] and found.get(check["check"], True)
    return told.code, found


def test_a_page_as_it_was_published_passes_every_check(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    files = saved(tmp_path, page)
    told = waybill("proof", "verify", "--offline", "--key", PUBLIC.text, *files)

    assert (told.code, told.err) == (0, "")
    assert f"page 1 of 1, order {ORDER_KEY}, shipment se-28529731 revision 3" in told.out
    assert f"nothing was changed since key {PUBLIC.key_id} signed it" in told.out
    assert "the bar code reads as its tracking number" in told.out
    assert "the QR code leads to www.fedex.com" in told.out
    assert "FAILED" not in told.out


def test_the_installations_own_key_needs_no_option(
    waybill: Waybill, tmp_path: Path, page: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = saved(tmp_path, page)
    for keys, passed in ((KEY, True), (f"{new_key()},{KEY}", True), (new_key(), False)):
        monkeypatch.setenv("WAYBILL_SIGNING_KEY", keys)
        code, found = results(waybill, files)
        assert (code == 0, found["key"], found["signature"]) == (passed, passed, True)


def test_a_public_key_may_stand_in_a_file(waybill: Waybill, tmp_path: Path, page: bytes) -> None:
    files = saved(tmp_path, page)
    for name, text in (("key.pem", PUBLIC.pem), ("key.txt", PUBLIC.text + "\n")):
        (tmp_path / name).write_text(text, "utf-8")
        assert results(waybill, files, "--key", str(tmp_path / name))[0] == 0


def test_without_a_key_to_compare_it_does_not_pass(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    told = waybill("proof", "verify", "--offline", *saved(tmp_path, page))

    assert told.code == 1
    assert "give --key, or set WAYBILL_SIGNING_KEY" in told.out
    assert told.err == "error: 1 of 6 checks failed\n"


def test_an_unsigned_page_says_so(waybill: Waybill, tmp_path: Path) -> None:
    files = saved(tmp_path, drawn(None)[0])

    assert (
        "unsigned: it was drawn without WAYBILL_SIGNING_KEY"
        in waybill("proof", "verify", "--offline", *files).out
    )
    assert results(waybill, files, "--key", PUBLIC.text) == (
        1,
        {"file": True, "template": True, "signature": False, "codes": True, "pages": True},
    )


@pytest.mark.parametrize("what", TAMPERED)
def test_every_change_is_found(
    waybill: Waybill, tmp_path: Path, two_pages: tuple[bytes, bytes], what: str
) -> None:
    files = saved(tmp_path, TAMPERED[what](*two_pages), two_pages[1])

    code, found = results(waybill, files, "--key", PUBLIC.text)

    assert code == 1
    assert not (found["file"] and found["signature"])


def test_a_page_that_somebody_else_signed_is_found(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    files = saved(tmp_path, signed_by_a_stranger(page))

    code, found = results(waybill, files, "--key", PUBLIC.text)
    told = waybill("proof", "verify", "--offline", "--key", PUBLIC.text, *files)

    assert (code, found["signature"], found["key"]) == (1, True, False)
    assert f"{STRANGER.public_key.key_id} is no key of store {STORE_ID}" in told.out


def test_a_key_of_another_store_is_not_the_stores_key(waybill: Waybill, tmp_path: Path) -> None:
    files = saved(tmp_path, drawn(KEY, claim={"store_id": "sandbox-1"})[0])

    assert results(waybill, files, "--key", PUBLIC.text)[1]["key"] is False


def test_a_page_alone_is_not_the_whole_proof(
    waybill: Waybill, tmp_path: Path, two_pages: tuple[bytes, bytes], page: bytes
) -> None:
    key = ("--key", PUBLIC.text)
    both, other = saved(tmp_path, *two_pages), tmp_path / "other"
    other.mkdir()
    stranger = drawn(KEY, order={"items": MANY}, claim={"claim_id": "c-2"})[1]

    assert results(waybill, both, *key)[0] == 0
    assert results(waybill, both[1:], *key)[1]["pages"] is False
    assert results(waybill, [both[0], both[0]], *key)[1]["pages"] is False
    for another in (page, stranger):
        mixed = results(waybill, [both[0], *saved(other, another)], *key)
        assert mixed[1]["pages"] is False


def test_a_page_of_another_template_is_told(waybill: Waybill, tmp_path: Path, page: bytes) -> None:
    signer = SigningKeys(SecretStr(KEY)).signer(STORE_ID)
    parts = png.parts_of(page)
    texts = [(n, "999" if n == "waybill.template-version" else text) for n, text in parts.texts]
    files = saved(tmp_path, signer.signed(png.encode(png.sheet_of(parts), 200, texts)))

    code, found = results(waybill, files, "--key", PUBLIC.text)

    assert (code, found["template"], found["signature"]) == (1, False, True)


def test_codes_that_read_as_something_else_are_found(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    """Signed with the right key: what a drawing that went wrong would look like."""
    signer = SigningKeys(SecretStr(KEY)).signer(STORE_ID)
    parts = png.parts_of(page)
    texts = [(n, "X1" if n == "waybill.tracking-number" else text) for n, text in parts.texts]
    files = saved(tmp_path, signer.signed(png.encode(png.sheet_of(parts), 200, texts)))

    assert results(waybill, files, "--key", PUBLIC.text)[1]["codes"] is False


def test_a_qr_code_that_leads_elsewhere_is_found(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    signer = SigningKeys(SecretStr(KEY)).signer(STORE_ID)
    parts, code = png.parts_of(page), qr_code("https://example.net/776705370628", 260)
    assert code is not None
    sheet = png.sheet_of(parts).copy()
    sheet.paste(code.image, (700, 1_800))
    files = saved(tmp_path, signer.signed(png.encode(sheet, 200, parts.texts)))

    told = waybill("proof", "verify", "--offline", "--key", PUBLIC.text, *files)

    assert told.code == 1
    assert "a QR code leads elsewhere than to a carrier's page" in told.out


# ------------------------------------------------------------------------- files from anywhere


def other_png(mode: str) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (300, 200)).save(out, "PNG")
    return out.getvalue()


def with_texts(pairs: list[tuple[str, str]]) -> bytes:
    return png.encode(png.new_sheet(30, 20, 255), 200, pairs)


def bomb() -> bytes:
    """A small file that would be 60 MB."""
    header = b"\0\0\x0f\xa0" + b"\0\0\x04\xe2" + bytes((8, 0, 0, 0, 0))
    pixels = zlib.compress(b"\0" * 60_000_000, 9)
    resolution = b"\0\0\x1e\xc2" * 2 + b"\1"
    parts = [(b"IHDR", header), (b"pHYs", resolution)]
    texts = png.parts_of(drawn(None)[0]).texts
    parts += [(b"iTXt", f"{name}\0\0\0\0\0{text}".encode()) for name, text in texts]
    parts += [(b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


FOREIGN = {
    "nothing": b"",
    "a text": b"proof of shipment",
    "a JPEG": b"\xff\xd8\xff\xe0" + b"\0" * 500,
    "noise": random.Random(1).randbytes(60_000),
    "the start of a PNG file": b"\x89PNG\r\n\x1a\n",
    "a grey PNG file": other_png("L"),
    "a coloured PNG file": other_png("RGBA"),
    "without texts": with_texts([]),
    "texts of somebody else": with_texts([("Author", "a\x1b[2Jb"), ("x" * 79, "y" * 1_900)]),
    "a bomb": bomb(),
}


@pytest.mark.timeout(FAST_S)
@pytest.mark.parametrize("what", FOREIGN)
def test_another_file_is_told_in_one_line(waybill: Waybill, tmp_path: Path, what: str) -> None:
    told = waybill(
        "proof", "verify", "--offline", "--key", PUBLIC.text, *saved(tmp_path, FOREIGN[what])
    )

    assert told.code == 1
    assert told.err == "error: 1 of 1 checks failed\n"
    assert "no page of a proof" in told.out
    assert told.out.count("\n") == 2
    assert "\x1b" not in told.out


@pytest.mark.timeout(FAST_S)
def test_a_file_of_a_hundred_megabytes_is_not_read(waybill: Waybill, tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    with file.open("wb") as opened:
        opened.truncate(100_000_000)

    tracemalloc.start()
    told = waybill("proof", "verify", "--offline", str(file))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told.code == 1
    assert peak_bytes < 10_000_000
    assert "larger than any page" in told.out


@pytest.mark.timeout(FAST_S)
@pytest.mark.parametrize("what", ["absent", "a folder", "a pipe", "a device"])
def test_what_is_no_file_is_wrong_use(waybill: Waybill, tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "a device":
        path = Path("/dev/zero")

    told = waybill("proof", "verify", "--offline", str(path))

    assert told.code == 2
    assert told.err.startswith(f"error: {path}: ")
    assert told.err.count("\n") == 1


def test_every_cut_is_told_and_crashes_nothing(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    lengths = [*range(0, 1_400, 61), *range(1_400, len(page), len(page) // 12), len(page) - 1]
    files = saved(tmp_path, *(page[:length] for length in lengths))

    code, found = results(waybill, files, "--key", PUBLIC.text)

    assert (code, found) == (1, {"file": False})


def test_what_stands_in_a_file_moves_no_cursor(
    waybill: Waybill, tmp_path: Path, page: bytes
) -> None:
    parts = png.parts_of(page)
    texts = [
        (name, "a\u009b2J\u202ex" if name in ("waybill.order-key", "waybill.store-id") else text)
        for name, text in parts.texts
    ]
    files = saved(tmp_path, STRANGER.signed(png.encode(png.sheet_of(parts), 200, texts)))

    told = waybill("proof", "verify", "--offline", *files)

    assert told.code == 1
    assert not {"\x1b", "\u009b", "\u202e"} & set(told.out + told.err)


@pytest.mark.parametrize("key", ["", "AAAA", "no-such-file", "A" * 5_000])
def test_a_key_of_another_form_is_wrong_use(waybill: Waybill, tmp_path: Path, key: str) -> None:
    told = waybill("proof", "verify", "--offline", "--key", key, *saved(tmp_path, b""))

    assert told.code == 2
    assert told.err.startswith("error: --key: want an Ed25519 public key")


def test_a_new_key_is_one_that_signs(waybill: Waybill, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {waybill("proof", "new-key").out.strip() for _ in range(3)}

    assert len(keys) == 3
    for key in keys:
        SigningKeys(SecretStr(key))


def test_without_a_signing_key_there_are_no_public_keys(waybill: Waybill) -> None:
    told = waybill("proof", "keys")

    assert told.code == 2
    assert "waybill proof new-key" in told.err


def test_a_wrong_signing_key_is_told_and_not_shown(
    waybill: Waybill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_SIGNING_KEY", "c2hvcnQ=")

    told = waybill("proof", "verify", "--offline", *saved(tmp_path, b""))

    assert told.code == 2
    assert told.err.startswith("error: WAYBILL_SIGNING_KEY: ")
    assert "c2hvcnQ" not in told.err
