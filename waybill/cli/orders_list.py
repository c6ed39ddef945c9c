"""`waybill orders list`: imported orders by their status, or shipments by how they stand in the ledger."""

from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from waybill.cli.cluster import READ_S, Cluster
from waybill.cli.connection import Bootstrap, TopicPrefix, kafka
from waybill.cli.errors import InputError
from waybill.cli.order_story import moment
from waybill.cli.orders_read import Standing, newest_orders, standings
from waybill.cli.output import columns, console
from waybill.contracts import Order
from waybill.contracts.base import from_millis
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.order import OrderStatus

_LIMIT_MAX = 100_000

Timeout = Annotated[
    float,
    typer.Option("--timeout", min=1, help="Longest time to read the topics, in seconds."),
]


def list_orders(  # noqa: PLR0913, PLR0917 - the options of a command line
    status: Annotated[
        OrderStatus | None, typer.Option("--status", help="Only orders in this status.")
    ] = None,
    store: Annotated[str | None, typer.Option("--store", help="Only orders of this store.")] = None,
    needs_operator: Annotated[
        bool,
        typer.Option(
            "--needs-operator",
            help="Only orders that wait for a person: parked, or corrected or voided too late.",
        ),
    ] = False,
    state: Annotated[
        State | None, typer.Option("--state", help="Only shipments in this state of the ledger.")
    ] = None,
    reason: Annotated[
        Reason | None,
        typer.Option("--reason", metavar="REASON", help="Only shipments there for this reason."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=_LIMIT_MAX, help="At most so many.")
    ] = 20,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    timeout: Timeout = READ_S,
    bootstrap: Bootstrap = None,
    topic_prefix: TopicPrefix = None,
) -> None:
    """The imported orders, those changed last first.

    With --needs-operator, --state or --reason: how their shipments stand, those that stand longest first.
    """
    of_ledger = needs_operator or state is not None or reason is not None
    if of_ledger and status is not None:
        raise InputError(
            "--status is of imported orders; --needs-operator, --state and --reason are of shipments"
        )
    cluster = Cluster(kafka(bootstrap, topic_prefix))

    def is_wanted(one: Standing) -> bool:
        return (
            (one.needs_operator or not needs_operator)
            and state in (None, one.state)
            and reason in (None, one.reason, one.attention)
            and store in (None, one.store_id)
        )

    if of_ledger:
        _tell_standings(standings(cluster, is_wanted, timeout), limit, json=json)
        return
    found = [
        order
        for order in newest_orders(cluster, timeout).values()
        if status in (None, order.status) and store in (None, order.store_id)
    ]
    found.sort(key=lambda order: order.modified_at, reverse=True)
    _tell_orders(found, limit, json=json)


def _tell_orders(found: list[Order], limit: int, *, json: bool) -> None:
    rows = [
        {
            "order": order.key,
            "store": order.store_id,
            "status": str(order.status),
            "country": (order.ship_to.country_code or "-") if order.ship_to else "no address",
            "changed": moment(order.modified_at)[:19],
        }
        for order in found[:limit]
    ]
    _tell(rows, ["order", "store", "status", "country", "changed (UTC)"], json=json)
    typer.echo(f"{len(rows)} of {len(found)} orders", err=True)


def _tell_standings(found: list[Standing], limit: int, *, json: bool) -> None:
    rows = [
        {
            "order": one.key,
            "store": one.store_id or "-",
            "state": one.state,
            "reason": one.attention or one.reason or "-",
            "since": moment(from_millis(max(0, one.changed_ms)))[:19],
            "next": what_to_do(one),
        }
        for one in found[:limit]
    ]
    _tell(rows, ["order", "store", "state", "reason", "since (UTC)", "what to do"], json=json)
    typer.echo(f"{len(rows)} of {len(found)} orders", err=True)


def _tell(rows: list[dict[str, Any]], headings: list[str], *, json: bool) -> None:
    if json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table = columns(headings)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row.values()))
    console().print(table)


_CHECK = "look at the order in Alibaba, then `waybill orders release`"
_NEXT: dict[tuple[str, str], str] = {
    (State.PARKED, Reason.PROOF_REFUSED): "publish it corrected; or `waybill orders cancel`",
    (State.PARKED, Reason.NO_PROOF): "see that proofgen runs, then `waybill orders release`",
    (State.PARKED, Reason.LOOKUPS_CONTRADICT): _CHECK,
    (State.PARKED, Reason.ASK_OPERATOR): _CHECK,
}


def what_to_do(one: Standing) -> str:
    """The next step of a person, in words; nothing where none is needed."""
    if one.state == State.UNRECOGNISED:
        return "a newer version wrote it: upgrade the notifier"
    if one.attention and one.state == State.CONFIRMED:
        return "settle it in Alibaba, then `waybill orders acknowledge`"
    if one.attention:
        return "nothing yet: look-ups decide first" if one.state != State.PARKED else _CHECK
    return _NEXT.get((one.state, one.reason), "-")
