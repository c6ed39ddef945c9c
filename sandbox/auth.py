"""Authorisation: ``/auth/token/create`` and ``/auth/token/refresh``, and the page a seller sees.

The page is what Alibaba shows after ``GET /oauth/authorize?response_type=code&client_id=…&
redirect_uri=…&state=…``: which store, and for how long. Its form leads to
``/oauth/authorize/confirm`` with ``seller`` and ``months`` added, which answers with the redirect
to the callback. No parameter is documented by which an application could ask for a length;
``months=3`` here is only the choice the page begins with. A seller who says no comes back with
``error=access_denied`` (RFC 6749; Alibaba does not say what it does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.calls import Call
from sandbox.events import TokensIssued
from sandbox.sellers import Seller
from sandbox.settings import DAY_S
from sandbox.world import World

MONTHS = {"1": 30 * DAY_S, "3": 90 * DAY_S, "6": 180 * DAY_S}
"""Authorisation lengths a seller can choose, in months, and what they last."""


def token_create(world: World, call: Call) -> dict[str, Any]:
    """Tokens for an authorisation code, which works once."""
    now_ms = world.now_ms()
    tokens = world.tokens.exchange(call.required("code"), now_ms)
    world.record(tokens)
    return _answer(world, tokens, now_ms)


def token_refresh(world: World, call: Call) -> dict[str, Any]:
    """New tokens for a refresh token; the old pair ends now, if no option says otherwise."""
    now_ms = world.now_ms()
    refresh_token = call.required("refresh_token")
    tokens = world.tokens.repeated(refresh_token, now_ms)
    if tokens is None:
        tokens = world.tokens.refresh(refresh_token, now_ms)
        world.record(tokens)
    return _answer(world, tokens, now_ms)


def _answer(world: World, tokens: TokensIssued, now_ms: int) -> dict[str, Any]:
    seller = world.sellers[tokens.seller]
    answer = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_in": str(_seconds(tokens.access_ends_ms, now_ms)),
        "refresh_expires_in": str(_seconds(tokens.refresh_ends_ms, now_ms)),
        "account": seller.email,
        "account_id": seller.account_id,
        "account_platform": seller.account_platform,
        "country": seller.country,
        "user_info": {
            "country": seller.country,
            "loginId": seller.login_id,
            "user_id": seller.user_id,
            "seller_id": seller.id,
        },
    }
    return answer | (_extra(tokens, seller) if world.settings.token_answer_extra else {})


def _extra(tokens: TokensIssued, seller: Seller) -> dict[str, Any]:
    """What token answers of Alibaba's other platforms carry besides."""
    return {
        "havana_id": seller.user_id,
        "user_nick": seller.login_id,
        "seller_id": seller.id,
        "expire_time": str(tokens.access_ends_ms),
        "refresh_token_valid_time": str(tokens.refresh_ends_ms),
    }


def _seconds(ends_ms: int, now_ms: int) -> int:
    return max(0, ends_ms - now_ms) // 1000


def dotted_token_create(world: World, call: Call) -> dict[str, Any]:
    """``taobao.top.auth.token.create``: the tokens as JSON in a text, under the older names."""
    return _dotted(token_create(world, call))


def dotted_token_refresh(world: World, call: Call) -> dict[str, Any]:
    """``taobao.top.auth.token.refresh``."""
    return _dotted(token_refresh(world, call))


def _dotted(answer: dict[str, Any]) -> dict[str, Any]:
    lasts_s = int(answer["expires_in"])
    result = {
        "access_token": answer["access_token"],
        "refresh_token": answer["refresh_token"],
        "expires_in": lasts_s,
        "re_expires_in": int(answer["refresh_expires_in"]),
        **{f"{level}_expires_in": lasts_s for level in ("r1", "r2", "w1", "w2")},
        "token_type": "Bearer",
        "taobao_user_id": answer["user_info"]["user_id"],
        "taobao_user_nick": answer["user_info"]["loginId"],
    }
    return {"token_result": orjson.dumps(result).decode()}


class AuthorizePages:
    """The pages of the authorisation flow."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ask(self, request: Request) -> Response:
        """The page that asks the seller."""
        problem = self._problem(request)
        if problem:
            return HTMLResponse(_page(f"<p>{escape(problem)}</p>"), status_code=400)
        return HTMLResponse(_page(_form(request, list(self._world.sellers.values()))))

    async def service_time(self, request: Request) -> Response:
        """The page the older flow begins with: for how long; it leads to the other one."""
        query = request.query_params
        if query.get("appKey") != self._world.app.key:
            return HTMLResponse(_page("<p>appKey is not the app key of this sandbox</p>"), 400)
        fields = {"response_type": "code", "client_id": query["appKey"]}
        registered = self._world.settings.callbacks
        if registered:
            fields["redirect_uri"] = registered[0]
        fields |= {name: value for name, value in query.items() if name not in {"appKey", "months"}}
        form = f"{_hidden(fields.items())}{_lengths(None)}<p><button>Next</button></p>"
        return HTMLResponse(_page(f'<form action="/oauth/authorize" method="get">{form}</form>'))

    async def confirm(self, request: Request) -> Response:
        """Back to the callback, with a code."""
        query = request.query_params
        problem = self._problem(request)
        if query.get("deny") and not problem:
            return _back(query, {"error": "access_denied"})
        if query.get("seller") not in self._world.sellers:
            problem = problem or "seller is not the id of a store of this sandbox"
        if query.get("months") not in MONTHS:
            problem = problem or f"months must be one of {', '.join(MONTHS)}"
        if problem:
            return HTMLResponse(_page(f"<p>{escape(problem)}</p>"), status_code=400)
        code = self._world.tokens.new_code(
            query["seller"], MONTHS[query["months"]], self._world.now_ms()
        )
        self._world.record(code)
        return _back(query, {"code": code.code})

    def _problem(self, request: Request) -> str | None:
        query = request.query_params
        if query.get("client_id") != self._world.app.key:
            return "param-appkey.not.exists: client_id is not the app key of this sandbox"
        if query.get("response_type") != "code":
            return "response_type must be code"
        redirect_uri = query.get("redirect_uri", "")
        callbacks = self._world.settings.callbacks
        if callbacks and redirect_uri not in callbacks:
            return "redirect_uri is not a registered callback"
        if urlsplit(redirect_uri).scheme not in {"http", "https"}:
            return "redirect_uri must be an http or https address"
        return None


def _back(query: Mapping[str, str], extra: dict[str, str]) -> Response:
    """The redirect to the callback, which gets its state back."""
    state = {"state": query["state"]} if "state" in query else {}
    return RedirectResponse(_with_query(query["redirect_uri"], extra | state), status_code=302)


def _with_query(address: str, extra: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True) + list(extra.items())
    return urlunsplit(parts._replace(query=urlencode(query)))


def _form(request: Request, sellers: list[Seller]) -> str:
    query = request.query_params
    chosen = {"seller", "months", "deny"}
    kept = [(name, value) for name, value in query.multi_items() if name not in chosen]
    stores = "".join(
        f'<label><input type="radio" name="seller" value="{seller.id}"'
        f"{' checked' if seller is sellers[0] else ''}> {escape(seller.store)}"
        f" <small>{escape(seller.login_id)}</small></label><br>"
        for seller in sellers
    )
    return (
        f'<form action="/oauth/authorize/confirm" method="get">{_hidden(kept)}'
        f"<fieldset><legend>Store</legend>{stores}</fieldset>{_lengths(query.get('months'))}"
        '<p><button>Authorize</button> <button name="deny" value="1">Cancel</button></p></form>'
    )


def _hidden(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields
    )


def _lengths(first: str | None) -> str:
    options = "".join(
        f'<option value="{months}"{" selected" if months == first else ""}>{months} month(s)</option>'
        for months in MONTHS
    )
    return f'<p><label>Authorization time <select name="months">{options}</select></label></p>'


def _page(content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Sandbox: authorize an application</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;"
        "padding:0 1rem}fieldset{border:1px solid #bbb}</style></head><body>"
        "<h1>Authorize an application</h1>"
        "<p>This is a stand-in for Alibaba.com. No real account is involved.</p>"
        f"{content}</body></html>"
    )
