"""How the parcel was sent: carrier, service, type, times, parcels, weight and cost, in two rows of four."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.proofgen import labels
from services.proofgen.captions import Captions
from services.proofgen.document import Cost, Parcel, ProofDocument, plain
from services.proofgen.grid import BODY_BOLD, SMALL
from services.proofgen.labels import Label
from services.proofgen.marks import Sketch
from services.proofgen.times import clock, day
from services.proofgen.typesetter import Typesetter, put_lines

FACT_CHARS_MAX = 120
FACT_LINES_MAX = 2
COLUMN_GAP = 24
LEADING = 34
_CELLS = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with its label, and what is to be said about it."""

    label: Label
    value: str | None
    detail: str | Label | None = None


def put_facts(
    sketch: Sketch, x: int, y: int, width: int, document: ProofDocument, setter: Typesetter
) -> int:
    """Both rows, from y downwards; returns the lowest baseline."""
    for row in (_how(document, setter.captions), _what(document)):
        y = put_row(sketch, x, y, width, row, setter)
    return y


def put_row(
    sketch: Sketch,
    x: int,
    y: int,
    width: int,
    row: Iterable[Fact],
    setter: Typesetter,
    *,
    cells: int = _CELLS,
) -> int:
    """Facts beside each other below y, in cells of equal width; returns the lowest baseline."""
    cell = (width - (cells - 1) * COLUMN_GAP) // cells
    return max(
        _put_fact(sketch, x + number * (cell + COLUMN_GAP), y + 44, cell, fact, setter)
        for number, fact in enumerate(row)
    )


def _how(document: ProofDocument, captions: Captions) -> tuple[Fact, ...]:
    logistics = labels.LOGISTICS_TYPES.get(document.logistics_type or "")
    told = logistics and captions.translated(logistics)._replace(en="")
    code = document.carrier_code and f"{labels.CARRIER_CODE.en} {document.carrier_code}"
    return (
        Fact(labels.CARRIER, document.carrier_name or document.carrier_code, code),
        Fact(labels.SERVICE, document.service),
        Fact(labels.LOGISTICS_TYPE, document.logistics_type, told),
        time_fact(labels.SHIPPED, document.shipped_at),
    )


def _what(document: ProofDocument) -> tuple[Fact, ...]:
    parcels = document.parcels
    facts = [_packages(parcels), _total_weight(parcels)]
    if document.shows_cost:
        facts.append(_cost(document.cost))
    if _has_label_time(document):
        facts.append(time_fact(labels.LABEL_CREATED, document.label_created_at))
    if len(parcels) == 1 and parcels[0].dimensions_cm and len(facts) < _CELLS:
        facts.append(Fact(labels.SIZE, size_of(parcels[0])))
    return tuple(facts)


def is_told_above(document: ProofDocument) -> bool:
    """Whether the facts say all that is known of the parcels: one, whose number is the shipment's."""
    if len(document.parcels) != 1:
        return False
    (parcel,) = document.parcels
    has_room = not (document.shows_cost and _has_label_time(document))
    same_number = parcel.tracking_number in (None, document.tracking_number)
    return same_number and (parcel.dimensions_cm is None or has_room)


def size_of(parcel: Parcel) -> str | None:
    """Length, width and height, if they are known."""
    sides = parcel.dimensions_cm
    return " × ".join(plain(side) for side in sides) + " cm" if sides else None


def _has_label_time(document: ProofDocument) -> bool:
    return document.label_created_at not in (None, document.shipped_at)


def _packages(parcels: tuple[Parcel, ...]) -> Fact:
    if not parcels:
        return Fact(labels.PACKAGES, None)
    counted = labels.CALCULATED if len(parcels) > 1 else None
    return Fact(labels.PACKAGES, str(len(parcels)), counted)


def time_fact(label: Label, time: datetime | None) -> Fact:
    """A day, with the time of the day as its detail."""
    return Fact(label, day(time), clock(time)) if time else Fact(label, None)


def _cost(cost: Cost | None) -> Fact:
    if cost is None:
        return Fact(labels.COST, None)
    amount = plain(cost.amount)
    if amount[-2:-1] == ".":
        amount += "0"  # 86.4 reads as 86.40; 1200 stays, some currencies have no cents
    return Fact(
        labels.COST, f"{cost.currency} {amount}", labels.CALCULATED if cost.calculated else None
    )


def _total_weight(parcels: tuple[Parcel, ...]) -> Fact:
    units = {parcel.weight_unit for parcel in parcels}
    weights = [parcel.weight for parcel in parcels if parcel.weight is not None]
    if not weights or len(weights) < len(parcels) or len(units) != 1:
        return Fact(labels.WEIGHT, None)  # a sum over some of the parcels would mislead
    total = f"{plain(sum(weights, Decimal()))} {units.pop()}"
    return Fact(labels.WEIGHT, total, labels.CALCULATED if len(weights) > 1 else None)


def _put_fact(sketch: Sketch, x: int, y: int, width: int, fact: Fact, setter: Typesetter) -> int:
    y = setter.captions.stack(sketch, x, y, fact.label) + 36
    if not fact.value:
        return setter.captions.missing(sketch, x, y)
    style = BODY_BOLD.for_text(fact.value)
    lines = setter.lines(
        fact.value, style, width, lines_max=FACT_LINES_MAX, chars_max=FACT_CHARS_MAX
    )
    y = put_lines(sketch, x, y, lines, LEADING) - LEADING
    return _put_detail(sketch, x, y, width, fact.detail, setter) if fact.detail else y


def _put_detail(
    sketch: Sketch, x: int, y: int, width: int, detail: str | Label, setter: Typesetter
) -> int:
    y += 30
    if isinstance(detail, Label):
        setter.captions.put(sketch, x, y, detail, SMALL)
    else:
        sketch.text(x, y, setter.line(detail, SMALL, width, FACT_CHARS_MAX))
    return y
