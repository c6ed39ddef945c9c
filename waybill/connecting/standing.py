"""How a store's authorisation stands, from its settings and its tokens. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waybill.contracts import Store, StoreTokens

NEEDS_REAUTH = "needs_reauth"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """`word`: authorised, needs_reauth, no_tokens or disconnected."""

    word: str
    reason: str | None = None
    """Why it needs a new authorisation."""
    days_left: int | None = None
    """Whole days of the chosen authorisation; None when its end is unknown or past."""

    def __str__(self) -> str:
        told = [self.word, f"({self.reason})" if self.reason else ""]
        told.append("" if self.days_left is None else f"({self.days_left} days left)")
        return " ".join(word for word in told if word)


def standing(store: Store, tokens: StoreTokens | None, now: datetime) -> Standing:
    """What the importer has found of the tokens, and what the calendar says."""
    if store.disconnected:
        return Standing("disconnected")
    if tokens is None or tokens.generation < store.token_generation:
        return Standing("no_tokens")
    if tokens.ended_at is not None:
        return Standing(NEEDS_REAUTH, tokens.ended_reason or "ended")
    until = tokens.authorised_until
    if until is None:
        return Standing("authorised")
    if until <= now:
        return Standing(NEEDS_REAUTH, "authorisation_over")
    return Standing("authorised", days_left=(until - now) // _DAY)
