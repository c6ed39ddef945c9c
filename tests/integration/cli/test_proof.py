"""Proofs on a real cluster: shown, saved, drawn again, and images checked against their records."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.proofgen import png
from services.proofgen.proving import Proved, Prover
from services.proofgen.signing import SigningKeys
from tests.gallery.claims import ORDER_KEY, STORE_ID, claim_bytes
from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from tests.tampering import TAMPERED, signed_by_a_stranger
from waybill.cli.cluster import Cluster
from waybill.contracts import Notification, Proof, Store
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.keys import partition_of
from waybill.installation_keys import new_key
from waybill.settings import KafkaSettings
from waybill.streaming.records import Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

KEY = new_key()
SIGNS = {"WAYBILL_SIGNING_KEY": KEY}
MANY = [{"line_id": str(n), "name": f"Item {n}", "quantity": "1"} for n in range(25)]
ALL_CHECKS = {
    "file", "template", "signature", "key", "codes", "pages", "record", "bytes", "payload", "number",
}  # fmt: skip

Publish = Callable[..., Proof]


@pytest.fixture
def cluster(waybill: Command, topic_space: TopicSpace) -> Cluster:  # `waybill` makes the topics
    return Cluster(
        KafkaSettings(bootstrap_servers=topic_space.bootstrap, topic_prefix=topic_space.prefix)
    )


@pytest.fixture
def publish(cluster: Cluster) -> Publish:
    """Put a claim on its topic, and the proof that proofgen makes of it, unless told otherwise."""

    def write(
        signing_key: str | None = KEY,
        *,
        with_claim: bool = True,
        with_proof: bool = True,
        **facts: Any,
    ) -> Proof:
        claim = claim_bytes(**facts)
        proved = Prover(SecretStr(signing_key) if signing_key else None).prove(claim)
        assert isinstance(proved, Proved)
        values = {
            "claims": claim if with_claim else None,
            "proofs": proved.value if with_proof else None,
        }
        partition = partition_of(ORDER_KEY, cluster.partitions("proofs"))
        cluster.publish(
            Outbound(topic, partition, ORDER_KEY.encode(), value)
            for topic, value in values.items()
            if value is not None
        )
        return Codec(Proof, "proof", SchemaBook()).decode(proved.value)

    return write


def verified(waybill: Command, *files: Path, **env: str) -> tuple[int, dict[str, bool]]:
    """The exit code, and which checks passed in every file."""
    ended = waybill("proof", "verify", "--json", *map(str, files), **SIGNS | env)
    assert ended.returncode in (0, 1), ended.stderr
    found: dict[str, bool] = {}
    for one in json.loads(ended.stdout):
        for check in one["checks"]:
            found[check["check"]] = check["passed"] and found.get(check["check"], True)
    return ended.returncode, found


def test_a_proof_is_shown_saved_and_verified(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    (page,) = publish().pages
    file = tmp_path / "out" / "proof.png"

    shown = waybill("proof", "show", ORDER_KEY, "--out", str(file))
    checked = waybill("proof", "verify", str(file), **SIGNS)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"saved {file}" in shown.stdout
    assert page.sha256 in shown.stdout
    assert SigningKeys(SecretStr(KEY)).signer(STORE_ID).public_key.key_id in shown.stdout
    assert file.read_bytes() == page.image
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "every byte is the published page's" in checked.stdout
    assert verified(waybill, file) == (0, dict.fromkeys(ALL_CHECKS, True))
    answer = json.loads(waybill("proof", "show", ORDER_KEY, "--json").stdout)
    assert answer["pages"][0]["sha256"] == page.sha256


def test_several_pages_are_numbered_and_belong_together(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    pages = publish(order={"items": MANY}).pages

    shown = waybill("proof", "show", ORDER_KEY, "--out", str(tmp_path / "p.png"))

    files = [tmp_path / "p-1.png", tmp_path / "p-2.png"]
    assert shown.returncode == 0
    assert [file.read_bytes() for file in files] == [page.image for page in pages]
    assert verified(waybill, *files)[0] == 0
    assert verified(waybill, files[1]) == (1, dict.fromkeys(ALL_CHECKS, True) | {"pages": False})


def test_a_refusal_tells_its_reason_and_saves_nothing(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    publish(shipment={"tracking_number": None})
    file = tmp_path / "proof.png"

    for command in ("show", "render"):
        ended = waybill("proof", command, ORDER_KEY, "--out", str(file))
        assert ended.returncode == 1
        assert "missing_tracking_number: tracking_number: missing" in ended.stderr
    assert not file.exists()


def test_an_order_without_a_proof_is_told(waybill: Command, publish: Publish) -> None:
    publish(with_proof=False)

    shown = waybill("proof", "show", ORDER_KEY)
    drawn = waybill("proof", "render", ORDER_KEY)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert f"there is no proof of {ORDER_KEY}" in shown.stderr
    assert drawn.returncode == 0
    assert "nothing was published yet" in drawn.stdout


def test_drawing_again_gives_the_published_bytes_and_publishes_nothing(
    waybill: Command, publish: Publish, cluster: Cluster, tmp_path: Path
) -> None:
    (page,) = publish().pages
    before = len(list(cluster.read(["proofs"])))

    ended = waybill("proof", "render", ORDER_KEY, "--out", str(tmp_path / "again.png"), **SIGNS)

    assert ended.returncode == 0
    assert "every byte is as it was published" in ended.stdout
    assert (tmp_path / "again.png").read_bytes() == page.image
    assert len(list(cluster.read(["proofs"]))) == before


def test_drawing_again_without_the_key_or_with_other_facts_says_so(
    waybill: Command, publish: Publish, cluster: Cluster
) -> None:
    publish()

    unsigned = waybill("proof", "render", ORDER_KEY)
    assert unsigned.returncode == 0
    assert "as it was published but for the signature" in unsigned.stdout

    publish(with_proof=False, shipment={"tracking_number": "776705370629"})  # same id, other facts
    other = waybill("proof", "render", ORDER_KEY, **SIGNS)
    assert other.returncode == 1
    assert other.stderr == "error: not as it was published\n"


def test_a_claim_that_has_expired_is_told(waybill: Command, publish: Publish) -> None:
    publish(with_claim=False)

    ended = waybill("proof", "render", ORDER_KEY)

    assert ended.returncode == 1
    assert "claims are kept for 7 days" in ended.stderr


@pytest.mark.parametrize("what", ["a pixel", "the order", "pixels of the other page", "the key id"])
def test_a_changed_page_is_neither_signed_nor_published(
    waybill: Command, publish: Publish, tmp_path: Path, what: str
) -> None:
    first, second = (page.image for page in publish(order={"items": MANY}).pages)
    file, other = tmp_path / "1.png", tmp_path / "2.png"
    file.write_bytes(TAMPERED[what](first, second))
    other.write_bytes(second)

    code, found = verified(waybill, file, other)

    assert code == 1
    assert found["signature"] is False
    assert not (found["record"] and found["bytes"])


def test_a_page_that_somebody_else_signed_is_not_the_published_one(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    (page,) = publish().pages
    file = tmp_path / "1.png"
    file.write_bytes(signed_by_a_stranger(page.image))

    assert verified(waybill, file) == (
        1,
        dict.fromkeys(ALL_CHECKS, True) | {"key": False, "bytes": False},
    )


def test_a_page_that_we_signed_and_that_shows_another_number_is_found(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    """As if the record had been written by one who drew other facts for the same claim."""
    image = (
        publish(with_claim=False, with_proof=False, shipment={"tracking_number": "X1"})
        .pages[0]
        .image
    )
    publish()
    file = tmp_path / "1.png"
    file.write_bytes(image)

    code, found = verified(waybill, file)

    assert code == 1
    assert {name for name, passed in found.items() if not passed} == {"bytes", "payload", "number"}


def test_the_proof_of_an_earlier_claim_is_not_the_orders_proof(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    (page,) = publish(claim={"claim_id": "c-1"}).pages
    publish(claim={"claim_id": "c-2"})
    file = tmp_path / "1.png"
    file.write_bytes(page.image)

    code, found = verified(waybill, file)

    assert (code, found["signature"], found["record"]) == (1, True, False)
    assert "the order's proof is another one: c-2" in waybill("proof", "verify", str(file)).stdout


def test_a_page_of_an_order_that_nobody_knows_is_told(waybill: Command, tmp_path: Path) -> None:
    proved = Prover(SecretStr(KEY)).prove(claim_bytes())
    assert isinstance(proved, Proved)
    proof = Codec(Proof, "proof", SchemaBook()).decode(proved.value)
    file = tmp_path / "1.png"
    file.write_bytes(proof.pages[0].image)

    code, found = verified(waybill, file)

    assert (code, found["record"]) == (1, False)


def test_the_number_comes_from_the_notification_when_the_claim_has_expired(
    waybill: Command, publish: Publish, cluster: Cluster, tmp_path: Path
) -> None:
    (page,) = publish(with_claim=False).pages
    file = tmp_path / "1.png"
    file.write_bytes(page.image)
    assert (
        "no record tells the tracking number any more"
        in waybill("proof", "verify", str(file), **SIGNS).stdout
    )
    told = Notification.model_validate(
        {
            "notification_id": "n-1",
            "order_key": ORDER_KEY,
            "trade_id": ORDER_KEY.split(":")[1],
            "shipment_id": "se-28529731",
            "outcome": "confirmed",
            "message": "confirmed",
            "entry_revision": 3,
            "decided_at": "2026-11-23T15:00:00Z",
            "tracking_number": "1Z-ANOTHER",
        }
    )
    value = Codec(Notification, "notification", SchemaBook()).encode(told)
    partition = partition_of(ORDER_KEY, cluster.partitions("notifications"))
    cluster.publish([Outbound("notifications", partition, ORDER_KEY.encode(), value)])

    assert verified(waybill, file)[1]["number"] is False


def test_unsigned_proofs_are_shown_and_found_to_be_so(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    publish(signing_key=None)
    file = tmp_path / "1.png"

    shown = waybill("proof", "show", ORDER_KEY, "--out", str(file))

    assert ", unsigned" in shown.stdout
    code, found = verified(waybill, file)
    assert (code, found["bytes"], found["signature"]) == (1, True, False)


def test_public_keys_of_the_stores_are_printed_and_check_their_pages(
    waybill: Command, publish: Publish, cluster: Cluster, tmp_path: Path
) -> None:
    (page,) = publish().pages
    file, pem, old = tmp_path / "1.png", tmp_path / "key.pem", new_key()
    file.write_bytes(page.image)
    _connect(cluster, STORE_ID)
    _connect(cluster, "sandbox-1")
    both = {"WAYBILL_SIGNING_KEY": f"{KEY},{old}"}

    listed = json.loads(waybill("proof", "keys", "--json", **both).stdout)
    pem.write_text(waybill("proof", "keys", STORE_ID, "--pem", **SIGNS).stdout, "utf-8")

    assert [(one["store"], one["use"]) for one in listed] == [
        ("sandbox-1", "signs"),
        ("sandbox-1", "earlier"),
        (STORE_ID, "signs"),
        (STORE_ID, "earlier"),
    ]
    assert listed[2]["public_key"] == dict(png.parts_of(page.image).texts)["waybill.public-key"]
    assert verified(waybill, file, WAYBILL_SIGNING_KEY="")[1]["key"] is False
    given = waybill("proof", "verify", str(file), "--key", str(pem))
    assert given.returncode == 0, given.stdout
    unknown = waybill("proof", "keys", "sandbox-2", **SIGNS)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "there is no store sandbox-2" in unknown.stderr


def test_no_command_shows_the_signing_key(
    waybill: Command, publish: Publish, tmp_path: Path
) -> None:
    publish()
    file = tmp_path / "1.png"
    commands = (
        ("show", ORDER_KEY, "--out", str(file)),
        ("show", ORDER_KEY, "--json"),
        ("render", ORDER_KEY),
        ("verify", str(file)),
        ("keys",),
        ("keys", "--pem"),
    )

    for command in commands:
        ended = waybill("proof", *command, **SIGNS)
        assert ended.returncode == 0, ended.stderr
        assert KEY not in ended.stdout + ended.stderr
    assert KEY.encode() not in file.read_bytes()


def _connect(cluster: Cluster, store_id: str) -> None:
    now = datetime.now(UTC).isoformat()
    store = Store.model_validate(
        {
            "store_id": store_id,
            "site": "sandbox",
            "seller_id": store_id.split("-")[1],
            "name": "A shop",
            "revision": 1,
            "ship_from": now,
            "connected_at": now,
            "changed_at": now,
            "token_generation": 1,
        }
    )
    value = Codec(Store, "store", SchemaBook()).encode(store)
    partition = partition_of(store_id, cluster.partitions("stores"))
    cluster.publish([Outbound("stores", partition, store_id.encode(), value)])
