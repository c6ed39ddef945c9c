"""The keeper of tokens: announced, called, written; one refresh at a time, whatever fails in between."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from pydantic import SecretStr

from services.importer.metrics import ImporterMetrics
from services.importer.refresh import RefreshRules
from services.importer.renewal import Means, TokenKeeper
from services.importer.token_steps import Written
from tests.unit.importer.answers import STORE
from waybill.alibaba import errors
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.models import TokenGrant
from waybill.clock import Clock
from waybill.contracts import Store, StoreTokens
from waybill.metrics import Registry
from waybill.streaming.background import Background
from waybill.tokens import TokenLife, Tokens, TokenSeal, new_key

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIFE = TokenLife(
    START + timedelta(seconds=60),
    START + timedelta(seconds=600),
    START + timedelta(days=10),
    "1m",
)
OLD_KEY, KEY = new_key(), new_key()
ID = STORE.store_id
UNCLEAR = errors.OutcomeUnknown("no answer in time", operation="refresh_token")
REFUSED = errors.Unauthorised("the grant is not accepted", operation="refresh_token")


def _grant(
    access: str = "access-2", refresh: str | None = "refresh-2", **changes: Any
) -> TokenGrant:
    fields: dict[str, Any] = {
        "access_token": SecretStr(access),
        "expires_in_s": 60,
        "refresh_token": SecretStr(refresh) if refresh else None,
        "refresh_expires_in_s": 600,
        "seller_id": STORE.seller_id,
        "country": None,
        "account": None,
        "account_platform": None,
        "request_id": None,
    }
    return TokenGrant(**(fields | changes))


class FakeClock(Clock):
    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def boot_s(self) -> float:
        return 5_000.0 + self.passed_s


class FakeBackground(Background):
    """Calls wait until the test lets them go."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], Coroutine[Any, Any, Any]]] = deque()

    def spawn(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.calls.append(make)


@dataclass
class FakeClient:
    """Answers refreshes as it was told; asked with which tokens."""

    answers: deque[TokenGrant | errors.AlibabaError] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)

    async def refresh_token(self, token: SecretStr, *, may_start: Callable[[], bool]) -> TokenGrant:
        if not may_start():
            raise errors.NotSent("its start was not allowed any more", operation="refresh_token")
        self.asked.append(token.get_secret_value())
        answer = self.answers.popleft()
        if isinstance(answer, errors.AlibabaError):
            raise answer
        return answer


@dataclass
class Partition:
    """The owner of the store, as the runtime drives it."""

    running: bool = True


class Bench:
    """One importer's keeper; what it writes is a list."""

    def __init__(self, topic: list[StoreTokens | None] | None = None, key: str = KEY) -> None:
        self.clock, self.background, self.client = FakeClock(), FakeBackground(), FakeClient()
        self.registry = Registry()
        clients = {STORE.site: cast("AlibabaClient", self.client)}
        self.seal = TokenSeal(SecretStr(key))
        metrics = ImporterMetrics(self.registry)
        means = Means(self.clock, metrics, self.background, clients, 30.0)
        self.stores: dict[str, Store] = {ID: STORE}
        self.keeper = TokenKeeper(RefreshRules(), means, self.seal, self.stores)
        self.news: list[str] = []
        self.keeper.on_news = self.news.append
        self.topic: list[StoreTokens | None] = [self.connected()] if topic is None else topic
        self.open()

    def connected(self, generation: int = 1, refresh: str | None = "refresh-1") -> StoreTokens:
        clear = Tokens(SecretStr("access-1"), SecretStr(refresh) if refresh else None)
        return self.seal.seal(clear, ID, generation, LIFE, self.clock.now())

    def open(self) -> None:
        """Take the partition over: everything on the topic, then work."""
        self.owner = Partition()
        for record in self.topic:
            if record is not None:
                self.keeper.take(record, 3)
        self.keeper.opened(3, self.owner)

    def close(self) -> None:
        self.owner.running = False
        self.keeper.closed(3)

    def decide(self) -> list[Written]:
        """What the next transaction would write."""
        self.keeper.turn()
        return self.keeper.process(3)

    def commit(self, written: list[Written], *, took_s: float = 0.0) -> None:
        lease_s = self.clock.boot_s() + 5
        self.clock.passed_s += took_s
        for one in written:
            self.topic.append(one.tokens)
            self.keeper.committed(one, self.owner, lease_s)

    def at(self, passed_s: float) -> list[Written]:
        """The time comes; what was due is committed."""
        self.clock.passed_s = passed_s
        written = self.decide()
        self.commit(written)
        return written

    def answer(self, answer: TokenGrant | errors.AlibabaError) -> None:
        """The call that was started ends so."""
        self.client.answers.append(answer)
        self.keeper.ended(asyncio.run(self.background.calls.popleft()()))

    def read(self, outcome: str | None) -> None:
        """A read with the tokens of now ends."""
        tokens = self.keeper.get(ID)
        self.keeper.read_ended(ID, tokens.sealed if tokens else None, outcome)

    @property
    def access(self) -> str | None:
        clear = self.keeper.clear(ID)
        return clear.access.get_secret_value() if clear else None

    @property
    def last(self) -> StoreTokens:
        tokens = self.topic[-1]
        assert tokens is not None
        return tokens

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.collectors.get_sample_value(name, labels)


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---------------------------------------------------------------------------------------- a good refresh


def test_a_refresh_is_announced_then_called_then_written(bench: Bench) -> None:
    assert bench.at(53) == []
    (announced,) = bench.at(54)
    assert announced.tokens is not None
    assert announced.tokens.refresh_sent_at == bench.clock.now()
    assert announced.tokens.issued_at == START
    assert bench.access == "access-1", "it goes on being used"
    bench.answer(_grant())
    assert bench.client.asked == ["refresh-1"]

    (written,) = bench.at(54.5)

    assert bench.access == "access-2"
    assert written.tokens == bench.last
    assert bench.seal.open(bench.last).refresh == SecretStr("refresh-2")
    assert bench.last.expires_at == START + timedelta(seconds=114), "counted from the question"
    assert bench.last.refresh_sent_at is None
    assert bench.last.authorised_until == LIFE.authorised_until
    assert bench.last.authorisation == "1m"
    assert bench.news[-1] == ID
    assert bench.metric("waybill_token_refreshes_total", outcome="ok") == 1
    assert bench.at(60) == []
    assert len(bench.at(108)) == 1, "the next one at a tenth of the new life"


def test_nothing_is_called_before_the_announcement_is_committed(bench: Bench) -> None:
    bench.clock.passed_s = 54
    written = bench.decide()
    assert not bench.background.calls
    assert bench.decide() == [], "while its transaction is under way"
    bench.commit(written)
    assert len(bench.background.calls) == 1
    assert bench.at(55) == [], "one at a time"


@pytest.mark.parametrize("given_away", [True, False])
def test_a_call_after_its_lease_or_without_its_partition_does_not_start(
    bench: Bench, given_away: bool
) -> None:
    bench.at(54)
    if given_away:
        bench.close()
    else:
        bench.clock.passed_s += 5

    bench.answer(_grant())

    assert bench.client.asked == []


def test_tokens_that_the_answer_leaves_out_stay(bench: Bench) -> None:
    bench.at(54)
    bench.answer(_grant(refresh=None, refresh_expires_in_s=None))
    bench.at(54.5)
    assert bench.seal.open(bench.last).refresh == SecretStr("refresh-1")
    assert bench.last.refresh_expires_at == LIFE.refresh_expires_at


# ---------------------------------------------------------------------------------------------- failures


def test_after_an_unclear_answer_the_same_token_is_tried_again(bench: Bench) -> None:
    bench.at(54)
    bench.answer(UNCLEAR)
    assert bench.at(58.5) == []
    assert len(bench.at(59)) == 1
    bench.answer(UNCLEAR)
    assert bench.at(68) == []
    assert len(bench.at(69)) == 1
    bench.answer(_grant())
    bench.at(70)
    assert bench.client.asked == ["refresh-1"] * 3
    assert bench.access == "access-2"


def test_a_refused_refresh_ends_the_tokens_when_the_access_token_is_over(bench: Bench) -> None:
    bench.at(54)
    bench.answer(REFUSED)
    assert bench.at(59.5) == []
    bench.at(60)
    assert (bench.last.ended_reason, bench.last.ended_at) == ("refresh_refused", bench.clock.now())
    assert bench.news[-1] == ID
    assert bench.at(61) == []
    assert bench.metric("waybill_stores_needing_reauth") == 1


def test_a_refused_read_brings_new_tokens_early_and_only_once_for_each(bench: Bench) -> None:
    bench.clock.passed_s = 1
    bench.read("unauthorised")
    assert len(bench.at(1)) == 1
    bench.read("unauthorised")
    assert bench.at(2) == []
    bench.answer(_grant())
    bench.at(3)
    assert bench.access == "access-2"
    bench.read("unauthorised")
    assert bench.at(4) == [], "a site that refuses every token is asked at growing pauses"
    assert len(bench.at(8)) == 1


def test_a_read_with_tokens_that_were_replaced_says_nothing_of_the_new_ones(bench: Bench) -> None:
    before = bench.keeper.get(ID)
    assert before is not None
    bench.at(54)
    bench.answer(_grant())
    bench.at(55)

    bench.keeper.read_ended(ID, before.sealed, "unauthorised")

    assert bench.at(56) == []


def test_read_and_refresh_refused_ends_the_tokens_at_once_and_a_new_connection_goes_on(
    bench: Bench,
) -> None:
    bench.clock.passed_s = 1
    bench.read("unauthorised")
    bench.at(1)
    bench.answer(REFUSED)
    bench.at(2)
    assert bench.last.ended_reason == "refresh_refused"

    bench.clock.passed_s = 3
    bench.keeper.take(bench.connected(generation=2), 3)

    tokens = bench.keeper.get(ID)
    assert tokens is not None
    assert tokens.ended_at is None
    assert bench.news[-1] == ID
    assert bench.at(4) == []


# --------------------------------------------------------------------------------------- owners that change


def test_an_unclear_commit_loses_no_tokens(bench: Bench) -> None:
    bench.at(54)
    bench.answer(_grant())
    written = bench.decide()
    assert len(written) == 1

    bench.close()  # nobody knows whether the commit counts
    bench.open()

    bench.at(55)
    assert bench.access == "access-2"
    assert bench.seal.open(bench.last).access == SecretStr("access-2")


def test_an_unclear_commit_that_did_count_is_not_repeated(bench: Bench) -> None:
    bench.at(54)
    bench.answer(_grant())
    (written,) = bench.decide()
    bench.topic.append(written.tokens)
    bench.close()
    bench.open()
    assert bench.access == "access-2"
    assert bench.at(55) == []


def test_an_answer_that_comes_while_the_partition_is_opened_anew_is_kept(bench: Bench) -> None:
    bench.at(54)
    bench.client.answers.append(_grant())
    coming = asyncio.run(bench.background.calls.popleft()())
    bench.close()
    bench.keeper.ended(coming)
    bench.open()
    bench.at(55)
    assert bench.access == "access-2"


def test_a_new_owner_lets_an_announced_refresh_end_before_its_own(bench: Bench) -> None:
    bench.at(54)
    other = Bench(topic=bench.topic)
    other.clock.passed_s = 54
    other.close()
    other.open()

    assert other.at(88) == [], "lease and call of the former owner"
    assert len(other.at(90)) == 1


def test_a_stop_starts_nothing_and_waits_for_what_is_under_way(bench: Bench) -> None:
    bench.at(54)
    bench.keeper.stop()
    busy = [bench.keeper.busy]
    bench.answer(_grant())
    busy.append(bench.keeper.busy)
    bench.commit(bench.keeper.process(3))
    busy.append(bench.keeper.busy)
    assert busy == [True, True, False]
    assert bench.seal.open(bench.last).access == SecretStr("access-2")
    assert bench.at(120) == []


def test_a_store_that_is_connected_again_during_a_refresh_keeps_its_new_tokens(
    bench: Bench,
) -> None:
    bench.at(54)
    bench.clock.passed_s = 55
    fresh = bench.connected(generation=2)
    bench.keeper.take(fresh, 3)
    bench.answer(_grant())
    assert bench.at(56) == []
    assert bench.keeper.get(ID) == fresh


# ------------------------------------------------------------------------------------- connecting, keys


def test_tokens_of_a_disconnected_store_are_erased_even_if_a_refresh_wrote_them_back(
    bench: Bench,
) -> None:
    bench.stores[ID] = STORE.model_copy(update={"disconnected": True})
    (written,) = bench.at(1)
    assert (written.key, written.tokens) == (f"{ID}:1".encode(), None)
    assert bench.keeper.get(ID) is None
    assert bench.at(2) == []


def test_a_tombstone_takes_the_tokens_of_its_generation(bench: Bench) -> None:
    bench.keeper.erased(f"{ID}:2".encode())
    assert bench.access == "access-1"
    bench.keeper.erased(f"{ID}:1".encode())
    assert bench.access is None


def test_a_paused_store_stays_authorised(bench: Bench) -> None:
    bench.stores[ID] = STORE.model_copy(update={"paused": True})
    assert len(bench.at(54)) == 1


def test_tokens_under_an_older_key_are_sealed_anew() -> None:
    old = Bench(key=OLD_KEY)
    rotated = Bench(topic=old.topic, key=f"{KEY} {OLD_KEY}")
    (written,) = rotated.at(1)
    assert written.tokens is not None
    assert TokenSeal(SecretStr(KEY)).open(written.tokens).access == SecretStr("access-1")
    assert rotated.at(2) == []
    assert len(rotated.at(54)) == 1, "its life did not change"


def test_tokens_that_do_not_open_are_left_alone() -> None:
    stranger = Bench(topic=Bench(key=OLD_KEY).topic, key=KEY)
    assert stranger.access is None
    assert stranger.at(5_000) == []


# ------------------------------------------------------------------------------------------------ telling


def test_days_left_are_told_and_warned_of_once(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "waybill_store_authorisation_left_seconds"
    bench.at(30)
    assert bench.metric(name, store_id=ID) == pytest.approx(10 * 86_400 - 30)
    assert capsys.readouterr().out.count("authorisation_ends") == 1
    bench.at(61)
    assert capsys.readouterr().out.count("authorisation_ends") == 0
    bench.close()
    assert bench.metric(name, store_id=ID) is None


def test_no_token_gets_into_the_log(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.at(54)
    bench.answer(UNCLEAR)
    bench.at(59)
    bench.answer(_grant())
    bench.at(60)
    bench.read("unauthorised")
    bench.at(66)
    bench.answer(REFUSED)
    bench.at(67)
    told = capsys.readouterr()
    assert "tokens_refreshed" in told.out
    for secret in ("access-1", "access-2", "refresh-1", "refresh-2"):
        assert secret not in told.out + told.err
