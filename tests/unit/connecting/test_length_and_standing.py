"""Months of the calendar, and how an authorisation stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from waybill.cli.store_changes import connected
from waybill.connecting import Authorisation, authorised_until, standing
from waybill.contracts import StoreTokens
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
STORE = connected("sandbox", "4711", "Lumen", NOW)


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-11-23", "1m", "2026-12-23"),
        ("2026-11-23", "3m", "2027-02-23"),
        ("2026-11-30", "3m", "2027-02-28"),
        ("2027-11-30", "3m", "2028-02-29"),
        ("2026-08-31", "6m", "2027-02-28"),
        ("2026-12-31", "1m", "2027-01-31"),
        ("2027-01-31", "1m", "2027-02-28"),
        ("2026-06-30", "6m", "2026-12-30"),
    ],
)
def test_months_are_those_of_the_calendar(start: str, length: str, end: str) -> None:
    begun = datetime.fromisoformat(f"{start}T14:05:06.789+00:00")

    until = authorised_until(begun, Authorisation(length))

    assert until == datetime.fromisoformat(f"{end}T14:05:06.789+00:00")


def tokens(**changes: Any) -> StoreTokens:
    seal = TokenSeal(SecretStr(new_key()))
    sealed = seal.seal(Tokens(SecretStr("a")), STORE.store_id, 1, TokenLife(), NOW)
    return sealed.model_copy(update=changes)


@pytest.mark.parametrize(
    ("of_store", "known", "told"),
    [
        ({"disconnected": True}, tokens(), "disconnected"),
        ({}, None, "no_tokens"),
        ({"token_generation": 2}, tokens(), "no_tokens"),
        ({}, tokens(), "authorised"),
        ({}, tokens(authorised_until=NOW + timedelta(days=30)), "authorised (30 days left)"),
        ({}, tokens(authorised_until=NOW + timedelta(hours=23)), "authorised (0 days left)"),
        ({}, tokens(authorised_until=NOW), "needs_reauth (authorisation_over)"),
        (
            {},
            tokens(ended_at=NOW, ended_reason="refresh_refused"),
            "needs_reauth (refresh_refused)",
        ),
        ({}, tokens(ended_at=NOW), "needs_reauth (ended)"),
    ],
)
def test_how_an_authorisation_stands(
    of_store: dict[str, Any], known: StoreTokens | None, told: str
) -> None:
    assert str(standing(STORE.model_copy(update=of_store), known, NOW)) == told
