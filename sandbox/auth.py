"""Authorisation: ``/auth/token/create`` and ``/auth/token/refresh``, and the page a seller sees.

The page is what Alibaba shows after ``GET /oauth/authorize?response_type=code&client_id=…&
redirect_uri=…&state=…``: which store, and for how long. Its form leads to
``/oauth/authorize/confirm`` with ``seller`` and ``months`` added, which answers with the redirect
to the callback.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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
    tokens = world.tokens.exchange(call.required("code"), world.now_ms())
    world.record(tokens)
    return _answer(world, tokens)


def token_refresh(world: World, call: Call) -> dict[str, Any]:
    """New tokens for a refresh token; the old pair ends now."""
    tokens = world.tokens.refresh(call.required("refresh_token"), world.now_ms())
    world.record(tokens)
    return _answer(world, tokens)


def _answer(world: World, tokens: TokensIssued) -> dict[str, Any]:
    seller = world.sellers[tokens.seller]
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_in": str((tokens.access_ends_ms - tokens.at_ms) // 1000),
        "refresh_expires_in": str((tokens.refresh_ends_ms - tokens.at_ms) // 1000),
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


class AuthorizePages:
    """The two pages of the authorisation flow."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def ask(self, request: Request) -> Response:
        """The page that asks the seller."""
        problem = self._problem(request)
        if problem:
            return HTMLResponse(_page(f"<p>{escape(problem)}</p>"), status_code=400)
        return HTMLResponse(_page(_form(request, list(self._world.sellers.values()))))

    async def confirm(self, request: Request) -> Response:
        """Back to the callback, with a code."""
        query = request.query_params
        problem = self._problem(request)
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
        extra = {"code": code.code} | ({"state": query["state"]} if "state" in query else {})
        return RedirectResponse(_with_query(query["redirect_uri"], extra), status_code=302)

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


def _with_query(address: str, extra: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True) + list(extra.items())
    return urlunsplit(parts._replace(query=urlencode(query)))


def _form(request: Request, sellers: list[Seller]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in request.query_params.multi_items()
    )
    stores = "".join(
        f'<label><input type="radio" name="seller" value="{seller.id}"'
        f"{' checked' if seller is sellers[0] else ''}> {escape(seller.store)}"
        f" <small>{escape(seller.login_id)}</small></label><br>"
        for seller in sellers
    )
    months = "".join(f'<option value="{months}">{months} month(s)</option>' for months in MONTHS)
    return (
        f'<form action="/oauth/authorize/confirm" method="get">{hidden}'
        f"<fieldset><legend>Store</legend>{stores}</fieldset>"
        f'<p><label>Authorization time <select name="months">{months}</select></label></p>'
        "<p><button>Authorize</button></p></form>"
    )


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
