"""A store authorises the application; codes and tokens work as long as they should."""

import re
import signal
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.integration.sandbox.client import Api
from tests.integration.sandbox.conftest import Process, Start
from tests.waiting import wait_until

LIST = "/alibaba/order/list"
CREATE = "/auth/token/create"
REFRESH = "/auth/token/refresh"


def code_for(api: Api, **fields: Any) -> str:
    return str(api.admin("POST", "/codes", {"seller": api.stores[0].id, **fields})["code"])


def works(api: Api, token: str) -> bool:
    answer = api.post(LIST, access_token=token, role="seller").json()
    assert answer["code"] in {"0", "IllegalAccessToken"}
    return bool(answer["code"] == "0")


def test_the_authorize_page_leads_to_a_code_and_the_code_to_tokens(api: Api) -> None:
    query = {
        "response_type": "code",
        "client_id": api.key,
        "redirect_uri": "http://127.0.0.1:9/callback?from=shop",
        "state": "a&b=c d",
    }
    page = api.http.get("/oauth/authorize", params=query)
    assert page.status_code == 200
    assert set(re.findall(r'name="seller" value="(\d+)"', page.text)) == {s.id for s in api.stores}
    chosen = {"seller": api.stores[1].id, "months": "3"}
    answer = api.http.get("/oauth/authorize/confirm", params={**query, **chosen})
    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    returned = parse_qs(target.query)
    assert (target.netloc, target.path) == ("127.0.0.1:9", "/callback")
    assert returned["from"] == ["shop"]
    assert returned["state"] == ["a&b=c d"]
    tokens = api.post(CREATE, code=returned["code"][0]).json()
    assert tokens["code"] == "0"
    assert tokens["account_id"] == api.stores[1].account
    assert tokens["user_info"]["seller_id"] == api.stores[1].id
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == ("864000", "5184000")
    assert works(api, tokens["access_token"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"client_id": "1"}, "param-appkey.not.exists"),
        ({"response_type": "token"}, "response_type"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri"),
    ],
)
def test_the_authorize_page_names_what_is_wrong(
    api: Api, change: dict[str, str], problem: str
) -> None:
    query = {"response_type": "code", "client_id": api.key, "redirect_uri": "http://x/"} | change
    for page in ("/oauth/authorize", "/oauth/authorize/confirm"):
        answer = api.http.get(page, params={**query, "seller": api.stores[0].id, "months": "1"})
        assert answer.status_code == 400
        assert problem in answer.text


def test_the_authorize_page_escapes_what_it_repeats(api: Api) -> None:
    query = {"response_type": "code", "client_id": api.key, "redirect_uri": "http://x/"}
    page = api.http.get("/oauth/authorize", params={**query, "state": '"><script>'})
    assert "<script>" not in page.text
    assert "&quot;&gt;&lt;script&gt;" in page.text


def test_only_a_registered_callback_is_accepted_if_there_are_any(start: Start) -> None:
    api = start(orders_per_store=1, callbacks=("http://shop/callback",))
    query = {"response_type": "code", "client_id": api.key}
    for address, status in (("http://shop/callback", 200), ("http://shop/callback/", 400)):
        answer = api.http.get("/oauth/authorize", params={**query, "redirect_uri": address})
        assert answer.status_code == status


def test_a_code_works_once(api: Api) -> None:
    code = code_for(api)
    assert api.post(CREATE, code=code).json()["code"] == "0"
    assert api.post(CREATE, code=code).json()["code"] == "InvalidCode"
    assert api.post(CREATE, code="made up").json()["code"] == "InvalidCode"


def test_a_code_ends(start: Start) -> None:
    api = start(orders_per_store=1, code_s=1)
    codes = [code_for(api) for _ in range(50)]  # one for each try: a try uses its code up
    assert api.post(CREATE, code=codes.pop()).json()["code"] == "0"
    wait_until(
        lambda: api.post(CREATE, code=codes.pop()).json()["code"] == "InvalidCode", every_s=0.2
    )


def test_a_refresh_ends_the_old_tokens(api: Api) -> None:
    first = api.post(CREATE, code=code_for(api)).json()
    second = api.post(REFRESH, refresh_token=first["refresh_token"]).json()
    assert second["code"] == "0"
    assert works(api, second["access_token"])
    assert not works(api, first["access_token"])
    again = api.post(REFRESH, refresh_token=first["refresh_token"]).json()
    assert again["code"] == "IllegalRefreshToken"


def test_an_access_token_ends_and_a_refresh_helps(start: Start) -> None:
    api = start(orders_per_store=1, access_token_s=1)
    old = api.stores[0]
    wait_until(lambda: not works(api, old.token))
    new = api.post(REFRESH, refresh_token=old.refresh_token).json()
    assert new["expires_in"] == "1"
    assert works(api, new["access_token"])


def test_nothing_goes_past_the_authorisation_the_store_chose(start: Start) -> None:
    api = start(orders_per_store=1, access_token_s=3600, refresh_token_s=7200)
    tokens = api.post(CREATE, code=code_for(api, authorisation_s=5000)).json()
    assert tokens["expires_in"] == "3600"
    assert 4990 <= int(tokens["refresh_expires_in"]) <= 5000
    tokens = api.post(REFRESH, refresh_token=tokens["refresh_token"]).json()
    assert tokens["expires_in"] == "3600"
    short = api.post(CREATE, code=code_for(api, authorisation_s=600)).json()
    assert 590 <= int(short["expires_in"]) <= 600
    assert short["refresh_expires_in"] == "0"
    refused = api.post(REFRESH, refresh_token=short["refresh_token"]).json()
    assert refused["code"] == "IllegalRefreshToken"


def test_an_operator_can_end_tokens(api: Api) -> None:
    store = api.stores[0]
    api.admin("POST", f"/sellers/{store.id}/end-tokens", {"access": True})
    assert not works(api, store.token)
    assert works(api, api.stores[1].token)
    renewed = api.post(REFRESH, refresh_token=store.refresh_token).json()
    assert works(api, renewed["access_token"])
    api.admin("POST", f"/sellers/{store.id}/end-tokens", {"access": False, "refresh": True})
    assert works(api, renewed["access_token"])
    refused = api.post(REFRESH, refresh_token=renewed["refresh_token"]).json()
    assert refused["code"] == "IllegalRefreshToken"


def test_a_store_may_have_no_account_id_but_always_a_seller_id(start: Start) -> None:
    api = start(orders_per_store=1, stores=3)
    refresh = api.stores[2].refresh_token
    tokens = api.post(REFRESH, refresh_token=refresh).json()
    assert tokens["account_id"] is None
    assert tokens["user_info"]["seller_id"] == api.stores[2].id


def test_the_admin_api_shows_the_newest_tokens(api: Api) -> None:
    tokens = api.post(CREATE, code=code_for(api)).json()
    api.reload()
    assert api.stores[0].token == tokens["access_token"]
    assert api.stores[0].refresh_token == tokens["refresh_token"]


def test_the_page_begins_with_the_length_that_is_asked_for(api: Api) -> None:
    query = {"response_type": "code", "client_id": api.key, "redirect_uri": "http://x/"}
    page = api.http.get("/oauth/authorize", params={**query, "months": "3"}).text
    assert re.findall(r'value="(\d)" selected', page) == ["3"]
    assert 'type="hidden" name="months"' not in page
    assert " selected" not in api.http.get("/oauth/authorize", params=query).text


def test_a_seller_may_say_no(api: Api) -> None:
    query = {"response_type": "code", "client_id": api.key, "redirect_uri": "http://x/back"}
    answer = api.http.get("/oauth/authorize/confirm", params={**query, "state": "s", "deny": "1"})
    assert answer.status_code == 302
    assert answer.headers["location"] == "http://x/back?error=access_denied&state=s"
    assert api.journal("code_issued") == []


def test_the_older_flow_begins_with_the_length(api: Api) -> None:
    start = "/ecology/service.htm"
    asked = {"appKey": api.key, "redirect_uri": "http://x/", "state": "a&b"}
    page = api.http.get(start, params=asked)
    assert page.status_code == 200
    assert re.findall(r'value="(\d)"', page.text) == ["1", "3", "6"]
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    assert fields["client_id"] == api.key
    assert api.http.get(start, params={"appKey": "1"}).status_code == 400
    form = {name: unescape(value) for name, value in fields.items()}
    page = api.http.get("/oauth/authorize", params={**form, "months": "6"})
    assert re.findall(r'value="(\d)" selected', page.text) == ["6"]
    assert "a&amp;b" in page.text


def test_lifetimes_change_while_the_sandbox_runs(api: Api) -> None:
    api.admin("PATCH", "/settings", {"access_token_s": 1, "refresh_token_s": 3600})
    tokens = api.post(CREATE, code=code_for(api, months="1")).json()
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == ("1", "3600")
    wait_until(lambda: not works(api, tokens["access_token"]))
    assert works(api, api.stores[0].token)  # issued before


def test_tokens_end_soon_and_the_whole_authorisation_with_them(api: Api) -> None:
    store = api.stores[0]
    end = {"access": False, "authorisation": True, "after_s": 3}
    api.admin("POST", f"/sellers/{store.id}/end-tokens", end)
    tokens = api.post(REFRESH, refresh_token=store.refresh_token).json()
    assert int(tokens["expires_in"]) <= 3
    assert tokens["refresh_expires_in"] == "0"
    wait_until(lambda: not works(api, tokens["access_token"]))
    refused = api.post(REFRESH, refresh_token=tokens["refresh_token"]).json()
    assert refused["code"] == "IllegalRefreshToken"
    assert works(api, api.stores[1].token)


def test_a_refresh_without_an_answer_can_be_repeated_if_there_is_grace(start: Start) -> None:
    api = start(orders_per_store=1, refresh_grace_s=60, old_access_token_s=60)
    store = api.stores[0]
    api.fault("cut_after", path=REFRESH, times=1)
    with pytest.raises(httpx.TransportError):
        api.post(REFRESH, refresh_token=store.refresh_token)
    assert works(api, store.token)
    first = api.post(REFRESH, refresh_token=store.refresh_token).json()
    second = api.post(REFRESH, refresh_token=store.refresh_token).json()
    assert first["access_token"] == second["access_token"]
    assert works(api, first["access_token"])
    assert len(api.journal("tokens_issued")) == 3  # two to begin with, and one refresh


def test_token_answers_may_carry_the_fields_of_the_family(start: Start) -> None:
    api = start(orders_per_store=1, token_answer_extra=True)
    tokens = api.post(CREATE, code=code_for(api)).json()
    assert tokens["seller_id"] == api.stores[0].id
    assert int(tokens["expire_time"]) > 1_600_000_000_000
    assert int(tokens["refresh_token_valid_time"]) > int(tokens["expire_time"])


def test_what_was_issued_and_ended_survives_a_kill(
    spawn: Callable[..., Process], connect: Callable[[str], Api]
) -> None:
    process = spawn("--orders-per-store", "1", "--refresh-grace-s", "600")
    api = connect(process.ready()["url"])
    first = api.stores[0].refresh_token
    tokens = api.post(REFRESH, refresh_token=first).json()
    end = {"access": True, "authorisation": True, "after_s": 600}
    api.admin("POST", f"/sellers/{api.stores[1].id}/end-tokens", end)
    ends_ms = api.admin("GET", "/sellers")["sellers"][1]["authorisation_ends_ms"]
    process.end(signal.SIGKILL)
    again = connect(spawn("--orders-per-store", "1").ready()["url"])
    assert works(again, tokens["access_token"])
    repeated = again.post(REFRESH, refresh_token=first).json()
    assert repeated["access_token"] == tokens["access_token"]
    sellers = again.admin("GET", "/sellers")["sellers"]
    assert sellers[1]["authorisation_ends_ms"] == ends_ms
