"""Whatever a site answers: tokens are refreshed in time and within bounds, and end for good reasons only."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.importer import refresh
from services.importer.refresh import (
    End,
    EndedReason,
    Refresh,
    RefreshRules,
    Tries,
    Wait,
    next_step,
)
from waybill.contracts import StoreTokens

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = RefreshRules()
TURN_S = 0.25
"""How often the importer looks."""


@dataclass
class Walk:
    """One store's tokens through time, with a site that may refuse, forget and stay silent."""

    life_s: int
    refresh_life_s: int
    authorisation_s: int
    kept_by_site: bool = True
    """Whether the site's own tokens end with the authorisation."""
    now: datetime = START
    tokens: StoreTokens = field(init=False)
    tries: Tries = field(default_factory=Tries)
    asked: list[datetime] = field(default_factory=list)
    told_no: bool = False
    """The refresh token of now was refused."""
    reads_refused: int = 0

    def __post_init__(self) -> None:
        self.tokens = self.issued()

    def issued(self) -> StoreTokens:
        """What Alibaba gives: perhaps nothing goes past the authorisation."""
        until = START + timedelta(seconds=self.authorisation_s)
        last = until if self.kept_by_site else self.now + timedelta(days=400)
        ends = min(self.now + timedelta(seconds=self.life_s), last)
        refresh_ends = min(self.now + timedelta(seconds=self.refresh_life_s), last)
        fields: dict[str, Any] = {
            "store_id": "s",
            "generation": 1,
            "key_id": "k",
            "nonce": b"n",
            "sealed": b"s",
            "expires_at": ends,
            "refresh_expires_at": self.now if ends == until else refresh_ends,
            "authorised_until": until,
            "issued_at": self.now,
            "written_at": self.now,
        }
        return StoreTokens.model_validate(fields)

    def renew(self) -> None:
        self.tries = refresh.after_renewal(self.tries, self.now, RULES)
        self.tokens = self.issued()
        self.told_no, self.reads_refused = False, 0

    def look(self, answer: str) -> End | None:
        """One look of the importer; a refresh is answered so."""
        step = next_step(self.tokens, self.tries, self.now, RULES, refreshable=True)
        if isinstance(step, Wait):
            assert step.until is None or step.until > self.now, "a wait that is over"
            return None
        if isinstance(step, End):
            self.check_end(step)
            return step
        self.check_refresh()
        self.asked.append(self.now)
        self.tries = refresh.started(self.tries)
        match answer:
            case "tokens":
                self.renew()
            case "no":
                self.tries = refresh.refused(refresh.after_failure(self.tries, self.now, RULES))
                self.told_no = True
            case _:
                self.tries = refresh.after_failure(self.tries, self.now, RULES)
        return None

    def check_refresh(self) -> None:
        assert self.tokens.authorised_until is not None
        assert self.now < self.tokens.authorised_until, "past the chosen length"
        assert not self.told_no, "a refresh token that was refused is used again"
        assert not self.asked or (self.now - self.asked[-1]).total_seconds() >= min(
            RULES.pause_first_s, self.life_s * (1 - RULES.ahead_share)
        ), "two refreshes without a pause"

    def check_end(self, end: End) -> None:
        over = self.tokens.expires_at is not None and self.now >= self.tokens.expires_at
        match end.reason:
            case EndedReason.AUTHORISATION_OVER:
                assert self.tokens.authorised_until is not None
                assert self.now >= self.tokens.authorised_until
            case EndedReason.REFRESH_REFUSED:
                assert self.told_no
                assert over or self.reads_refused
            case EndedReason.ACCESS_EXPIRED:
                assert over
            case EndedReason.ACCESS_REFUSED:
                assert self.reads_refused >= RULES.refusals_max

    def read(self, *, refused: bool) -> None:
        if refused:
            self.tries = refresh.after_refusal(self.tries)
            self.reads_refused += 1
        else:
            self.tries = refresh.after_read(self.tries)
            self.reads_refused = 0


lives = st.integers(60, 30 * 86_400)
walks = st.builds(Walk, lives, lives, st.integers(60, 180 * 86_400), st.booleans())
steps = st.tuples(
    st.one_of(st.floats(0.25, 60), st.floats(60, 3_600), st.floats(60, 20 * 86_400)),
    st.sampled_from(["", "", "read", "refused"]),
    st.sampled_from(["tokens", "tokens", "silence", "no"]),
)


@settings(max_examples=600)
@given(walks, st.lists(steps, min_size=5, max_size=60))
def test_refreshes_keep_their_bounds_and_tokens_end_for_a_reason(
    walk: Walk, way: list[tuple[float, str, str]]
) -> None:
    for passed_s, read, answer in way:
        walk.now += timedelta(seconds=passed_s)
        if read:
            walk.read(refused=read == "refused")
        if walk.look(answer) is not None:
            return


@given(lives, lives, st.integers(60, 180 * 86_400), st.integers(0, 3))
def test_while_alibaba_answers_the_access_token_never_ends_before_the_authorisation(
    life_s: int, refresh_life_s: int, authorisation_s: int, silences: int
) -> None:
    """With a few silent answers too: the time before the end is longer than their pauses."""
    walk = Walk(max(life_s, 1_000), max(refresh_life_s, 1_000), authorisation_s)
    silent = 0
    for _ in range(2_000):
        step = next_step(walk.tokens, walk.tries, walk.now, RULES, refreshable=True)
        if isinstance(step, End):
            assert walk.tokens.authorised_until is not None
            assert walk.now >= walk.tokens.authorised_until
            return
        if isinstance(step, Wait):
            assert step.until is not None
            walk.now = step.until + timedelta(seconds=TURN_S)
            continue
        assert isinstance(step, Refresh)
        assert walk.tokens.expires_at is not None
        assert walk.now < walk.tokens.expires_at, "too late"
        silent = (silent + 1) % (silences + 1)
        walk.look("silence" if silent else "tokens")


@given(walks, st.integers(1, 50))
def test_a_site_that_refuses_every_token_is_asked_at_growing_pauses(walk: Walk, hours: int) -> None:
    end = walk.now + timedelta(hours=hours)
    while walk.now < end:
        walk.read(refused=True)
        if walk.look("tokens") is not None:
            break
        walk.now += timedelta(seconds=5)
    waited = [(b - a).total_seconds() for a, b in zip(walk.asked, walk.asked[1:], strict=False)]
    assert len(waited) <= 10 + hours * 4 + hours * 3600 / (0.9 * walk.life_s)
