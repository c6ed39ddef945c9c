"""`waybill stores list` and `show`: the stores' settings and how their authorisations stand."""

from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.text import Text

from waybill.cli.cluster import Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.order_story import moment
from waybill.cli.output import columns, console, facts
from waybill.cli.store_book import StoreBook
from waybill.connecting import Standing, standing
from waybill.connecting.standing import NEEDS_REAUTH
from waybill.contracts import Store, StoreTokens
from waybill.contracts.proof import Branding


def list_stores(bootstrap: Bootstrap = None, topic_prefix: TopicPrefix = None) -> None:
    """All stores."""
    book = StoreBook(Cluster(kafka(bootstrap, topic_prefix)))
    found, tokens, now = book.stores(), book.all_tokens(), datetime.now(UTC)
    table = columns(["store", "mode", "authorisation", "revision", "ships from (UTC)", "name"])
    for store in found.values():
        stands = standing(store, tokens.get(store.store_id), now)
        revision, since = str(store.revision), moment(store.ship_from)[:19]
        row = (store.store_id, mode_words(store), str(stands), revision, since)
        table.add_row(*row, Text(store.name))
    console().print(table)


def mode_words(store: Store) -> str:
    """Its mode, and whether it is paused or disconnected."""
    words = [str(store.mode), "paused" if store.paused else ""]
    words.append("disconnected" if store.disconnected else "")
    return ", ".join(word for word in words if word)


def show(
    store: Annotated[str, typer.Argument(help="Store id.")],
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """One store's settings, and what is known of its tokens; never the tokens."""
    book = StoreBook(Cluster(kafka(bootstrap, topic_prefix)))
    found, tokens = book.store(store), book.tokens(store)
    stands = standing(found, tokens, datetime.now(UTC))
    if json:
        answer = {
            "store": found.model_dump(mode="json"),
            "authorisation": {
                "word": stands.word,
                "reason": stands.reason,
                "days_left": stands.days_left,
            },
            "tokens": _token_facts(tokens),
        }
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    out = console()
    out.print(facts("Store", _store_facts(found)))
    out.print(facts("Authorisation", {"stands": str(stands)} | _advice(found, stands)))
    out.print(facts("Tokens", _token_facts(tokens)))


def _advice(store: Store, stands: Standing) -> dict[str, str]:
    if stands.word not in (NEEDS_REAUTH, "no_tokens"):
        return {}
    return {"what to do": f"waybill stores connect {store.store_id} --authorization 1m|3m|6m"}


def _store_facts(store: Store) -> dict[str, str]:
    found = {}
    for name, value in store:
        if isinstance(value, datetime):
            found[name] = moment(value)
        elif isinstance(value, dict):
            found[name] = ", ".join(f"{ours}={theirs}" for ours, theirs in value.items()) or "-"
        elif name == "branding":
            found[name] = _told(store.branding)
        else:
            found[name] = "-" if value is None else str(value)
    return found


def _told(branding: Branding) -> str:
    """The settings of the proof, but for those that stand as in a new store."""
    default = Branding()
    told = {
        name: "…" if isinstance(value, bytes) else value
        for name, value in branding
        if value != getattr(default, name)
    }
    return ", ".join(f"{name}={_text(value)}" for name, value in told.items()) or "-"


def _text(value: object) -> str:
    return " | ".join(value) if isinstance(value, tuple) else str(value)


def _token_facts(tokens: StoreTokens | None) -> dict[str, str]:
    if tokens is None:
        return {}
    return {
        "generation": str(tokens.generation),
        "sealed with key": tokens.key_id,
        "written": moment(tokens.written_at),
        "access ends": moment(tokens.expires_at),
        "refresh ends": moment(tokens.refresh_expires_at),
        "authorised for": tokens.authorisation or "-",
        "authorised until": moment(tokens.authorised_until),
        "ended": moment(tokens.ended_at),
        "ended because": tokens.ended_reason or "-",
    }
