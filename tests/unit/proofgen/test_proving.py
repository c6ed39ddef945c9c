"""A framed claim becomes a framed proof: the same bytes wherever it is drawn, signed when there is a key."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from services.proofgen import png
from services.proofgen.imprint import read_imprint
from services.proofgen.proving import Proved, Prover, Unreadable, prove
from services.proofgen.settings import ProofgenSettings
from services.proofgen.signing import SigningKeys, signed_by, without_signature
from services.proofgen.start import _start_worker, say_whether_signed
from tests.gallery.claims import ORDER_KEY, STORE_ID, claim_bytes
from waybill.cli.connection import settings_error
from waybill.contracts import Proof
from waybill.contracts.codec import Codec, SchemaBook
from waybill.installation_keys import new_key


def decoded(proved: Proved | Unreadable) -> Proof:
    assert isinstance(proved, Proved)
    return Codec(Proof, "proof", SchemaBook()).decode(proved.value)


def test_pages_carry_what_their_record_says_and_the_stores_signature() -> None:
    key = SecretStr(new_key())

    proof = decoded(Prover(key).prove(claim_bytes()))

    (page,) = proof.pages
    parts = png.parts_of(page.image)
    imprint = read_imprint(without_signature(parts).texts)
    assert page.sha256 == sha256(page.image).hexdigest()
    assert (imprint.order_key, imprint.store_id) == (ORDER_KEY, STORE_ID)
    assert imprint.document_id == proof.claim_id
    assert imprint.payload_sha256 == proof.payload_sha256
    assert signed_by(page.image, parts) == SigningKeys(key).signer(STORE_ID).public_key


def test_stores_sign_with_different_keys() -> None:
    prover = Prover(SecretStr(new_key()))
    pages = [
        decoded(prover.prove(claim_bytes(claim={"store_id": store}))).pages[0].image
        for store in ("sandbox-1", "sandbox-2")
    ]

    assert len({signed_by(page, png.parts_of(page)) for page in pages}) == 2


def test_without_a_key_the_page_is_the_same_but_unsigned() -> None:
    unsigned, signed = (
        png.parts_of(decoded(Prover(key).prove(claim_bytes())).pages[0].image)
        for key in (None, SecretStr(new_key()))
    )

    assert unsigned.texts_after == ()
    assert without_signature(signed) == unsigned


def test_a_worker_process_draws_the_same_bytes_and_shows_the_key_to_nobody() -> None:
    key = SecretStr(new_key())
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _start_worker, (key,)) as workers:
        proved = workers.submit(prove, claim_bytes()).result()
        lines = [" ".join(psutil.Process(pid).cmdline()) for pid in workers._processes]

    assert proved == Prover(key).prove(claim_bytes())
    assert ["multiprocessing" in line for line in lines] == [True]
    assert not any(key.get_secret_value() in line for line in lines)


@pytest.mark.parametrize("found", ["c2hvcnQ=", "not base64 at all"])
def test_a_key_of_another_form_stops_the_start_and_is_not_shown(
    found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_SIGNING_KEY", found)

    with pytest.raises(ValidationError) as caught:
        ProofgenSettings()
    told = settings_error(caught.value)
    assert told.startswith("WAYBILL_SIGNING_KEY: ")
    assert "waybill proof new-key" in told
    assert found not in told + str(caught.value)


def test_the_start_warns_when_proofs_will_be_unsigned() -> None:
    with capture_logs() as told:
        say_whether_signed(SecretStr(new_key()))
        say_whether_signed(None)

    assert [(line["log_level"], line["event"]) for line in told] == [("warning", "unsigned")]


def test_settings_show_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    monkeypatch.setenv("WAYBILL_SIGNING_KEY", key)
    found = ProofgenSettings()

    assert found.signing_key is not None
    assert found.signing_key.get_secret_value() == key
    assert key not in f"{found!r} {found} {found.model_dump_json()}"


def test_no_key_is_none_and_an_empty_file_of_keys_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAYBILL_SIGNING_KEY", "")
    assert ProofgenSettings().signing_key is None

    file = tmp_path / "keys"
    file.touch()
    monkeypatch.setenv("WAYBILL_SIGNING_KEY_FILE", str(file))
    with pytest.raises(ValidationError, match="want 32 bytes in base64"):
        ProofgenSettings()
