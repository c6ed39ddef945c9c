"""The order of text that runs in both directions: Unicode Bidirectional Algorithm (UAX #9).

Only its implicit part: explicit formatting characters are removed by `cleaning`, since in a name or
an address they only serve to make a page read other than it is. Rule names (P2, W1 …) are the annex's.
"""

import re
import unicodedata

_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_NEUTRAL = {"B", "S", "WS", "ON", "BN"}
_KINDS = _NEUTRAL | {"L", "R", "AL", "EN", "AN", "ES", "ET", "CS", "NSM"}
_BRACKETS = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "【": "】", "「": "」"}
_BRACKETS_OPEN_MAX = 63
"""As in BD16: deeper nesting leaves the rest unpaired, which bounds the work."""


def has_right_to_left(text: str) -> bool:
    """Whether any character may run from right to left; without one the text needs nothing from here."""
    return _RIGHT_TO_LEFT.search(text) is not None


def base_level(text: str) -> int:
    """0 for text that reads from the left, 1 from the right: the first strong character decides (P2, P3)."""
    for char in text:
        if (kind := unicodedata.bidirectional(char)) in {"L", "R", "AL"}:
            return 0 if kind == "L" else 1
    return 0


def levels(text: str, base: int) -> list[int]:
    """The embedding level of each character; odd levels run from right to left."""
    kinds = [_kind(char) for char in text]
    side = "R" if base else "L"
    _resolve_weak(kinds, side)
    _resolve_brackets(text, kinds, side)
    _resolve_neutral(kinds, side)
    raised = {"L": (0, 1), "R": (1, 0), "AN": (2, 1), "EN": (2, 1)}  # I1, I2
    result = [base + raised[kind][base] for kind in kinds]
    for index in range(len(text) - 1, -1, -1):  # L1: spaces at the end belong to the paragraph
        if unicodedata.bidirectional(text[index]) not in {"WS", "S", "B"}:
            break
        result[index] = base
    return result


def _kind(char: str) -> str:
    kind = unicodedata.bidirectional(char) or "L"  # an unassigned character is shown by its number
    return kind if kind in _KINDS else "BN"


def visual_order(item_levels: list[int]) -> list[int]:
    """The indices of items, each of one level, from left to right (L2)."""
    order = list(range(len(item_levels)))
    for level in range(max(item_levels, default=0), 0, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and item_levels[order[end]] >= level:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end + 1
    return order


def _resolve_weak(kinds: list[str], side: str) -> None:
    before, strong = side, side
    for index in range(len(kinds)):  # W1, W2, W3
        if kinds[index] == "NSM":
            kinds[index] = before
        if kinds[index] in {"L", "R", "AL"}:
            strong = kinds[index]
        elif kinds[index] == "EN" and strong == "AL":
            kinds[index] = "AN"
        before = kinds[index]
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]
    _resolve_separators(kinds)
    _resolve_terminators(kinds)
    strong = side
    for index, kind in enumerate(kinds):  # W6, W7
        if kind in {"ES", "ET", "CS"}:
            kinds[index] = "ON"
        elif kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"


def _resolve_separators(kinds: list[str]) -> None:  # W4
    for index in range(1, len(kinds) - 1):
        left, right = kinds[index - 1], kinds[index + 1]
        between = kinds[index]
        if left == right and (
            (between == "CS" and left in {"EN", "AN"}) or (between, left) == ("ES", "EN")
        ):
            kinds[index] = left


def _resolve_terminators(kinds: list[str]) -> None:  # W5
    index = 0
    while index < len(kinds):
        end = index
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        number_before = index > 0 and kinds[index - 1] == "EN"
        number_after = end < len(kinds) and kinds[end] == "EN"
        if end > index and (number_before or number_after):
            kinds[index:end] = ["EN"] * (end - index)
        index = end + 1


def _resolve_brackets(text: str, kinds: list[str], side: str) -> None:  # N0
    for opening, closing in _bracket_pairs(text, kinds):
        inside = {_strong(kind) for kind in kinds[opening + 1 : closing]} - {""}
        if side in inside:
            resolved = side
        elif inside:
            context = next((s for kind in reversed(kinds[:opening]) if (s := _strong(kind))), side)
            resolved = context  # the only other direction there is, or the paragraph's
        else:
            continue
        for bracket in (opening, closing):
            kinds[bracket] = resolved
            _carry_marks(text, kinds, bracket)


def _carry_marks(text: str, kinds: list[str], bracket: int) -> None:
    """Marks on a bracket go where it goes."""
    index = bracket + 1
    while index < len(text) and unicodedata.bidirectional(text[index]) == "NSM":
        kinds[index] = kinds[bracket]
        index += 1


def _bracket_pairs(text: str, kinds: list[str]) -> list[tuple[int, int]]:
    open_ones: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for index, char in enumerate(text):
        if kinds[index] != "ON":
            continue
        if char in _BRACKETS:
            if len(open_ones) == _BRACKETS_OPEN_MAX:
                break
            open_ones.append((_BRACKETS[char], index))
        for depth in range(len(open_ones) - 1, -1, -1):
            if open_ones[depth][0] == char:
                pairs.append((open_ones[depth][1], index))
                del open_ones[depth:]
                break
    return sorted(pairs)


def _strong(kind: str) -> str:
    return "R" if kind in {"R", "EN", "AN"} else "L" if kind == "L" else ""


def _resolve_neutral(kinds: list[str], side: str) -> None:  # N1, N2
    index = 0
    while index < len(kinds):
        end = index
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > index:
            left = _strong(kinds[index - 1]) if index else side
            right = _strong(kinds[end]) if end < len(kinds) else side
            kinds[index:end] = [left if left == right else side] * (end - index)
        index = end + 1
