"""A store's tokens end, and its seller lets Waybill in again: the way it is done by people.

The seller authorises the application, the code is exchanged for tokens over the site's own protocol, and
`waybill stores add` writes them, in a process of its own. Site and broker are in trouble meanwhile.
"""

import asyncio
import os
import subprocess
import sys
from time import monotonic, sleep

import httpx
from pydantic import SecretStr

from tests.fire.house import House
from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import AlibabaError
from waybill.alibaba.models import TokenGrant
from waybill.alibaba.settings import AlibabaSettings, AppCredentials
from waybill.demo.installation import SITE
from waybill.demo.sandbox_admin import Seller

_TRY_S = 60.0
"""Of the command: a broker that is away for some seconds, on a loaded machine."""
_ALL_S = 180.0
"""Longest time until it works."""
_PAUSE_S = 0.5


class NotYetError(Exception):
    """The command could not do it now."""


def end_tokens(house: House, seller: Seller, *, refresh: bool) -> None:
    """All access tokens of a store end now; its refresh tokens too, if wanted."""
    house.ask_sandbox("POST", f"/sellers/{seller.id}/end-tokens", {"refresh": refresh})


def connect(house: House, seller: Seller) -> int:
    """New tokens, of the next generation; the number of tries. Raises what the last try met."""
    deadline_s, tries = monotonic() + _ALL_S, 1
    while True:
        try:
            _add(house, seller, asyncio.run(_granted(house, seller)))
        except (AlibabaError, httpx.HTTPError, NotYetError):
            if monotonic() > deadline_s:
                raise
            tries += 1
            sleep(_PAUSE_S)
        else:
            return tries


async def _granted(house: House, seller: Seller) -> TokenGrant:
    """Each try with a code of its own: the answer to an exchange may be lost."""
    found = await asyncio.to_thread(house.ask_sandbox, "GET", "/sellers")
    code = await asyncio.to_thread(house.ask_sandbox, "POST", "/codes", {"seller": seller.id})
    rest = f"{house.sandbox_url}/rest"
    settings = AlibabaSettings(api_url=rest, token_url=rest, call_s=5)
    app = AppCredentials(app_key=found["app_key"], app_secret=SecretStr(found["app_secret"]))
    async with AlibabaClient(settings, app) as client:
        return await client.create_token(SecretStr(code["code"]))


def _add(house: House, seller: Seller, grant: TokenGrant) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WAYBILL_")}
    own = {
        "WAYBILL_ENV_FILE": str(house.env_file),
        "WAYBILL_ACCESS_TOKEN": grant.access_token.get_secret_value(),
    }
    if grant.refresh_token is not None:
        own["WAYBILL_REFRESH_TOKEN"] = grant.refresh_token.get_secret_value()
    order = ("stores", "add", "--site", SITE, "--seller-id", seller.id, "--name", seller.name)
    command = [sys.executable, "-c", "from waybill.cli import main; main()", *order]
    ended = subprocess.run(  # noqa: S603 - our own command with our own arguments
        command, capture_output=True, text=True, timeout=_TRY_S, check=False, env=kept | own
    )
    if ended.returncode > 1 or "Traceback" in ended.stderr:
        raise RuntimeError(f"the store was not connected: {ended.stderr[-500:]}")
    if ended.returncode != 0:
        raise NotYetError(ended.stderr[-500:])
