"""Everything about Alibaba's API that could turn out to be different: hosts, paths, limits, codes.

There is no account to try the API with, so nothing here is hard-coded elsewhere. Defaults follow
the public documentation of the "GOP" open platform (openapi.alibaba.com), and ``gateway`` changes
some of them; where the documentation is silent or contradicts itself, the field says which reading
is the default.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    SecretStr,
    model_validator,
)

from waybill.alibaba.gateways import Gateway, defaults


def _without_slash(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
        raise ValueError("must be https://host/… (or http:// for a sandbox)")
    return url.rstrip("/")


def _api_name(name: str) -> str:
    if not re.fullmatch(r"(/[\w.-]+)+|[\w-]+(\.[\w-]+)+", name, re.ASCII):
        raise ValueError("must be a path such as /alibaba/order/get or a dotted method name")
    return name


BaseUrl = Annotated[str, AfterValidator(_without_slash)]
"""A URL that is extended by appending; kept without its last slash."""

ApiName = Annotated[str, AfterValidator(_api_name)]
"""An operation's address: ``/a/path`` goes to ``api_url``, ``a.dotted.method`` to ``sync_url``, or
to ``top_url`` where that is the gateway."""

ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")]


class _Frozen(BaseModel):
    # The docstrings of the fields are their descriptions: the page of the settings shows them.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AppCredentials(_Frozen):
    """The key and secret of the application as registered with Alibaba's open platform."""

    app_key: str = Field(min_length=1, max_length=128)
    app_secret: SecretStr = Field(min_length=1)


class AnswerCodes(_Frozen):
    """What Alibaba's codes mean. A code in no list is *unknown*: after a write that is "in doubt".

    ``top_*`` lists hold the numbers of the older TOP gateway and are compared only inside its
    ``error_response``. Sources: the gateways' error tables and, for ``rejected``, the error list of
    the shipping call (402 bad request, 403 not the owner's account, 404 no such order).
    """

    throttled: frozenset[str] = frozenset(
        {"ApiCallLimit", "AppCallLimit", "SellerCallLimit", "901"}
    )
    """Too many calls."""
    throttled_prefixes: tuple[str, ...] = ("isp.call-limited", "accesscontrol.limited-by-")
    """The same, by how a code begins."""
    throttled_for_all: frozenset[str] = frozenset(
        {"AppCallLimit", "accesscontrol.limited-by-app-access-count"}
    )
    """Those of them that stop every store of the app, not just the caller's."""
    unauthorised: frozenset[str] = frozenset({"IllegalAccessToken", "InvalidAccessToken"})
    """The access token is not accepted."""
    misconfigured: frozenset[str] = frozenset(
        {
            "IncompleteSignature",
            "InvalidAppKey",
            "InsufficientPermission",
            "InvalidApiPath",
            "AppWhiteIpLimit",
        }
    )
    """App, key, signature, permission or address at fault."""
    parameters: frozenset[str] = frozenset({"MissingParameter", "InvalidParameter"})
    """A parameter is refused, by the gateway or by the API behind it: no proof of "not done"."""
    transient: frozenset[str] = frozenset({"ServiceTimeout", "500"})
    """A fault behind the gateway, whoever is blamed for it: repeat what may be repeated."""
    rejected: frozenset[str] = frozenset({"402", "403", "404"})
    """The only codes that end a shipment for good: add only a code seen to mean "not done"."""
    needs_lookup: frozenset[str] = frozenset()
    """Codes that speak of the order's state ("already shipped"); none is documented."""
    top_throttled: frozenset[str] = frozenset({"4", "5", "6", "7", "8"})
    """Too many calls."""
    top_throttled_for_all: frozenset[str] = frozenset({"7"})
    """Those of them that stop every store of the app, unless a sub-code says whose limit it is."""
    top_unauthorised: frozenset[str] = frozenset({"26", "27"})
    """The session is missing or not accepted."""
    top_after_platform_checks: frozenset[str] = frozenset({"10", "15", "40", "41"})
    """TOP codes below 100 are checks made before the called API runs, except these."""
    top_transient: frozenset[str] = frozenset({"10"})
    """A fault behind the gateway."""
    top_envelopes: frozenset[str] = frozenset({"15", "40", "41"})
    """Those of the exceptions that say nothing by themselves: their sub-code decides."""


class RateLimitSettings(_Frozen):
    """How fast one store may be called, until Alibaba says otherwise.

    Limits per second are not documented; one seller's console showed a million calls a day, 11.6 a
    second. The rate starts below that and adapts. Several processes share a store's quota without
    talking to each other: that is what the adaptation is for.
    """

    start_per_s: PositiveFloat = 10.0
    """Calls per second to begin with."""
    min_per_s: PositiveFloat = 0.2
    """It never gets slower than this."""
    max_per_s: PositiveFloat = 100.0
    """Nor faster than this."""
    increase_per_s: PositiveFloat = 0.5
    """Added per second of full use."""
    decrease_factor: float = Field(default=0.5, gt=0, lt=1)
    """The rate is multiplied by this when Alibaba throttles, once per burst of refusals."""
    burst_s: PositiveFloat = 0.5
    """Unused permits are kept for this long; at least one is always kept."""
    pause_s: PositiveFloat = 1.0
    """Pause after a throttled answer that names no time."""
    pause_max_s: PositiveFloat = 3600.0
    """A longer ban is tried again after this time: a refused call costs less than a lost day."""
    wait_max_s: PositiveFloat = 60.0
    """A longer ban is not waited for inside a call: the work is given back until it is over."""


class AlibabaSettings(_Frozen):
    """Hosts, paths, limits and timeouts of the API client; every one can be set."""

    gateway: Gateway = "gop"
    """Which door to the API; see ``gateways``. It changes defaults only."""
    authorise_url: BaseUrl = "https://openapi-auth.alibaba.com/oauth/authorize"
    """The page on which a seller allows the app."""
    authorise_parameters: dict[str, str] = {"force_auth": "true"}
    """Sent along to the authorise page."""
    authorise_length_parameter: ParameterName | None = None
    """Carries the chosen authorisation length to that page, should one turn out to be known: no
    such parameter is documented."""
    authorise_length_values: dict[Literal["1m", "3m", "6m"], str] = {
        "1m": "1",
        "3m": "3",
        "6m": "6",
    }
    """Its values."""
    service_time_url: BaseUrl | None = None
    """Where the older platform lets the seller choose the length before authorising."""
    api_url: BaseUrl = "https://openapi-api.alibaba.com/rest"
    """Where paths go."""
    token_url: BaseUrl = "https://openapi-api.alibaba.com/rest"  # noqa: S105 - an address
    """Documentation and public clients disagree between this host and openapi-auth.alibaba.com."""
    sync_url: BaseUrl = "https://openapi-api.alibaba.com/sync"
    """Where dotted methods go; the shape of its answers is that of the TOP gateway."""
    sync_token_parameter: Literal["access_token", "session"] = "access_token"  # noqa: S105 - a name
    """Name of the access token there; the vendor's SDK says ``session``."""
    top_url: BaseUrl = "https://eco.taobao.com/router/rest"
    """Where dotted methods go if the gateway is ``top``; its SDK's own default is
    gw.api.taobao.com."""
    top_sign_method: Literal["md5", "hmac", "hmac-sha256"] = "md5"
    """All three are documented; a test vector is published for the first."""
    timestamp_format: Literal["epoch_ms", "text_utc", "text_gmt8"] = "epoch_ms"
    """Milliseconds, or ``yyyy-MM-dd HH:mm:ss`` of a zone: one source gives UTC, another GMT+8."""
    simplify: bool = True
    """Ask dotted methods for plain arrays; without it, each comes in one object more. Both are
    read."""
    extra_parameters: dict[ParameterName, str] = {}
    """Sent and signed with every call, such as ``partner_id`` or ``format``."""
    extra_headers: dict[HeaderName, HeaderValue] = {}
    """Sent with every call, such as ``X-Protocol: GOP``, which some clients send."""

    order_list: ApiName = "/alibaba/order/list"
    """A page of orders. One catalogue files its path under the calls for buyers."""
    order_list_wrapper: ParameterName | None = None
    """One parameter that holds all the others of the list, as JSON; none: they stand by
    themselves."""
    order_list_parameters: dict[ParameterName, str] = {}
    """Sent along to the list, such as ``sales_man_login_id``."""
    order_get: ApiName = "/alibaba/order/get"
    """An order in full."""
    order_id_parameter: ParameterName = "e_trade_id"
    """Name of the order's number in calls for an order and for its payments."""
    payments: ApiName = "/alibaba/order/fund/query"
    """An order's payments."""
    logistics: ApiName = "/order/logistics/query"
    """An order's shipments."""
    logistics_id_parameter: ParameterName = "trade_id"
    """Name of the order's number there: it is not the same everywhere."""
    attachment_upload: ApiName = "/alibaba/order/attachment/upload"
    """Uploads a proof. The path it answers is said to be good for the declaration."""
    attachment_file_parameter: ParameterName = "data"
    """The part that holds the file."""
    attachment_name_parameter: ParameterName = "file_name"
    """The parameter that names it."""
    attachment_wrapper: ParameterName | None = None
    """One parameter that holds the name, as JSON. Its inner fields are not public."""
    shipment_declare: ApiName = "/alibaba/v2/order/shipping"
    """Declares the shipment of an order."""
    shipment_parameter: ParameterName = "shipping_request"
    """The parameter that holds the declaration, as JSON."""
    channels: ApiName = "alibaba.seller.order.shipping.channels"
    """No path is documented for it, only the dotted method."""
    token_create: ApiName = "/auth/token/create"  # noqa: S105 - a path
    """Tokens for an authorisation code."""
    token_refresh: ApiName = "/auth/token/refresh"  # noqa: S105 - a path
    """New tokens for a refresh token."""

    order_data_select: str = "statusAction,draft_role,snapshot_product"
    """Parts of an order that are asked for."""
    payments_data_select: str = "fund_transaction_fee"
    """Parts of the payments."""
    logistics_data_select: str = "logistic_order"
    """Parts of the logistics: without it, shipments may be left out."""
    channels_parameters: dict[str, str] = {"param_channel_request": "{}"}
    """The parameter is documented by name, its content is not."""
    language: str = "en_US"
    """Of texts in an order."""
    role: Literal["seller", "buyer"] = "seller"
    """Called required and defaulted to ``buyer`` in the same table, so it is always sent."""
    page_size: int = Field(default=50, ge=1, le=100)
    """Orders per page: 100 is documented, 50 is what a public client found to work."""
    window_format: Literal["date_timestamp", "time", "date_str"] = "date_timestamp"
    """Epoch milliseconds under one of two names, or Pacific text, in which one hour a year occurs
    twice."""

    call_s: PositiveFloat = 30.0
    """Total time of a call, from its start to the last byte of the answer. Not a time between
    bytes: a server that drips would hold a shipment for ever."""
    acquire_s: PositiveFloat = 5.0
    """Time to get a connection, by waiting and connecting together. No byte has left yet."""
    connect_s: PositiveFloat = 4.0
    """Time to connect a socket, with TLS; under the 5 s in which a leased call has to start."""
    keepalive_s: PositiveFloat = 5.0
    """An idle connection is dropped after this. Short, because a request on a connection that the
    other side is just closing ends as "outcome unknown", which costs a look-up of many minutes."""
    connections_max: int = Field(default=64, ge=1, le=10_000)
    """Open connections; set it to the number of calls in flight."""
    response_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1024)
    """A longer answer is not read to its end: a full order page is well under 1 MiB."""
    upload_bytes_max: int = Field(default=5_000_000, ge=1)
    """"5 MB" may mean 5,000,000 or 5,242,880: the smaller reading is safe."""
    upload_extensions: tuple[str, ...] = ("jpg", "png", "pdf", "doc")
    """``jpeg`` is not in the documented list."""

    proxy_url: SecretStr | None = None
    """HTTP proxy for all calls, for a fixed egress address (Alibaba allow-lists addresses). May
    hold a password. It must not repeat requests. Proxy variables of the environment are not
    read."""
    ca_file: Path | None = None
    """Certificate authorities to trust instead of the usual ones, for a proxy that inspects TLS."""

    codes: AnswerCodes = AnswerCodes()
    """What Alibaba's error codes mean."""
    rate_limit: RateLimitSettings = RateLimitSettings()
    """How fast a store may be called."""

    @model_validator(mode="before")
    @classmethod
    def _of_gateway(cls, given: Any) -> Any:
        """Another gateway has other defaults; what is set by itself stands."""
        if isinstance(given, Mapping):
            return {**defaults(given.get("gateway")), **given}
        return given
