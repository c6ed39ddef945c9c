"""The page on which a seller allows the app to act for a store. Pure."""

from urllib.parse import urlencode

from waybill.alibaba.settings import AlibabaSettings


def authorise_url(settings: AlibabaSettings, *, app_key: str, redirect_uri: str, state: str) -> str:
    """Where to send the seller's browser.

    ``redirect_uri`` has to equal the registered one byte for byte; it is called with ``code`` (good
    for 30 minutes, once) and ``state``, which the caller makes unguessable and checks. The seller
    chooses the authorisation length there; no parameter for it is documented.
    """
    parameters = {
        **settings.authorise_parameters,
        "response_type": "code",
        "client_id": app_key,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    separator = "&" if "?" in settings.authorise_url else "?"
    return settings.authorise_url + separator + urlencode(parameters)
