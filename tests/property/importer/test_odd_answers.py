"""Whatever an answer holds: a valid record or a clear refusal, and one hash for one content."""

from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.importer.normalise import Draft, UnreadableOrder, normalise
from tests.unit.importer.answers import FUNDS, NOW, ORDER, STORE
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.order import Order

CODEC = Codec(Order, "order", SchemaBook())
RECORD_BYTES_MAX = 1_048_576

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(
        [
            "null",
            "",
            "true",
            "2.0000",
            "-1",
            "1e400",
            "1E+99",
            "//x",
            "[1]",
            "{}",
            '{"a":1}',
            "*" * 9,
        ]
    ),
    st.sampled_from(["x" * 20_000, "9" * 60, "999999999999999", "0001-01-01 00:00:00"]),
    st.sampled_from(
        ["9999-12-31 23:59:59", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["amount", "currency", "timestamp", "format_date", "key", "number", "x"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a JSON value."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [place for name, v in inner for place in ((*path, name), *places(v, (*path, name)))]


ORDER_PLACES = places(ORDER)
FUND_PLACES = places(FUNDS)


def put(root: Any, path: tuple[Any, ...], value: Any) -> None:
    """Replace what lies at the path, unless an earlier replacement took the path away."""
    try:
        for step in path[:-1]:
            root = root[step]
        if isinstance(root, dict) == isinstance(path[-1], str):  # JSON's keys are texts
            root[path[-1]] = value
    except (LookupError, TypeError):
        return


def read(answer: dict[str, Any], payments: dict[str, Any] | None = None) -> Order | Draft:
    return normalise(answer, payments=payments, site="alibaba", store=STORE, imported_at=NOW)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(ORDER_PLACES), values), max_size=12),
    st.lists(st.tuples(st.sampled_from(FUND_PLACES), values), max_size=4),
)
def test_any_answer_gives_a_record_that_can_be_published_or_a_clear_refusal(
    odd_order: list[tuple[tuple[Any, ...], Any]], odd_funds: list[tuple[tuple[Any, ...], Any]]
) -> None:
    answer, payments = deepcopy(ORDER), deepcopy(FUNDS)
    for path, value in odd_order:
        put(answer, path, value)
    for path, value in odd_funds:
        put(payments, path, value)
    try:
        order = read(answer, payments)
    except UnreadableOrder:
        touched = {path[0] for path, _ in odd_order}
        assert touched & {"trade_id", "trade_status", "modify_date"}, "refused for nothing"
        return
    assert isinstance(order, Order)
    data = CODEC.encode(order)
    assert len(data) < RECORD_BYTES_MAX
    assert CODEC.decode(data) == order
    again = read(answer, payments)
    assert isinstance(again, Order)
    assert again.content_sha256 == order.content_sha256
    assert order.importable == (not order.not_importable)


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=10), values, max_size=5))
def test_an_answer_that_is_no_order_is_refused(answer: dict[str, Any]) -> None:
    try:
        read(answer)
    except UnreadableOrder:
        return
    raise AssertionError("taken for an order")


def written_otherwise(value: Any, random: Random) -> Any:
    """The same content: keys in another order, scalars in another of the forms that are in use."""
    if isinstance(value, dict):
        pairs = [(name, written_otherwise(inner, random)) for name, inner in value.items()]
        random.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        inner = [written_otherwise(row, random) for row in value]
        return {"some_row": inner} if random.random() < 0.3 else inner
    return _scalar(value, random)


def _scalar(value: Any, random: Random) -> Any:
    if value == "null":
        return random.choice(["null", None, "", " NULL "])
    try:
        number = Decimal(value)
    except ArithmeticError:
        return f" {value}" if random.random() < 0.3 else value
    if number == number.to_integral_value() and len(str(value)) > 10:
        return random.choice([str(value), int(value)])  # ids and times
    exact = random.choice([str(value), f"{value}000" if "." in str(value) else str(value)])
    return float(number) if "." in str(value) and random.random() < 0.3 else exact


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_the_content_hash_ignores_key_order_and_how_scalars_are_written(chance: int) -> None:
    random = Random(chance)
    order = read(deepcopy(ORDER), deepcopy(FUNDS))
    other = read(written_otherwise(ORDER, random), written_otherwise(FUNDS, random))
    assert isinstance(order, Order)
    assert isinstance(other, Order)
    assert other.content_sha256 == order.content_sha256
