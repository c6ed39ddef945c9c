"""Reading all pages of a window while orders move."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.importer.paging import (
    SHORT_WINDOW_FACTOR,
    Paging,
    Progress,
    WindowTooLongError,
    first_page,
    instead,
    received,
)
from services.importer.settings import ImporterSettings
from services.importer.windows import Window, halved
from waybill.alibaba.models import OrderListing, OrderPage


def page(number: int, ids: str, total: int | None, masked: int = 0) -> OrderPage:
    orders = tuple(OrderListing(name, None, None, None) for name in ids)
    return OrderPage(page=number, orders=orders, total=total, masked=masked, is_last=False)


def read(settings: ImporterSettings, *pages: tuple[str, int | None], masked: int = 0) -> Paging:
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


def window_of(minutes: int, now: datetime) -> Window:
    end = now + timedelta(minutes=minutes)
    return Window(now, end, now, end, more=True, step_max=timedelta(days=1))


def test_a_window_that_was_read_to_its_end_is_done(
    settings: ImporterSettings, now: datetime
) -> None:
    complete = replace(first_page(window_of(60, now), settings), progress=Progress.COMPLETE)
    assert instead(window_of(60, now), complete, settings) is None


@pytest.mark.parametrize("progress", [Progress.RESTLESS, Progress.TOO_LONG])
def test_of_a_window_that_could_not_be_read_its_half_is_read(
    settings: ImporterSettings, now: datetime, progress: Progress
) -> None:
    window = window_of(60, now)
    unread = replace(first_page(window, settings), progress=progress)
    assert instead(window, unread, settings) == halved(window, settings) is not None


def test_a_short_window_that_never_rests_is_done_since_it_will_be_listed_again(
    settings: ImporterSettings, now: datetime
) -> None:
    restless = replace(first_page(window_of(1, now), settings), progress=Progress.RESTLESS)
    assert instead(window_of(1, now), restless, settings) is None


def test_a_short_window_may_be_long_in_pages_but_not_without_end(now: datetime) -> None:
    few = ImporterSettings(pages_max=2)
    window = window_of(1, now)
    paging = first_page(window, few)
    while paging.progress is Progress.READING:
        paging = received(paging, page(paging.page, chr(ord("a") + paging.page), 1_000), few)
    assert paging.progress is Progress.TOO_LONG
    assert paging.page == SHORT_WINDOW_FACTOR * 2
    with pytest.raises(WindowTooLongError, match="more than 20 pages"):
        instead(window, paging, few)
