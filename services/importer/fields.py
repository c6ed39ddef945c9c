"""Lenient reading of raw objects. Pure.

What the site does not give is `None` without a word. What it gives in a form that nobody can read is
`None` too, with a note under the path of *our* field, which ends up in the order's provenance. Nothing
raises, nothing is logged, and a note never holds the value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from waybill.alibaba import scalars
from waybill.alibaba.envelope import is_object, items, opened

T = TypeVar("T")

UNREADABLE: Final = "unreadable"
CUT: Final = "cut"
COMPUTED: Final = "computed"

TEXT_CHARS_MAX: Final = 1_000
"""Longest name, street line or code; with it an order stays far below its topic's limit."""
NOTE_CHARS_MAX: Final = 10_000
"""Longest remark: the limit of the contract."""
NOTES_MAX: Final = 200
"""Notes of one order; a payload that is garbage throughout must not make a huge record."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Notes:
    """Why fields of one order are not what the site says: path of the field to a few words."""

    why: dict[str, str] = field(default_factory=dict)

    def add(self, at: str, why: str) -> None:
        """Keep a note; the last one of a field counts."""
        self.why[at] = why

    def provenance(self) -> dict[str, str]:
        """The first `NOTES_MAX` notes, and one that there are more."""
        more = {"more": UNREADABLE} if len(self.why) > NOTES_MAX else {}
        return dict(islice(self.why.items(), NOTES_MAX)) | more


@dataclass(frozen=True, slots=True)
class Fields:
    """One raw object and the notes of the order that it belongs to."""

    raw: Mapping[str, object]
    notes: Notes

    def read(self, at: str, parse: Callable[[object], T | None], *names: str) -> T | None:
        """The first of the named raw fields that holds something readable."""
        unreadable = False
        for name in names:
            try:
                found = parse(self.raw.get(name))
            except (ValueError, ArithmeticError):  # numbers and dates beyond all bounds included
                unreadable = True
                continue
            if found is not None:
                return found
        if unreadable:
            self.notes.add(at, UNREADABLE)
        return None

    def text(self, at: str, *names: str, chars_max: int = TEXT_CHARS_MAX) -> str | None:
        """Clean text; a longer one is cut, with a note."""
        found = self.read(at, clean_text, *names)
        if found is None or len(found) <= chars_max:
            return found
        self.notes.add(at, CUT)
        return found[:chars_max]

    def time(self, at: str, *names: str) -> datetime | None:
        """A time, in UTC."""
        return self.read(at, scalars.moment, *names)

    def inner(self, at: str, name: str) -> "Fields":
        """An object inside this one; without fields if there is none."""
        found = opened(self.raw.get(name))
        if is_object(found):
            return Fields(found, self.notes)
        if not _is_nothing(found):
            self.notes.add(at, UNREADABLE)
        return Fields({}, self.notes)

    def rows(self, at: str, *names: str) -> list["Fields"]:
        """The objects of the first named array that there is, plain or nested as on the TOP gateway."""
        for name in names:
            found = opened(self.raw.get(name))
            if not _is_nothing(found):
                return self._rows(at, found)
        return []

    def _rows(self, at: str, found: object) -> list["Fields"]:
        rows = items(found)
        if rows is None or len(rows) < _length(found):
            self.notes.add(at, UNREADABLE)
        return [Fields(row, self.notes) for row in rows or ()]


def clean_text(value: object) -> str | None:
    """Text that every reader can store: no control characters, no halves of surrogate pairs."""
    found = scalars.text(value)
    if found is None:
        return None
    whole = found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub("", whole).strip() or None


def shape(value: object) -> str:
    """What a value looks like, without the value: for errors, which must not repeat personal data."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        masked = ", masked with *" if "*" in value else ""
        return f"a text of {len(value)} characters{masked}"
    if isinstance(value, Mapping):
        return f"an object of {len(value)} fields"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"a value of type {type(value).__name__}"


def _is_nothing(value: object) -> bool:
    if value in (None, [], {}):
        return True
    return isinstance(value, str) and value.strip().lower() in ("", "null")


def _length(value: object) -> int:
    """Entries of an array, also of one that sits an object deeper."""
    if is_object(value):
        return max((len(inner) for inner in value.values() if isinstance(inner, list)), default=0)
    return len(value) if isinstance(value, list) else 0
