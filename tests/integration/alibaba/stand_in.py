"""The stand-in for Alibaba.com as a process of its own, and calls made to it by the client."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from pydantic import SecretStr

from waybill.alibaba.client import AlibabaClient
from waybill.alibaba.errors import AlibabaError
from waybill.alibaba.models import Attachment, LogisticsType, OrderWindow, ShippingRequest
from waybill.alibaba.settings import AlibabaSettings, AppCredentials

T = TypeVar("T")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 200


class Sandbox:
    """A running sandbox, seen from its admin side."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = httpx.Client(base_url=f"{url}/admin", trust_env=False)
        found = self.get("/sellers")
        self.credentials = AppCredentials(
            app_key=found["app_key"], app_secret=SecretStr(found["app_secret"])
        )
        self.seller = found["sellers"][0]

    def get(self, path: str) -> Any:
        return self._admin.get(path).raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        return self._admin.post(path, json=body).raise_for_status().json()

    def patch(self, path: str, body: object) -> None:
        self._admin.patch(path, json=body).raise_for_status()

    def lenient(self, *, on: bool) -> None:
        self._admin.put("/lenient", json={"lenient": on}).raise_for_status()

    def clear(self) -> None:
        self._admin.delete("/faults").raise_for_status()
        self.lenient(on=False)

    def close(self) -> None:
        self._admin.close()

    def new_order(self, **body: object) -> str:
        created = self.post("/orders", {"seller": self.seller["id"], **body})
        return str(created["created"][0]["trade_id"])

    def grant(self, **body: object) -> dict[str, Any]:
        return dict(self.post("/codes", {"seller": self.seller["id"], **body}))

    @property
    def settings(self) -> AlibabaSettings:
        return self.settings_of()

    def settings_of(self, **changes: Any) -> AlibabaSettings:
        """Settings that lead here, through any of the gateways."""
        return AlibabaSettings(
            authorise_url=f"{self.url}/oauth/authorize",
            api_url=f"{self.url}/rest",
            token_url=f"{self.url}/rest",
            sync_url=f"{self.url}/sync",
            top_url=f"{self.url}/router/rest",
            **{"call_s": 5, **changes},
        )


def run(
    sandbox: Sandbox,
    call: Callable[[AlibabaClient], Awaitable[T]],
    *,
    settings: AlibabaSettings | None = None,
    **changes: Any,
) -> T:
    async def main() -> T:
        changed = (settings or sandbox.settings).model_copy(update=changes)
        async with AlibabaClient(changed, sandbox.credentials) as client:
            return await call(client)

    return asyncio.run(main())


def failure(
    sandbox: Sandbox, call: Callable[[AlibabaClient], Awaitable[object]], **changes: Any
) -> AlibabaError:
    with pytest.raises(AlibabaError) as caught:
        run(sandbox, call, **changes)
    return caught.value


def everything() -> OrderWindow:
    now = datetime.now(UTC)
    return OrderWindow(now - timedelta(days=3650), now + timedelta(days=1))


def request_for(trade_id: str, path: str, tracking_number: str = "776705370628") -> ShippingRequest:
    return ShippingRequest(
        trade_id=trade_id,
        service_provider="FEDEX",
        logistics_type=LogisticsType.EXPRESS,
        tracking_number=tracking_number,
        attachments=(Attachment(file_name="proof.png", file_path=path),),
    )


async def ship(client: AlibabaClient, trade_id: str, token: SecretStr, **more: str) -> str:
    path = await client.upload_attachment("proof.png", PNG, access_token=token)
    return await client.declare_shipment(request_for(trade_id, path, **more), access_token=token)
