"""When tokens are refreshed, when they have ended, and what is warned of."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.importer.refresh import (
    End,
    EndedReason,
    Refresh,
    RefreshRules,
    Step,
    Tries,
    Wait,
    after_failure,
    after_read,
    after_refusal,
    after_renewal,
    due_at,
    ends_at,
    next_step,
    refused,
    started,
    warning_days,
)
from waybill.contracts import StoreTokens

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = RefreshRules()


def _in(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _days(days: float) -> datetime:
    return START + timedelta(days=days)


def _tokens(**changes: Any) -> StoreTokens:
    """Ten days of access, sixty of refresh, half a year of authorisation."""
    fields: dict[str, Any] = {
        "store_id": "alibaba-1",
        "generation": 1,
        "key_id": "k",
        "nonce": b"n",
        "sealed": b"s",
        "expires_at": _days(10),
        "refresh_expires_at": _days(60),
        "authorised_until": _days(181),
        "authorisation": "6m",
        "issued_at": START,
        "written_at": START,
    }
    return StoreTokens.model_validate(fields | changes)


def _step(
    at: datetime,
    tries: Tries | None = None,
    *,
    refreshable: bool | None = True,
    **changes: Any,
) -> Step:
    tokens = _tokens(**changes)
    return next_step(tokens, tries or Tries(), at, RULES, refreshable=refreshable)


# ------------------------------------------------------------------------------------------ when it is due


def test_it_is_due_half_an_hour_before_the_access_token_ends() -> None:
    due = _days(10) - timedelta(minutes=30)
    assert _step(START) == Wait(due)
    assert _step(due - timedelta(milliseconds=1)) == Wait(due)
    assert _step(due) == Refresh()


def test_a_short_token_is_refreshed_at_a_tenth_of_its_life() -> None:
    changes: dict[str, Any] = {"expires_at": _in(60), "refresh_expires_at": _in(600)}
    assert _step(_in(53.9), **changes) == Wait(_in(54))
    assert _step(_in(54), **changes) == Refresh()


def test_a_note_about_the_tokens_does_not_shorten_their_life() -> None:
    changed = _tokens(expires_at=_in(60), refresh_expires_at=None, written_at=_in(54))
    assert due_at(changed, RULES) == _in(54)


def test_a_refresh_token_that_ends_first_is_used_in_time() -> None:
    assert due_at(_tokens(expires_at=_days(100), refresh_expires_at=_days(60)), RULES) == (
        _days(60) - timedelta(minutes=30)
    )


def test_an_access_token_that_lasts_to_the_end_of_the_authorisation_is_not_refreshed() -> None:
    changes: dict[str, Any] = {"expires_at": _days(30), "authorised_until": _days(30)}
    assert _step(_days(29.999), **changes) == Wait(_days(30))


def test_tokens_of_unknown_life_are_refreshed_when_they_are_refused() -> None:
    unknown: dict[str, Any] = {
        "expires_at": None,
        "refresh_expires_at": None,
        "authorised_until": None,
    }
    assert _step(_days(500), **unknown) == Wait(None)
    assert _step(_days(500), after_refusal(Tries()), **unknown) == Refresh()


def test_a_refused_read_makes_it_due_early() -> None:
    assert _step(_in(1), after_refusal(Tries())) == Refresh()


def test_nothing_is_decided_while_a_refresh_is_under_way() -> None:
    assert _step(_days(10), started(Tries())) == Wait()
    assert _step(_days(300), started(Tries())) == Wait()


def test_an_overdue_refresh_is_made_as_long_as_the_refresh_token_lives() -> None:
    assert _step(_days(50)) == Refresh()


# ------------------------------------------------------------------------------------------------ failures


def test_failures_are_followed_by_growing_pauses_with_the_same_token() -> None:
    tries, pauses = started(Tries()), []
    for _ in range(12):
        tries = after_failure(tries, START, RULES)
        assert tries.not_before is not None
        pauses.append((tries.not_before - START).total_seconds())
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == 900
    at = _days(10)
    waiting = after_failure(Tries(), at, RULES)
    assert _step(at, waiting) == Wait(at + timedelta(seconds=5))
    assert _step(at + timedelta(seconds=5), waiting) == Refresh()


def test_a_ban_is_waited_out() -> None:
    tries = after_failure(Tries(), START, RULES, retry_after_s=300)
    assert tries.not_before == _in(300)


def test_early_refreshes_of_one_token_after_another_are_slowed_down() -> None:
    """A site that refuses every token is not asked for new ones without end."""
    first = after_renewal(after_refusal(Tries()), START, RULES)
    assert first.not_before == _in(5)
    assert _step(_in(1), after_refusal(first)) == Wait(_in(5))
    second = after_renewal(after_refusal(first), _in(5), RULES)
    assert second.not_before == _in(15)


def test_a_renewal_in_time_leaves_only_the_shortest_pause_behind() -> None:
    late = after_failure(after_failure(Tries(), START, RULES), START, RULES)
    renewed = after_renewal(late, START, RULES)
    assert renewed == Tries(not_before=_in(5))
    assert _step(_in(1), after_refusal(renewed)) == Wait(_in(5)), "its first read was refused"


def test_a_read_that_is_answered_ends_the_suspicion() -> None:
    assert after_read(after_refusal(after_refusal(Tries()))) == Tries()
    pausing = after_failure(Tries(), START, RULES)
    assert after_read(pausing) is pausing, "it says nothing of a refresh that failed"


# ------------------------------------------------------------------------------------------------- the end


def test_the_authorisation_ends_at_its_time_whatever_else_is_known() -> None:
    for refreshable in (True, False, None):
        assert _step(_days(181), refreshable=refreshable) == End(EndedReason.AUTHORISATION_OVER)
    near: dict[str, Any] = {"authorised_until": _in(100), "expires_at": _in(90)}
    assert _step(_in(100), **near) == End(EndedReason.AUTHORISATION_OVER)


def test_a_refused_refresh_is_no_end_while_the_access_token_works() -> None:
    tries = refused(Tries())
    assert _step(_days(9.99), tries) == Wait(_days(10))
    assert _step(_days(10), tries) == End(EndedReason.REFRESH_REFUSED)


def test_refresh_and_access_token_refused_is_the_end() -> None:
    assert _step(_in(1), refused(after_refusal(Tries()))) == End(EndedReason.REFRESH_REFUSED)


def test_a_refresh_life_of_zero_means_that_the_access_token_is_the_last_one() -> None:
    last: dict[str, Any] = {"refresh_expires_at": START, "authorised_until": None}
    assert _step(_days(9.99), **last) == Wait(_days(10))
    assert _step(_days(10), **last) == End(EndedReason.ACCESS_EXPIRED)


def test_without_a_refresh_token_one_odd_refusal_is_no_end_and_three_are() -> None:
    tries = Tries()
    for _ in range(2):
        tries = after_refusal(tries)
        assert isinstance(_step(_in(1), tries, refreshable=False), Wait)
    assert _step(_in(1), after_refusal(tries), refreshable=False) == End(EndedReason.ACCESS_REFUSED)


def test_ended_tokens_stay_ended() -> None:
    assert _step(_days(999), ended_at=START, ended_reason="refresh_refused") == Wait()


def test_tokens_that_do_not_open_here_are_not_ended_for_it() -> None:
    assert _step(_days(20), after_refusal(Tries()), refreshable=None) == Wait(_days(181))


# ------------------------------------------------------------------------------------------------ warnings


@pytest.mark.parametrize(
    ("left_days", "warned", "expected"),
    [
        (31, None, None),
        (30, None, 30),
        (20, 30, None),
        (14, 30, 14),
        (7, 14, 7),
        (1, 7, 1),
        (0.5, 1, None),
        (5, None, 7),
    ],
)
def test_each_warning_is_given_once(
    left_days: float, warned: int | None, expected: int | None
) -> None:
    tokens = _tokens()
    now = _days(181 - left_days)
    assert warning_days(tokens, tokens.authorised_until, now, warned) == expected


def test_who_chose_one_month_is_not_warned_on_the_first_day() -> None:
    tokens = _tokens(authorisation="1m", authorised_until=_days(30))
    assert warning_days(tokens, _days(30), START, None) is None
    assert warning_days(tokens, _days(30), _days(16), None) == 14


def test_ended_tokens_are_not_warned_of() -> None:
    tokens = _tokens(ended_at=START, ended_reason="authorisation_over")
    assert warning_days(tokens, START, START, None) is None


def test_the_end_that_is_told_is_that_of_what_cannot_be_prolonged() -> None:
    assert ends_at(_tokens(), refreshable=True) == _days(181)
    assert ends_at(_tokens(), refreshable=False) == _days(10)
    assert ends_at(_tokens(refresh_expires_at=START), refreshable=True) == _days(10)
    assert ends_at(_tokens(authorised_until=None), refreshable=True) is None
    assert ends_at(_tokens(authorised_until=None), refreshable=None) is None
