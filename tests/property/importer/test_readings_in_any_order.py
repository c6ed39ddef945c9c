"""Readings that come late, twice or out of order never take an order back."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.importer.changes import Publish, decide
from services.importer.normalise import Draft, normalise
from tests.unit.importer.answers import NOW, ORDER, STORE
from waybill.contracts.base import millis
from waybill.contracts.imports import ImportSeen
from waybill.contracts.order import Order


def version(number: int) -> Order:
    """The order as it was after so many changes."""
    modified = NOW - timedelta(days=1) + timedelta(seconds=number)
    answer = ORDER | {"modify_date": str(millis(modified)), "remark": f"version {number}"}
    order = normalise(answer, payments=None, site="alibaba", store=STORE, imported_at=NOW)
    assert not isinstance(order, Draft)
    return order


VERSIONS = [version(number) for number in range(8)]


@given(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=40))
def test_what_is_published_only_goes_forward_and_ends_with_the_newest(
    readings: list[Order],
) -> None:
    seen: ImportSeen | None = None
    published: list[Order] = []
    for reading in readings:
        decision = decide(seen, reading)
        if isinstance(decision, Publish):
            seen = decision.seen
            published.append(decision.order)
    times = [order.modified_at for order in published]
    assert times == sorted(set(times))
    assert times[-1] == max(order.modified_at for order in readings)


@given(st.lists(st.sampled_from(VERSIONS), max_size=10), st.sampled_from(VERSIONS))
def test_a_reading_twice_in_a_row_is_one_change(before: list[Order], reading: Order) -> None:
    seen: ImportSeen | None = None
    for order in [*before, reading]:
        decision = decide(seen, order)
        seen = decision.seen if isinstance(decision, Publish) else seen
    assert not isinstance(decide(seen, reading), Publish)
