"""The two steps of connecting, without a network: whose reply counts, and what a failure leaves behind."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from waybill.alibaba import errors
from waybill.alibaba.models import TokenGrant
from waybill.alibaba.settings import AppCredentials
from waybill.cli.errors import CommandError
from waybill.connecting import (
    Authorisation,
    Connected,
    ConnectError,
    ForeignReplyError,
    Pending,
    Wish,
    begin,
    finish,
    flow,
)
from waybill.contracts import Store, StoreTokens
from waybill.settings import SiteSettings
from waybill.tokens import TokenSeal, new_key

NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
SITE = SiteSettings(app=AppCredentials(app_key="123456", app_secret=SecretStr("helloworld")))
SEAL = TokenSeal(SecretStr(new_key()))
CODE = SecretStr("3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26")
CALLBACK = "http://127.0.0.1:8787/callback"


def grant(seller: str | None = "4711", refresh_s: int | None = 5_184_000) -> TokenGrant:
    return TokenGrant(
        access_token=SecretStr("access-5000"),
        expires_in_s=864_000,
        refresh_token=SecretStr("refresh-5001"),
        refresh_expires_in_s=refresh_s,
        seller_id=seller,
        country="cn",
        account="sales@example.com",
        account_platform="seller_center",
        request_id="r1",
    )


@dataclass
class Shelf:
    """A book of stores in memory; `failures` of its first changes fail."""

    stores: dict[str, Store] = field(default_factory=dict)
    tokens: list[StoreTokens] = field(default_factory=list)
    failures: int = 0

    def change(
        self, store_id: str, change: Callable[[Store | None], tuple[Store, StoreTokens | None]]
    ) -> Store:
        store, tokens = change(self.stores.get(store_id))
        if self.failures:
            self.failures -= 1
            raise CommandError("somebody else was faster")
        assert tokens is not None
        self.stores[store_id] = store
        self.tokens.append(tokens)
        return store


@dataclass
class Alibaba:
    """Answers each exchange with the next of these."""

    answers: list[TokenGrant | errors.AlibabaError]
    codes: list[str] = field(default_factory=list)

    async def exchange(self, code: SecretStr) -> TokenGrant:
        self.codes.append(code.get_secret_value())
        answer = self.answers.pop(0)
        if isinstance(answer, errors.AlibabaError):
            raise answer
        return answer


def pending(wish: Wish | None = None) -> Pending:
    wanted = wish or Wish(Authorisation.THREE_MONTHS)
    return begin("sandbox", SITE, wanted, redirect_uri=CALLBACK, now=NOW)


def finished(
    asked: Pending,
    alibaba: Alibaba,
    shelf: Shelf,
    *,
    state: str | None = None,
    code: SecretStr | None = CODE,
    at: datetime = NOW,
) -> Connected:
    given = asked.state.get_secret_value() if state is None else state
    return asyncio.run(
        finish(
            asked,
            code=code,
            state=given,
            exchange=alibaba.exchange,
            book=shelf,
            seal=SEAL,
            now=lambda: at,
        )
    )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "_PAUSE_S", 0.0)


def test_the_link_leads_to_alibabas_page_and_each_state_is_new() -> None:
    links = [parse_qs(urlsplit(pending().url).query) for _ in range(20)]

    assert all(link["client_id"] == ["123456"] for link in links)
    assert all(link["redirect_uri"] == [CALLBACK] for link in links)
    states = {link["state"][0] for link in links}
    assert len(states) == 20
    assert all(len(state) >= 43 for state in states)


def test_what_is_pending_shows_no_state() -> None:
    asked = pending()

    assert asked.state.get_secret_value() in asked.url
    assert asked.state.get_secret_value() not in repr(asked) + str(asked)


def test_tokens_are_sealed_with_their_lives_and_the_chosen_length() -> None:
    shelf = Shelf()

    done = finished(pending(), Alibaba([grant()]), shelf)

    assert (done.store.store_id, done.again) == ("sandbox-4711", False)
    assert shelf.tokens == [done.tokens]
    assert done.tokens.expires_at == NOW + timedelta(days=10)
    assert done.tokens.refresh_expires_at == NOW + timedelta(days=60)
    assert done.tokens.authorised_until == datetime(2027, 2, 28, 15, tzinfo=UTC)
    assert done.tokens.authorisation == "3m"
    opened = SEAL.open(done.tokens)
    assert opened.access.get_secret_value() == "access-5000"
    for secret in ("access-5000", "refresh-5001", CODE.get_secret_value(), "sales@example.com"):
        assert secret not in repr(done)


def test_a_refresh_token_of_no_use_ends_at_once() -> None:
    done = finished(pending(), Alibaba([grant(refresh_s=0)]), Shelf())

    assert done.tokens.refresh_expires_at == NOW


@pytest.mark.parametrize("state", ["", "forged", "é", "x" * 43])
def test_a_foreign_reply_changes_nothing_and_the_own_one_still_counts(state: str) -> None:
    asked, alibaba, shelf = pending(), Alibaba([grant()]), Shelf()

    with pytest.raises(ForeignReplyError):
        finished(asked, alibaba, shelf, state=state)

    assert (alibaba.codes, shelf.stores) == ([], {})
    assert finished(asked, alibaba, shelf).store.store_id == "sandbox-4711"


def test_a_reply_counts_once() -> None:
    asked, alibaba, shelf = pending(), Alibaba([grant(), grant()]), Shelf()
    finished(asked, alibaba, shelf)

    with pytest.raises(ForeignReplyError, match="answered already"):
        finished(asked, alibaba, shelf)
    assert len(alibaba.codes) == 1


def test_after_half_an_hour_the_link_is_over() -> None:
    alibaba = Alibaba([grant()])

    with pytest.raises(ConnectError, match="older than 30 minutes"):
        finished(pending(), alibaba, Shelf(), at=NOW + timedelta(minutes=30, seconds=1))
    assert alibaba.codes == []


def test_the_account_of_another_seller_is_refused_before_anything_is_written() -> None:
    shelf = Shelf()
    mine = finished(pending(), Alibaba([grant()]), shelf).store
    again = pending(Wish(Authorisation.ONE_MONTH, store=mine))

    with pytest.raises(ConnectError, match=r"belongs to seller 4711.* seller 4712: sign in"):
        finished(again, Alibaba([grant("4712")]), shelf)
    assert (len(shelf.tokens), shelf.stores[mine.store_id]) == (1, mine)


def test_without_a_seller_nothing_is_connected() -> None:
    shelf = Shelf()

    with pytest.raises(ConnectError, match="whose account"):
        finished(pending(), Alibaba([grant(None)]), shelf)
    assert shelf.stores == {}


def test_the_same_seller_is_connected_again_whether_or_not_the_store_is_named() -> None:
    shelf = Shelf()
    first = finished(
        pending(Wish(Authorisation.ONE_MONTH, name="Lumen")), Alibaba([grant()]), shelf
    )

    second = finished(pending(), Alibaba([grant()]), shelf)
    third = finished(
        pending(Wish(Authorisation.SIX_MONTHS, store=second.store)), Alibaba([grant()]), shelf
    )

    assert [one.tokens.generation for one in (first, second, third)] == [1, 2, 3]
    assert {one.store.name for one in (first, second, third)} == {"Lumen"}
    assert third.again


def test_a_code_that_surely_did_not_arrive_is_sent_again() -> None:
    away = errors.NotSent("no connection", operation="create_token")
    alibaba = Alibaba([away, away, grant()])

    assert finished(pending(), alibaba, Shelf()).store.revision == 1
    assert len(alibaba.codes) == 3
    with pytest.raises(ConnectError, match="cannot be reached"):
        finished(pending(), Alibaba([away, away, away]), Shelf())


@pytest.mark.parametrize("kind", [errors.Unauthorised, errors.OutcomeUnknown, errors.Misconfigured])
def test_a_code_that_may_be_used_up_is_not_sent_again(kind: type[errors.AlibabaError]) -> None:
    alibaba = Alibaba([kind("no", operation="create_token"), grant()])

    with pytest.raises(ConnectError, match="begin again") as caught:
        finished(pending(), alibaba, Shelf())
    assert len(alibaba.codes) == 1
    assert CODE.get_secret_value() not in str(caught.value)


def test_tokens_are_not_lost_when_somebody_changes_the_store_meanwhile() -> None:
    shelf = Shelf(failures=2)

    done = finished(pending(), Alibaba([grant()]), shelf)

    assert shelf.tokens == [done.tokens]
    with pytest.raises(CommandError, match="somebody else"):
        finished(pending(), Alibaba([grant()]), Shelf(failures=3))
