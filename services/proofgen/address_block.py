"""Sender and recipient side by side, and whether the label says what the order says."""

from services.proofgen import labels
from services.proofgen.document import (
    AddressMatch,
    AddressPart,
    Difference,
    PostalAddress,
    ProofDocument,
    ProofWarning,
)
from services.proofgen.grid import BODY, SMALL, STRONG, column, span
from services.proofgen.labels import Label
from services.proofgen.marks import BLACK, Block, Sketch
from services.proofgen.runs import Style
from services.proofgen.shaping import Line, shape
from services.proofgen.typesetter import Typesetter, put_lines

LINE_CHARS_MAX = 300
LINES_MAX = 10
"""Lines on the page in the normal size; an address that needs more is set in the smallest size instead."""
LINES_SMALL_MAX = 21
"""Enough for six street lines of 200 characters each; what comes after is cut with a statement."""
DIFFERENCES_MAX = 8
BODY_LEADING = 36
SMALL_LEADING = 30

COLUMNS = 6
"""Of the twelve, for each address."""
_PARTS = {
    AddressPart.NAME: labels.PERSON,
    AddressPart.STREET: labels.STREET,
    AddressPart.CITY: labels.CITY,
    AddressPart.STATE: labels.STATE,
    AddressPart.POSTAL_CODE: labels.POSTAL_CODE,
    AddressPart.COUNTRY: labels.COUNTRY,
}


def address_block(document: ProofDocument, setter: Typesetter) -> Block:
    """Both addresses; the recipient's is the order's."""
    sketch = Sketch()
    sender, recipient = 0, column(COLUMNS)
    bottoms = (
        put_address(sketch, sender, labels.SENDER, document.ship_from, setter),
        put_address(sketch, recipient, labels.RECIPIENT, document.ship_to, setter),
    )
    y = _match(sketch, recipient, bottoms[1] + 18, document.address_match, setter)
    sketch.height_px = max(bottoms[0], y)
    return sketch.block(space_below=36)


def put_address(
    sketch: Sketch, x: int, label: Label, address: PostalAddress | None, setter: Typesetter
) -> int:
    """One address, half of the content wide, below a rule at the top; returns the lowest baseline."""
    sketch.box(x, 0, span(COLUMNS), 2)
    setter.captions.put(sketch, x, 38, label)
    if address is None or address.is_empty:
        return setter.captions.missing(sketch, x, 80)
    headline, rest = _headline(address)
    y = 82
    if headline:
        lines = _set(headline, STRONG, address, setter, lines_max=2)
        y = put_lines(sketch, x, y, lines, 38)
    lines, leading = _body(rest, address, setter)
    y = put_lines(sketch, x, y, lines, leading) + BODY_LEADING - leading
    return _phone(sketch, x, y, address.phone, setter)


def _phone(sketch: Sketch, x: int, y: int, phone: str | None, setter: Typesetter) -> int:
    end = setter.captions.put(sketch, x, y, labels.PHONE) + 12
    if not phone:
        setter.captions.put(sketch, end, y, labels.NOT_PROVIDED, SMALL)
        return y
    width = x + span(COLUMNS) - end
    sketch.text(end, y, setter.line(phone, BODY.for_text(phone), width, LINE_CHARS_MAX))
    return y


def _headline(address: PostalAddress) -> tuple[str | None, list[str]]:
    """The name in front, and the other lines."""
    names = [text for text in (address.name, address.company) if text]
    return (names[0] if names else None), [
        *names[1:],
        *filter(None, (*address.lines, *address.latin)),
    ]


def _body(texts: list[str], address: PostalAddress, setter: Typesetter) -> tuple[list[Line], int]:
    """The lines and their leading: the normal size if they fit, else the smallest."""
    trial = Typesetter()
    lines, left = _fill(texts, BODY, address, trial, LINES_MAX)
    if not left and ProofWarning.TEXT_CUT not in trial.warnings:
        setter.warnings.update(trial.warnings)
        return lines, BODY_LEADING
    lines, left = _fill(texts, SMALL, address, setter, LINES_SMALL_MAX)
    if left:
        setter.warnings.add(ProofWarning.TEXT_CUT)
        lines.append(shape(labels.more_address_lines(left), SMALL))
    return lines, SMALL_LEADING


def _fill(
    texts: list[str], style: Style, address: PostalAddress, setter: Typesetter, lines_max: int
) -> tuple[list[Line], int]:
    """The lines of as many texts as fit, and how many texts are left."""
    lines: list[Line] = []
    for number, text in enumerate(texts):
        more = _set(text, style, address, setter)
        if len(lines) + len(more) > lines_max:
            return lines, len(texts) - number
        lines += more
    return lines, 0


def _set(
    text: str, style: Style, address: PostalAddress, setter: Typesetter, lines_max: int = 6
) -> list[Line]:
    styled = style.for_text(text, address.country_code)
    width = span(COLUMNS)
    return setter.lines(text, styled, width, lines_max=lines_max, chars_max=LINE_CHARS_MAX)


def _match(sketch: Sketch, x: int, y: int, match: AddressMatch, setter: Typesetter) -> int:
    """The sign and the line below the recipient; returns the lowest pixel."""
    captions = setter.captions
    if not match.compared:
        return captions.stack(sketch, x, y + 22, labels.NOT_COMPARED) + 6
    label = labels.DIFFERS if match.differences else labels.MATCHES
    _sign(sketch, x, y, equal=not match.differences)
    y = captions.stack(sketch, x + 38, y + 22, label, ink=BLACK) + 6
    if match.differences:
        setter.warnings.add(ProofWarning.ADDRESS_DIFFERS)
    for difference in match.differences[:DIFFERENCES_MAX]:
        y = put_lines(sketch, x + 38, y + 30, _difference(difference, setter), 28) - 28
    return y + 6


def _difference(difference: Difference, setter: Typesetter) -> list[Line]:
    """The part in all languages; order and label in two, since they stand in every line."""
    part = " ".join(filter(None, setter.captions.translated(_PARTS[difference.part])))
    missing, in_order, on_label = labels.NOT_PROVIDED.en, labels.IN_ORDER, labels.ON_LABEL
    text = (
        f"{part}: {difference.order or missing} ({in_order.en} {in_order.zh}), "
        f"{difference.label or missing} ({on_label.en} {on_label.zh})"
    )
    width = span(COLUMNS) - 38
    return setter.lines(
        text, SMALL.for_text(text), width, lines_max=3, chars_max=2 * LINE_CHARS_MAX
    )


def _sign(sketch: Sketch, x: int, y: int, *, equal: bool) -> None:
    """A black square with an equals sign, or an open one with a stroke: told apart without colour."""
    sketch.box(x, y, 26, 26)
    if equal:
        sketch.box(x + 6, y + 8, 14, 4, 255)
        sketch.box(x + 6, y + 15, 14, 4, 255)
    else:
        sketch.box(x + 3, y + 3, 20, 20, 255)
        sketch.box(x + 11, y + 6, 4, 9)
        sketch.box(x + 11, y + 17, 4, 4)
