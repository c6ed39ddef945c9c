"""A small caller of the sandbox that signs by itself: nothing here comes from the sandbox's code."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
SHIPPING = "/alibaba/v2/order/shipping"
UPLOAD = "/alibaba/order/attachment/upload"
LOGISTICS = "/order/logistics/query"
GMT8 = timezone(timedelta(hours=8))


def sign(path: str, params: dict[str, str], secret: str) -> str:
    """The signature as the public description has it."""
    text = path + "".join(f"{name}{value}" for name, value in sorted(params.items()) if value)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def sign_older(params: dict[str, str], secret: str, method: str) -> str:
    """The signature of the older gateway as the public description has it."""
    text = "".join(f"{name}{value}" for name, value in sorted(params.items()) if value)
    if method == "md5":
        wrapped = f"{secret}{text}{secret}".encode()
        return hashlib.md5(wrapped, usedforsecurity=False).hexdigest().upper()
    digest = {"hmac": "md5", "hmac-sha256": "sha256"}[method]
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest().upper()


@dataclass
class Store:
    """One seller of the sandbox as its admin API shows it."""

    id: str
    token: str
    refresh_token: str
    account: str | None


class Api:
    """Calls to one sandbox: the signed API, and the admin API beside it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False)
        self.reload()

    def reload(self) -> None:
        """Read the application and the stores again."""
        sellers = self.admin("GET", "/sellers")
        self.key, self.secret = sellers["app_key"], sellers["app_secret"]
        self.stores = [
            Store(row["id"], row["access_token"], row["refresh_token"], row["account_id"])
            for row in sellers["sellers"]
        ]

    def admin(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """One admin call; without `status` any success will do."""
        answer = self.http.request(method, f"/admin{path}", json=body)
        assert status == answer.status_code if status else answer.is_success, answer.text
        return answer.json()

    def signed(self, path: str, **params: str) -> dict[str, str]:
        """Business parameters with system parameters and signature."""
        system = {
            "app_key": self.key,
            "timestamp": str(time.time_ns() // 1_000_000),
            "sign_method": "sha256",
        }
        params = {**system, **params}
        return {**params, "sign": sign(path, params, self.secret)}

    def post(self, path: str, file: bytes | None = None, /, **params: str) -> httpx.Response:
        """One signed call, as a form or, with a file part `data`, as multipart."""
        files = None if file is None else {"data": ("proof", file, "application/octet-stream")}
        return self.http.post(f"/rest{path}", data=self.signed(path, **params), files=files)

    def signed_older(self, sign_method: str = "md5", /, **params: str) -> dict[str, str]:
        """Parameters of a call of the older gateway, with its system parameters and signature."""
        system = {
            "app_key": self.key,
            "timestamp": f"{datetime.now(GMT8):%Y-%m-%d %H:%M:%S}",
            "sign_method": sign_method,
            "v": "2.0",
            "format": "json",
        }
        params = {**system, **params}
        return {**params, "sign": sign_older(params, self.secret, sign_method)}

    def older(self, method: str, file: bytes | None = None, /, **params: str) -> Any:
        """One call of the first store on the older gateway; returns its JSON."""
        params = {"method": method, "session": self.stores[0].token, **params}
        files = None if file is None else {"data": ("proof", file, "application/octet-stream")}
        answer = self.http.post("/router/rest", data=self.signed_older(**params), files=files)
        return answer.json()

    def sync(self, method: str, file: bytes | None = None, /, **params: str) -> Any:
        """One call of the first store of a dotted method on the newer gateway."""
        params = {"method": method, "access_token": self.stores[0].token, **params}
        files = None if file is None else {"data": ("proof", file, "application/octet-stream")}
        return self.http.post("/sync", data=self.signed("", **params), files=files).json()

    def call(self, path: str, store: Store | None = None, /, **params: str) -> Any:
        """One signed call of a store (default: the first); returns its JSON."""
        store = store or self.stores[0]
        return self.post(path, access_token=store.token, **params).json()

    def upload(self, name: str = "proof.png", data: bytes = PNG, store: Store | None = None) -> Any:
        """Upload a file."""
        store = store or self.stores[0]
        return self.post(UPLOAD, data, access_token=store.token, file_name=name).json()

    def shipping_request(self, trade_id: str, **fields: Any) -> str:
        """A complete shipping request; `fields` replace or, being None, remove."""
        request = {
            "trade_id": trade_id,
            "service_provider": "FEDEX",
            "logistics_type": "EXPRESS",
            "tracking_number": f"77{trade_id[-10:]}",
            **fields,
        }
        return json.dumps({name: value for name, value in request.items() if value is not None})

    def ship(self, trade_id: str, store: Store | None = None, **fields: Any) -> Any:
        """Upload a proof and declare the shipment of an order."""
        if "attachments" not in fields:
            path = self.upload(store=store)["value"]
            fields["attachments"] = [{"file_name": "proof.png", "file_path": path}]
        request = self.shipping_request(trade_id, **fields)
        return self.call(SHIPPING, store, shipping_request=request)

    def order(self, **fields: Any) -> str:
        """Make one order, of the first store unless told otherwise; returns its trade id."""
        created = self.admin("POST", "/orders", fields)["created"]
        return str(created[0]["trade_id"])

    def fault(self, kind: str, **fields: Any) -> int:
        """Put a fault in force."""
        return int(self.admin("POST", "/faults", {"kind": kind, **fields})["faults"][0]["id"])

    def tracking_numbers(self, trade_id: str) -> list[str]:
        """What the logistics query knows of an order."""
        answer = self.call(LOGISTICS, trade_id=trade_id, data_select="logistic_order")
        return [row["voucher"]["tracking_number"] for row in answer["value"]["shipping_order_list"]]

    def journal(self, kind: str) -> list[Any]:
        """All journal entries of a kind."""
        return list(self.admin("GET", f"/journal?kind={kind}")["entries"])

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
