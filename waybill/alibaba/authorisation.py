"""The pages on which a seller allows the app to act for a store. Pure."""

from typing import Literal
from urllib.parse import urlencode

from waybill.alibaba.settings import AlibabaSettings

Length = Literal["1m", "3m", "6m"]
"""How long the seller allows it: months."""


def authorise_url(
    settings: AlibabaSettings,
    *,
    app_key: str,
    redirect_uri: str,
    state: str,
    length: Length | None = None,
) -> str:
    """Where to send the seller's browser.

    ``redirect_uri`` has to equal the registered one byte for byte; it is called with ``code`` (good
    for 30 minutes, once) and ``state``, which the caller makes unguessable and checks. The seller
    chooses the authorisation length there. ``length`` goes along only if the settings name a
    parameter for it, as none is documented: the page's own choice counts at Alibaba.
    """
    parameters = {
        **settings.authorise_parameters,
        **_length(settings, length),
        "response_type": "code",
        "client_id": app_key,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return _with_query(settings.authorise_url, parameters)


def service_time_url(settings: AlibabaSettings, *, app_key: str) -> str | None:
    """Where the seller chooses the length first, on the older platform; ``None``: no such page."""
    if settings.service_time_url is None:
        return None
    return _with_query(settings.service_time_url, {"appKey": app_key})


def _length(settings: AlibabaSettings, length: Length | None) -> dict[str, str]:
    name = settings.authorise_length_parameter
    if name is None or length is None:
        return {}
    return {name: settings.authorise_length_values.get(length, length)}


def _with_query(url: str, parameters: dict[str, str]) -> str:
    return url + ("&" if "?" in url else "?") + urlencode(parameters)
