"""Settings that would break the one-shipment rule are refused, by name, before anything starts."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.notifier.settings import NotifierSettings
from waybill.cli.connection import settings_error
from waybill.settings import SESSION_TIMEOUT_MS_MAX
from waybill.streaming.runtime import TIMING


def _refusal(monkeypatch: pytest.MonkeyPatch, **variables: object) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    with pytest.raises(ValidationError) as refused:
        NotifierSettings()
    return settings_error(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "found", "allowed"),
    [
        ("WAYBILL_CALL_HORIZON_S", "0", "0 s", "1 to 86,400 s"),
        ("WAYBILL_CALL_HORIZON_S", "-900", "-900 s", "1 to 86,400 s"),
        ("WAYBILL_LOOKUP_GAP_S", "0", "0 s", "1 to 86,400 s"),
        ("WAYBILL_LOOKUP_FIRST_S", "61", "61 s", "1 to 60 s"),
        ("WAYBILL_CALL_START_S", "0", "0.0 s", "0.1 to 60 s"),
        ("WAYBILL_CALL_START_S", "nan", "nan s", "0.1 to 60 s"),
        ("WAYBILL_CALL_START_S", "inf", "inf s", "0.1 to 60 s"),
        ("WAYBILL_CLAIM_TIMEOUT_S", "0.5", "0.5 s", "1 to 3,600 s"),
        ("WAYBILL_RETRY_FIRST_S", "0", "0 s", "1 to 86,400 s"),
        ("WAYBILL_RETRY_MAX_S", "100000", "100,000 s", "1 to 86,400 s"),
        ("WAYBILL_HINT_FIRST_S", "4000", "4,000 s", "1 to 3,600 s"),
        ("WAYBILL_STOP_S", "0", "0.0 s", "0.1 to 600 s"),
        ("WAYBILL_KAFKA__SESSION_TIMEOUT_MS", "12000", "12,000 ms", "1,000 to 10,000 ms"),
        ("WAYBILL_KAFKA__TRANSACTION_TIMEOUT_MS", "0", "0 ms", "1,000 to 900,000 ms"),
    ],
)
def test_a_time_out_of_bounds_is_refused_by_name_with_what_was_found_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, found: str, allowed: str
) -> None:
    told = _refusal(monkeypatch, **{variable: value})

    assert told.startswith(f"{variable}: ")
    assert f"{found} found" in told
    assert f"allowed is {allowed}" in told


@pytest.mark.parametrize("first", ["WAYBILL_RETRY_FIRST_S", "WAYBILL_LOOKUP_FIRST_S"])
def test_a_first_pause_longer_than_the_longest_is_refused(
    monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    others = {"WAYBILL_RETRY_FIRST_S": "1", "WAYBILL_LOOKUP_FIRST_S": "1", first: "7"}

    told = _refusal(monkeypatch, WAYBILL_RETRY_MAX_S=6, **others)

    assert told.startswith(f"{first}: ")
    assert "7 s found; allowed is 1 to WAYBILL_RETRY_MAX_S, 6 s" in told


def test_a_first_pause_is_measured_against_the_default_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "WAYBILL_RETRY_MAX_S, 300 s" in _refusal(monkeypatch, WAYBILL_RETRY_FIRST_S=301)


def test_a_longest_pause_below_the_default_first_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = _refusal(monkeypatch, WAYBILL_RETRY_MAX_S=1)

    assert "WAYBILL_RETRY_FIRST_S: " in told
    assert "WAYBILL_LOOKUP_FIRST_S: " in told


def test_what_is_wrong_itself_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _refusal(monkeypatch, WAYBILL_RETRY_MAX_S=0)

    assert told.count("WAYBILL_") == 1


@pytest.mark.parametrize(
    "least",
    [
        {"call_start_s": 0.1, "call_horizon_s": 1, "lookup_gap_s": 1, "lookup_first_s": 1},
        {"claim_timeout_s": 1, "retry_first_s": 1, "retry_max_s": 5, "hint_first_s": 1},
    ],
)
def test_the_bounds_themselves_are_allowed(least: dict[str, Any]) -> None:
    settings = NotifierSettings(**least)

    assert {name: getattr(settings, name) for name in least} == least


def test_a_refusal_shows_no_secret_that_stands_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_SEAL_KEY", "the-seal-key")
    monkeypatch.setenv("WAYBILL_SITES", '{"alibaba": {"app": {"app_secret": "the-secret"}}}')

    with pytest.raises(ValidationError) as refused:
        NotifierSettings()

    assert "app_key" in str(refused.value)
    assert "the-secret" not in str(refused.value)
    assert "the-seal-key" not in str(refused.value)


def test_an_evicted_member_hears_of_it_before_it_would_open_its_partition_again() -> None:
    beat_ms = SESSION_TIMEOUT_MS_MAX // 10

    assert SESSION_TIMEOUT_MS_MAX + beat_ms < TIMING.fence_grace_s * 1_000
