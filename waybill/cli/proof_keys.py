"""`waybill proof keys` and `new-key`; and the public keys that a command knows or was given."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import SecretStr, ValidationError

from services.proofgen.settings import ProofgenSettings
from services.proofgen.signing import PublicKey, PublicKeyError, SigningKeys
from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka, settings_error
from waybill.cli.errors import InputError
from waybill.cli.output import columns, console
from waybill.cli.proof_files import read_bounded
from waybill.cli.store_book import StoreBook
from waybill.installation_keys import new_key

_KEY_FILE_BYTES_MAX = 4_096
"""A PEM file of such a key has 113 bytes."""


def signing_key() -> SecretStr | None:
    """The installation's, as proofgen finds it; raises InputError when it has another form."""
    try:
        return ProofgenSettings().signing_key
    except ValidationError as error:
        raise InputError(settings_error(error)) from error


def given_key(text: str) -> PublicKey:
    """A public key as an option gives it: itself, or the name of a file that holds it; raises InputError."""
    try:
        return PublicKey.parsed(text)
    except PublicKeyError as error:
        file = Path(text)
        if len(text) > _KEY_FILE_BYTES_MAX or not file.is_file():
            raise InputError(f"--key: {error}; or a file that holds one") from error
    content = read_bounded(file, _KEY_FILE_BYTES_MAX) or b""
    try:
        return PublicKey.parsed(content.decode(errors="replace"))
    except PublicKeyError as error:
        raise InputError(f"--key {file}: {error}") from error


def print_new_key() -> None:
    """Print a fresh key for WAYBILL_SIGNING_KEY: keep it, all public keys of the stores follow from it."""
    typer.echo(new_key())


def show_keys(
    store: Annotated[
        list[str] | None, typer.Argument(help="Store ids; without any, all stores.")
    ] = None,
    pem: Annotated[bool, typer.Option("--pem", help="As PEM, for other programs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """The public keys of the stores, to give to whoever checks their proofs.

    The key that signs comes first; another one belongs to pages that were signed with an earlier
    installation key. Public keys are no secret, but should reach the reviewer on another way than the pages.
    """
    key = signing_key()
    if key is None:
        raise InputError("WAYBILL_SIGNING_KEY is not set; make one with `waybill proof new-key`")
    rows = _rows(SigningKeys(key), _store_ids(store or [], Cluster(kafka(bootstrap, topic_prefix))))
    if json:
        answer = [
            {"store": store_id, "key_id": one.key_id, "public_key": one.text, "use": use}
            for store_id, one, use in rows
        ]
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    elif pem:
        for store_id, one, use in rows:
            typer.echo(f"# store {store_id}, key {one.key_id}, {use}\n{one.pem}", nl=False)
    else:
        table = columns(["store", "key", "use", "public key"])
        for store_id, one, use in rows:
            table.add_row(store_id, one.key_id, use, one.text)
        console().print(table)


def _store_ids(wanted: list[str], cluster: Cluster) -> list[str]:
    book = StoreBook(cluster)
    there = [*book.stores()]
    for store_id in wanted:
        if store_id not in there:
            book.store(store_id)  # says that there is none, and where to look
    return wanted or there


def _rows(keys: SigningKeys, store_ids: list[str]) -> list[tuple[str, PublicKey, str]]:
    return [
        (store_id, one, "earlier" if number else "signs")
        for store_id in store_ids
        for number, one in enumerate(keys.public_keys(store_id))
    ]
