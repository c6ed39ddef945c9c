"""Everything about Alibaba's API that could turn out to be different: hosts, paths, limits, codes.

There is no account to try the API with, so nothing here is hard-coded elsewhere. Defaults follow
the public documentation of the "GOP" open platform (openapi.alibaba.com); where it is silent or
contradicts itself, the field says which reading is the default.
"""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, SecretStr


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
"""An operation's address: ``/a/path`` goes to ``api_url``, ``a.dotted.method`` to ``sync_url``."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AppCredentials(_Frozen):
    """The key and secret of the application as registered with Alibaba's open platform."""

    app_key: str = Field(min_length=1, max_length=128)
    app_secret: SecretStr = Field(min_length=1)


class AnswerCodes(_Frozen):
    """What Alibaba's codes mean. A code in no list is *unknown*: after a write that is "in doubt".

    ``top_*`` lists hold the numbers of the older TOP gateway and are compared only inside its
    ``error_response``. Sources: the gateway's error tables and, for ``rejected``, the error list of
    the shipping call (402 bad request, 403 not the owner's account, 404 no such order).
    """

    throttled: frozenset[str] = frozenset(
        {"ApiCallLimit", "AppCallLimit", "SellerCallLimit", "901"}
    )
    throttled_prefixes: tuple[str, ...] = ("isp.call-limited", "accesscontrol.limited-by-")
    unauthorised: frozenset[str] = frozenset({"IllegalAccessToken", "InvalidAccessToken"})
    misconfigured: frozenset[str] = frozenset(
        {
            "IncompleteSignature",
            "InvalidAppKey",
            "InsufficientPermission",
            "InvalidApiPath",
            "AppWhiteIpLimit",
        }
    )
    rejected: frozenset[str] = frozenset({"402", "403", "404"})
    """The only codes that end a shipment for good: add only a code seen to mean "not done"."""
    top_throttled: frozenset[str] = frozenset({"4", "5", "6", "7", "8"})
    top_unauthorised: frozenset[str] = frozenset({"26", "27"})
    top_after_platform_checks: frozenset[str] = frozenset({"10", "15", "40", "41"})
    """TOP codes below 100 are checks made before the called API runs, except these."""


class RateLimitSettings(_Frozen):
    """How fast one store may be called, until Alibaba says otherwise.

    Limits per second are not documented; one seller's console showed a million calls a day, 11.6 a
    second. The rate starts below that and adapts. Several processes share a store's quota without
    talking to each other: that is what the adaptation is for.
    """

    start_per_s: PositiveFloat = 10.0
    min_per_s: PositiveFloat = 0.2
    max_per_s: PositiveFloat = 100.0
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


class AlibabaSettings(_Frozen):
    """Hosts, paths, limits and timeouts of the API client; every one can be set."""

    authorise_url: BaseUrl = "https://openapi-auth.alibaba.com/oauth/authorize"
    authorise_parameters: dict[str, str] = {"force_auth": "true"}
    """Sent along to the authorise page. No parameter for the authorisation length is documented."""
    api_url: BaseUrl = "https://openapi-api.alibaba.com/rest"
    token_url: BaseUrl = "https://openapi-api.alibaba.com/rest"  # noqa: S105 - an address
    """Documentation and public clients disagree between this host and openapi-auth.alibaba.com."""
    sync_url: BaseUrl = "https://openapi-api.alibaba.com/sync"
    """Where dotted methods go; the shape of its answers is that of the TOP gateway."""
    sync_token_parameter: Literal["access_token", "session"] = "access_token"  # noqa: S105 - a name

    order_list: ApiName = "/alibaba/order/list"
    order_get: ApiName = "/alibaba/order/get"
    payments: ApiName = "/alibaba/order/fund/query"
    logistics: ApiName = "/order/logistics/query"
    attachment_upload: ApiName = "/alibaba/order/attachment/upload"
    shipment_declare: ApiName = "/alibaba/v2/order/shipping"
    channels: ApiName = "alibaba.seller.order.shipping.channels"
    """No path is documented for it, only the dotted method."""
    token_create: ApiName = "/auth/token/create"  # noqa: S105 - a path
    token_refresh: ApiName = "/auth/token/refresh"  # noqa: S105 - a path

    order_data_select: str = "statusAction,draft_role,snapshot_product"
    payments_data_select: str = "fund_transaction_fee"
    logistics_data_select: str = "logistic_order"
    channels_parameters: dict[str, str] = {"param_channel_request": "{}"}
    """The parameter is documented by name, its content is not."""
    language: str = "en_US"
    role: Literal["seller", "buyer"] = "seller"
    """Called required and defaulted to ``buyer`` in the same table, so it is always sent."""
    page_size: int = Field(default=50, ge=1, le=100)
    """Orders per page: 100 is documented, 50 is what a public client found to work."""
    window_format: Literal["date_timestamp", "date_str"] = "date_timestamp"
    """Epoch milliseconds, or Pacific text, in which one hour a year occurs twice."""

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
    rate_limit: RateLimitSettings = RateLimitSettings()
