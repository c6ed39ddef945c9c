"""The table at the end, and every difference between what was read and what was to come. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from waybill.cli.output import columns
from waybill.contracts.keys import parse_order_key
from waybill.contracts.notification import Outcome
from waybill.demo.scenario import Scenario
from waybill.demo.watch import Observed

_SHOWN_MAX = 10
"""Differences of one kind that are told one by one."""

_GROUPS = (
    ("refused", (Outcome.REFUSED, Outcome.REJECTED, Outcome.DUPLICATE)),
    ("waiting", (Outcome.WAITING,)),
    ("taken back", (Outcome.VOIDED,)),
    ("changed too late", (Outcome.TOO_LATE,)),
    ("not at rest", (Outcome.PARKED, Outcome.IN_DOUBT, Outcome.DRY_RUN, Outcome.UNRECOGNISED)),
)
"""How the last notification about a shipment is counted; confirmed ones are counted apart."""


@dataclass(frozen=True, slots=True)
class Latency:
    """From publishing a shipment to Alibaba's accepting it, of those that had nothing to wait for."""

    count: int
    median_ms: int
    p99_ms: int


def latency(observed: Observed) -> Latency | None:
    """Of shipments whose publisher was told one thing only: confirmed, by the call's own answer."""
    times = sorted(_times(observed))
    if not times:
        return None
    return Latency(len(times), _share(times, 50), _share(times, 99))


def _times(observed: Observed) -> Iterator[int]:
    for (order_key, shipment_id), told in observed.told.items():
        accepted = observed.accepted.get(parse_order_key(order_key).trade_id)
        straight = [(one.outcome, one.reason) for one in told] == [(Outcome.CONFIRMED, None)]
        if straight and accepted:
            revision = (order_key, shipment_id, told[0].revision or 0)
            published_ms = observed.first_published_ms.get(revision)
            if published_ms is not None:
                yield accepted[0].at_ms - published_ms


def _share(times: Sequence[int], percent: int) -> int:
    return times[min(len(times) - 1, -(-len(times) * percent // 100) - 1)]


# ------------------------------------------------------------------------------------------- the check


def differences(scenario: Scenario, observed: Observed) -> list[str]:
    """What is not as it was to be; empty when all is."""
    return [
        *_imports(scenario, observed),
        *_acceptances(scenario, observed),
        *_outcomes(scenario, observed),
        *_repetitions(observed),
        *_dead_letters(scenario, observed),
    ]


def _imports(scenario: Scenario, observed: Observed) -> Iterator[str]:
    imported = {order.trade_id for order in observed.orders.values()}
    yield from _set_difference("order", "imported", scenario.orders, imported)


def _set_difference(what: str, how: str, wanted: frozenset[str], found: set[str]) -> Iterator[str]:
    if missing := wanted - found:
        yield f"{len(missing)} {what}(s) not {how}: {_some(missing)}"
    if extra := found - wanted:
        yield f"{len(extra)} {what}(s) {how} that should not be: {_some(extra)}"


def _some(names: frozenset[str] | set[str]) -> str:
    shown = sorted(names)[:_SHOWN_MAX]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")


def _acceptances(scenario: Scenario, observed: Observed) -> Iterator[str]:
    found, wanted = observed.accepted, scenario.accepted
    yield from _set_difference("order", "shipped at Alibaba", frozenset(wanted), set(found))
    for trade_id, shipments in found.items():
        numbers = [one.tracking_number for one in shipments]
        if len(shipments) > 1:
            yield f"order {trade_id}: Alibaba holds {len(shipments)} shipments, not one"
        if trade_id in wanted and wanted[trade_id] not in numbers:
            yield f"order {trade_id}: Alibaba holds {numbers[0]}, not {wanted[trade_id]}"
        if not all(one.pages and observed.proof_hashes.issuperset(one.pages) for one in shipments):
            yield f"order {trade_id}: its shipment carries no proof that proofgen drew"


def _outcomes(scenario: Scenario, observed: Observed) -> Iterator[str]:
    for key, expected in scenario.final.items():
        last = observed.last(key)
        if last is None or not expected.matches(last.outcome, last.reason):
            found = "nothing" if last is None else _words(last.outcome, last.reason)
            wanted = _words(expected.outcome, expected.reason)
            yield f"{' '.join(key)} ({scenario.cases[key]}): told {found}, not {wanted}"
    for key in observed.told.keys() - scenario.final.keys():
        yield f"{' '.join(key)}: told {len(observed.told[key])} time(s), but never published"
    if observed.under_way:
        yield f"{observed.under_way} order(s) are still under way in the ledger"


def _words(outcome: Outcome, reason: object) -> str:
    return f"{outcome} ({reason})" if reason else str(outcome)


def _repetitions(observed: Observed) -> Iterator[str]:
    twice = [one for one, count in observed.notification_ids.items() if count > 1]
    if twice:
        yield f"{len(twice)} notification(s) were published more than once"
    for key, told in observed.told.items():
        confirmed = sum(one.outcome is Outcome.CONFIRMED for one in told)
        if confirmed > 1:
            yield f"{' '.join(key)}: confirmed {confirmed} times"


def _dead_letters(scenario: Scenario, observed: Observed) -> Iterator[str]:
    if observed.dead != scenario.dead:
        yield f"dead letters {dict(observed.dead)}, not {dict(scenario.dead)}"
    if observed.rerouted != scenario.misplaced:
        yield f"{observed.rerouted} record(s) forwarded, not {scenario.misplaced}"


# ------------------------------------------------------------------------------------------- the table


def table(observed: Observed, totals: dict[str, Any], elapsed_s: float) -> Table:
    """All numbers, each read from the topics or from the stand-in."""
    rows = columns(["", "", "of which"], title=f"What happened in {elapsed_s:.0f} s")
    for name, count, detail in _rows(observed, totals):
        rows.add_row(Text(name), Text(count, justify="right"), Text(detail, style="dim"))
    return rows


def _rows(observed: Observed, totals: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    held = sum(not order.importable for order in observed.orders.values())
    yield "orders imported", str(len(observed.orders)), f"{held} cannot be shipped as they are"
    told = f"{observed.rerouted} on the wrong partition, forwarded"
    yield "shipment records published", str(observed.shipments_read), told
    confirmed = _confirmed(observed)
    yield "shipments confirmed", str(confirmed.total()), _counts(confirmed)
    for name, group in _GROUPS:
        found = {key: n for key, n in observed.outcomes().items() if key[0] in group}
        if found:
            reasons = _counts({str(reason): n for (_, reason), n in found.items()})
            yield f"shipments {name}", str(sum(found.values())), reasons
    yield "dead letters", str(observed.dead.total()), _counts(observed.dead)
    yield from _alibaba_rows(observed, totals)
    if took := latency(observed):
        detail = f"p99 {took.p99_ms} ms, of {took.count} that had nothing to wait for"
        yield "publishing to acceptance", f"{took.median_ms} ms", f"median; {detail}"


def _confirmed(observed: Observed) -> Counter[str]:
    """By how it was learnt; a shipment that was changed too late later on is confirmed all the same."""
    learnt = (
        one.reason or "by Alibaba's own answer"
        for told in observed.told.values()
        for one in told
        if one.outcome is Outcome.CONFIRMED
    )
    return Counter(map(str, learnt))


def _alibaba_rows(observed: Observed, totals: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    calls, cut = totals["shipping_calls_received"], totals["connections_cut"]
    accepted, refused = observed.shipments_accepted, observed.refused_by_site.total()
    detail = (
        f"{accepted} accepted, {refused} refused, {calls - accepted - refused} throttled or lost"
    )
    yield "declare calls to Alibaba", str(calls), f"{detail}; {cut} connections cut in all"
    yield "proofs uploaded", str(observed.uploads), f"{len(observed.proof_hashes)} pages drawn"
    most = max(map(len, observed.accepted.values()), default=0)
    yield (
        "largest number of shipments",
        str(most),
        f"that Alibaba holds for one order; {len(observed.accepted)} orders are shipped",
    )


def _counts(found: Mapping[str, int]) -> str:
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)
