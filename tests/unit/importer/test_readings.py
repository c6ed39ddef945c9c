"""The memory that saves detail calls."""

from datetime import datetime, timedelta

from services.importer.readings import Readings
from services.importer.settings import ImporterSettings

SECOND = timedelta(seconds=1)


def test_an_order_is_read_until_two_readings_apart_have_shown_the_same_time(
    now: datetime, settings: ImporterSettings
) -> None:
    readings = Readings(settings)
    modified = now - 3 * SECOND
    assert readings.needed("o:1", modified)
    for after_s, needed in ((0, True), (29, True), (30, False)):
        readings.remember("o:1", modified, now + after_s * SECOND)
        assert readings.needed("o:1", modified) is needed


def test_a_new_time_starts_anew(now: datetime, settings: ImporterSettings) -> None:
    readings = Readings(settings)
    readings.remember("o:1", now, now)
    readings.remember("o:1", now, now + 60 * SECOND)
    assert readings.needed("o:1", now + SECOND)
    readings.remember("o:1", now + SECOND, now + 61 * SECOND)
    assert readings.needed("o:1", now + SECOND)


def test_an_order_listed_without_a_time_is_read(now: datetime, settings: ImporterSettings) -> None:
    readings = Readings(settings)
    readings.remember("o:1", now, now)
    readings.remember("o:1", now, now + 60 * SECOND)
    assert readings.needed("o:1", None)


def test_what_is_forgotten_is_read_again(now: datetime, settings: ImporterSettings) -> None:
    readings = Readings(settings)
    readings.remember("o:1", now, now)
    readings.remember("o:1", now, now + 60 * SECOND)
    readings.forget("o:1")
    readings.forget("o:unknown")
    assert readings.needed("o:1", now)


def test_the_memory_is_bounded_and_the_longest_unused_goes_first(
    now: datetime, settings: ImporterSettings
) -> None:
    readings = Readings(settings.model_copy(update={"readings_max": 2}))
    for name in ("o:1", "o:2"):
        readings.remember(name, now, now)
        readings.remember(name, now, now + 60 * SECOND)
    assert not readings.needed("o:1", now)
    readings.remember("o:3", now, now)
    assert len(readings) == 2
    assert readings.needed("o:2", now)
    assert not readings.needed("o:1", now)
