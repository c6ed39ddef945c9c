"""Reading all pages of a window while orders move."""

import pytest

from services.importer.paging import Paging, Progress, received
from services.importer.settings import ImporterSettings
from waybill.alibaba.models import OrderListing, OrderPage


def page(number: int, ids: str, total: int | None, masked: int = 0) -> OrderPage:
    orders = tuple(OrderListing(name, None, None, None) for name in ids)
    return OrderPage(page=number, orders=orders, total=total, masked=masked, is_last=False)


def read(
    settings: ImporterSettings, *pages: tuple[str, int | None], masked: int = 0
) -> Paging:
    """Hand in pages; each is asked for with the number that the pass is at."""
    paging = Paging()
    for ids, total in pages:
        assert paging.progress is Progress.READING
        paging = received(paging, page(paging.page, ids, total, masked), settings)
    return paging


def test_a_quiet_list_takes_one_pass_and_no_page_more(settings: ImporterSettings) -> None:
    assert read(settings, ("ab", 3), ("c", 3)).progress is Progress.COMPLETE


def test_an_empty_window_takes_one_page(settings: ImporterSettings) -> None:
    assert read(settings, ("", 0)).progress is Progress.COMPLETE
    assert read(settings, ("", None)).progress is Progress.COMPLETE


def test_a_short_page_is_not_taken_for_the_last_one(settings: ImporterSettings) -> None:
    paging = read(settings, ("ab", 5), ("c", 5))
    assert paging.progress is Progress.READING
    assert paging.page == 2


@pytest.mark.parametrize(
    "pages",
    [
        [("ab", 4), ("c", 3)],  # one left: another may have slipped onto the first page
        [("ab", 3), ("bc", 3)],  # one was pushed back: another may have gone forward
        [("ab", 3), ("", 3)],  # fewer than told
    ],
)
def test_a_trace_of_movement_asks_for_another_pass(
    settings: ImporterSettings, pages: list[tuple[str, int | None]]
) -> None:
    paging = read(settings, *pages)
    assert (paging.progress, paging.page, paging.number) == (Progress.READING, 0, 2)
    assert read(settings, *pages, ("ab", 3), ("c", 3)).progress is Progress.COMPLETE


def test_a_list_that_is_odd_in_the_same_way_twice_is_complete(settings: ImporterSettings) -> None:
    odd: list[tuple[str, int | None]] = [("ab", 9), ("bc", 9), ("", 9)]
    assert read(settings, *odd, *odd).progress is Progress.COMPLETE


def test_without_totals_two_passes_must_agree(settings: ImporterSettings) -> None:
    first: list[tuple[str, int | None]] = [("ab", None), ("cd", None), ("", None)]
    second: list[tuple[str, int | None]] = [("ab", None), ("d", None), ("", None)]
    assert read(settings, *first).progress is Progress.READING
    assert read(settings, *first, *first).progress is Progress.COMPLETE
    assert read(settings, *first, *second).progress is Progress.READING
    assert read(settings, *first, *second, *second).progress is Progress.COMPLETE


def test_a_server_that_answers_every_page_alike_is_not_read_for_ever(
    settings: ImporterSettings,
) -> None:
    alike: list[tuple[str, int | None]] = [("ab", 50), ("ab", 50)]
    assert read(settings, *alike, *alike).progress is Progress.COMPLETE


def test_masked_entries_count_towards_the_total(settings: ImporterSettings) -> None:
    assert read(settings, ("ab", 4), ("", 4), masked=1).progress is Progress.COMPLETE


def test_orders_that_never_rest_end_the_window_unread(settings: ImporterSettings) -> None:
    few = settings.model_copy(update={"passes_max": 3})
    paging = Paging()
    for ids in ("ab", "bc", "cd"):
        for total, part in ((3, ids), (4, "z"), (4, "")):
            paging = received(paging, page(paging.page, part, total), few)
    assert paging.progress is Progress.RESTLESS


def test_a_list_with_too_many_pages_ends_unread(settings: ImporterSettings) -> None:
    few = settings.model_copy(update={"pages_max": 2})
    assert read(few, ("ab", 5), ("cd", 5)).progress is Progress.TOO_LONG
    assert read(few, ("ab", 4), ("cd", 4)).progress is Progress.COMPLETE


def test_a_page_that_was_not_asked_for_is_refused(settings: ImporterSettings) -> None:
    with pytest.raises(ValueError, match="want page 0"):
        received(Paging(), page(1, "a", 1), settings)
    with pytest.raises(ValueError, match="not asked for"):
        received(read(settings, ("a", 1)), page(1, "", 1), settings)
