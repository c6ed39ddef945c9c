"""`waybill proof`: see the proof of an order, draw it again, and check images that are said to be one."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from services.proofgen import png
from services.proofgen.document import TEMPLATE_VERSION
from services.proofgen.proving import Prover, Unreadable
from services.proofgen.signing import SignatureError, signed_by, without_signature
from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import CommandError
from waybill.cli.orders_list import Timeout
from waybill.cli.orders_read import checked_order_key
from waybill.cli.output import console, facts
from waybill.cli.proof_files import save_pages
from waybill.cli.proof_keys import print_new_key, show_keys, signing_key
from waybill.cli.proof_records import ProofRecords, kept_days, read_proof_records
from waybill.cli.proof_verify import verify
from waybill.contracts import Proof
from waybill.contracts.codec import Codec, SchemaBook

app = typer.Typer(
    help="See, draw again and check proofs of shipment; the keys that sign them.",
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(help="Order key <site>:<trade_id>.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Save the page there; FILE-1, FILE-2 … when there are several.",
    ),
]


@app.command()
def show(
    key: Key,
    out: Out = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """The newest proof of an order, as it was published; a refusal ends with exit code 1."""
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    proof = read_proof_records(cluster, checked_order_key(key), timeout).proof
    if proof is None:
        raise CommandError(f"there is no proof of {key} at {cluster.address} (yet)")
    if json:
        typer.echo(orjson.dumps(_as_json(proof), option=orjson.OPT_INDENT_2).decode())
    else:
        console().print(facts("Proof", _facts(proof)))
    _end(proof, out, quiet=json)


@app.command()
def render(
    key: Key,
    out: Out = None,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """Draw an order's proof again from its claim and compare it with the published one; publish nothing."""
    cluster = Cluster(kafka(bootstrap, topic_prefix))
    records = read_proof_records(cluster, checked_order_key(key), timeout)
    drawn = _drawn(records)
    typer.echo(f"drawn again from claim {drawn.claim_id}, template {drawn.template_version}")
    _end(drawn, out, quiet=False)
    same, words = _compared(drawn, records.proof)
    if not same:
        raise CommandError(words)
    typer.echo(words)


def _drawn(records: ProofRecords) -> Proof:
    """From the claim of the newest proof; while there is no proof, from the newest claim."""
    wanted = records.proof.claim_id if records.proof else next(reversed(records.claims), None)
    found = records.claims.get(wanted or "")
    if found is None:
        raise CommandError(
            f"the claim of {records.order_key} is not there (any more): claims are kept for "
            f"{kept_days('claims')} days"
        )
    answer = Prover(signing_key()).prove(found.value)
    if isinstance(answer, Unreadable):
        raise CommandError(f"the claim cannot be read: {answer.reason}: {answer.detail}")
    return Codec(Proof, "proof", SchemaBook()).decode(answer.value)


def _compared(drawn: Proof, published: Proof | None) -> tuple[bool, str]:
    """Whether it is the published proof, in words."""
    if published is None:
        return True, "nothing was published yet that it could be compared with"
    if [page.sha256 for page in drawn.pages] == [page.sha256 for page in published.pages]:
        return True, "every byte is as it was published"
    if published.template_version != TEMPLATE_VERSION:
        words = f"not as it was published: template {published.template_version} drew that one"
        return False, words
    if _unsigned(drawn) == _unsigned(published):
        return True, "as it was published but for the signature: WAYBILL_SIGNING_KEY is another one"
    return False, "not as it was published"


def _unsigned(proof: Proof) -> list[png.Parts] | None:
    try:
        return [without_signature(png.parts_of(page.image)) for page in proof.pages]
    except png.PngError:
        return None  # an earlier version wrote files of another form


def _end(proof: Proof, out: Path | None, *, quiet: bool) -> None:
    """Save the pages; raises CommandError for a proof that was refused."""
    if proof.refusal is not None:
        raise CommandError(f"refused: {proof.refusal}: {proof.refusal_detail}")
    for written in save_pages(proof, out) if out is not None else ():
        typer.echo(f"saved {written}", err=quiet)


def _as_json(proof: Proof) -> dict[str, Any]:
    answer = proof.model_dump(mode="json", exclude={"pages"})
    answer["pages"] = [
        {"sha256": page.sha256, "bytes": len(page.image), "key_id": _key_id(page.image)}
        for page in proof.pages
    ]
    return answer


def _facts(proof: Proof) -> dict[str, str]:
    named = {
        "order": proof.order_key,
        "store": proof.store_id,
        "shipment": proof.shipment_id,
        "claim": proof.claim_id,
        "template": proof.template_version,
        "hash of the facts": proof.payload_sha256,
        "warnings": ", ".join(proof.warnings),
    }
    pages = {
        f"page {number}": f"{len(page.image):,} bytes, SHA-256 {page.sha256}, {_signature(page.image)}"
        for number, page in enumerate(proof.pages, 1)
    }
    return {name: value or "-" for name, value in named.items()} | pages


def _signature(image: bytes) -> str:
    key_id = _key_id(image)
    return f"signed with key {key_id}" if key_id else "unsigned"


def _key_id(image: bytes) -> str | None:
    try:
        return signed_by(image, png.parts_of(image)).key_id
    except (png.PngError, SignatureError):
        return None


app.command()(verify)
app.command("keys")(show_keys)
app.command("new-key")(print_new_key)
