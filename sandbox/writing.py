"""Write calls: the upload of a proof and the declaration of a shipment.

Rules as Alibaba documents them. What it does not document is decided here, on the strict side: an
order that is not ``undeliver`` is refused with 402, and so is a second shipment, unless the sandbox
is lenient.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from sandbox.calls import Call
from sandbox.events import Attachment, Shipment, ShipmentRefused, Upload
from sandbox.orders import Order
from sandbox.protocol import BusinessError, GopError
from sandbox.reading import CHANNELS, own_order
from sandbox.world import World

FILE_NAME_MAX = 200
TRACKING_NUMBER_MAX = 100
ATTACHMENTS_MAX = 10
REQUEST_CHARACTERS_MAX = 20_000
SHIPPABLE = "undeliver"
VOUCHER_ID_FIRST = 3_000_000_000

_TYPES = {
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "pdf": ("application/pdf", b"%PDF-"),
    "doc": ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
}
"""Extension to media type and the bytes such a file begins with."""


def attachment_upload(world: World, call: Call) -> dict[str, Any]:
    """``/alibaba/order/attachment/upload``: takes the file part ``data``, answers its path.

    The bytes are hashed and let go of, unless the sandbox keeps files.
    """
    name = call.required("file_name")
    file = call.files.get("data")
    if file is None:
        raise GopError("MissingParameter", "The file part data is missing")
    extension = _checked_extension(world, name, file.data)
    sha256 = hashlib.sha256(file.data).hexdigest()
    if world.settings.keep_files:
        _keep(world.settings.data_dir / "files" / f"{sha256}.{extension}", file.data)
    path = f"/icbu/trade/{call.seller.id}/{world.totals.uploads + 1:08d}/{name}"
    upload = Upload(
        at_ms=world.now_ms(),
        seller=call.seller.id,
        file_path=path,
        file_name=name,
        media_type=_TYPES[extension][0],
        bytes=len(file.data),
        sha256=sha256,
        request_id=call.request_id,
    )
    world.record(upload)
    return {"value": path}


def _checked_extension(world: World, name: str, data: bytes) -> str:
    extension = name.rpartition(".")[2].lower()
    if extension not in _TYPES or not name.rpartition(".")[0]:
        raise GopError("InvalidParameter", f"file_name must end in one of {', '.join(_TYPES)}")
    if len(name) > FILE_NAME_MAX or "/" in name or "\\" in name or not name.isprintable():
        raise GopError(
            "InvalidParameter",
            f"file_name must be a plain name of up to {FILE_NAME_MAX} characters",
        )
    if len(data) > world.settings.upload_bytes_max:
        raise GopError(
            "InvalidParameter", f"file is larger than {world.settings.upload_bytes_max} bytes"
        )
    if not data.startswith(_TYPES[extension][1]):
        raise GopError("InvalidParameter", f"file is not of the type its name says: {extension}")
    return extension


def _keep(path: Path, data: bytes) -> None:
    if path.exists():  # named by its content
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def order_shipping(world: World, call: Call) -> dict[str, Any]:
    """``/alibaba/v2/order/shipping``: declares the shipment of an order, answers a voucher id.

    Accepted calls are in the journal, and so are refused ones whose request is a JSON object.
    """
    request = _request(call)
    try:
        order = own_order(world, call, _text(request, "trade_id", "tradeId"))
        shipment = _shipment(world, call, order, request)
        _check_status(world, order)
    except BusinessError as error:
        world.record(_refused(world, call, request, error))
        raise
    world.record(shipment)
    voucher = {"voucher_id": shipment.voucher_id}
    where = world.settings.voucher_in
    return voucher if where == "top" else {where: voucher}


def _request(call: Call) -> dict[str, Any]:
    text = call.required("shipping_request")
    if len(text) > REQUEST_CHARACTERS_MAX:
        raise BusinessError("402", "invalidate request: shipping_request is too long")
    try:
        request = orjson.loads(text)
    except ValueError as error:
        raise BusinessError("402", "invalidate request: shipping_request is not JSON") from error
    if not isinstance(request, dict):
        raise BusinessError("402", "invalidate request: shipping_request is not an object")
    return request


def _text(request: dict[str, Any], name: str, label: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BusinessError("402", f"{label} must not be null")
    return value


def _shipment(world: World, call: Call, order: Order, request: dict[str, Any]) -> Shipment:
    provider = _text(request, "service_provider", "serviceProvider")
    tracking_number = _text(request, "tracking_number", "trackingNumber")
    if len(tracking_number) > TRACKING_NUMBER_MAX:
        raise BusinessError("402", f"trackingNumber is longer than {TRACKING_NUMBER_MAX}")
    if request.get("logistics_type") not in {"EXPRESS", "POST"}:
        raise BusinessError("402", "logisticsType must equals EXPRESS or POST")
    return Shipment(
        at_ms=world.now_ms(),
        seller=order.seller.id,
        trade_id=order.trade_id,
        service_provider=provider,
        logistics_type=request["logistics_type"],
        tracking_number=tracking_number,
        contact_mobile=_contact_mobile(request, provider),
        attachments=_attachments(world, order.seller.id, request),
        voucher_id=VOUCHER_ID_FIRST + world.totals.shipments,
        request_id=call.request_id,
        shipment_of_order=order.accepted + 1,
        late=call.late,
    )


def _contact_mobile(request: dict[str, Any], provider: str) -> str | None:
    channel = CHANNELS.get(provider)
    if channel is None:
        raise BusinessError("402", "serviceProvider is not one of the shipping channels")
    mobile = request.get("contact_mobile")
    if mobile is None and not channel.get("contact_mobile_required"):
        return None
    if not isinstance(mobile, str) or len(mobile) != 4 or not mobile.isdigit():
        raise BusinessError("402", "contactMobile must be the last 4 digits of the phone number")
    return mobile


def _attachments(world: World, seller_id: str, request: dict[str, Any]) -> tuple[Attachment, ...]:
    given = request.get("attachments") or []
    if not isinstance(given, list) or len(given) > ATTACHMENTS_MAX:
        raise BusinessError("402", f"attachments must be a list of up to {ATTACHMENTS_MAX}")
    if not given and world.settings.attachments_required:
        raise BusinessError("402", "attachments must not be null")
    return tuple(_attachment(world, seller_id, item) for item in given)


def _attachment(world: World, seller_id: str, item: Any) -> Attachment:
    if not isinstance(item, dict):
        raise BusinessError("402", "attachments must be objects with file_name and file_path")
    path = _text(item, "file_path", "filePath")
    name = _text(item, "file_name", "fileName")
    upload = world.uploads.get(path)
    if upload is None or upload.seller != seller_id:
        raise BusinessError("402", "filePath is not an uploaded attachment")
    return Attachment(file_path=path, file_name=name[:FILE_NAME_MAX], sha256=upload.sha256)


class _StatusError(BusinessError):
    """The order's status is the only thing wrong with a shipping call."""


def _check_status(world: World, order: Order) -> None:
    if order.status != SHIPPABLE and not world.lenient:
        raise _StatusError("402", f"invalidate request: trade status is {order.status}")


def _refused(
    world: World, call: Call, request: dict[str, Any], error: BusinessError
) -> ShipmentRefused:
    return ShipmentRefused(
        at_ms=world.now_ms(),
        seller=call.seller.id,
        trade_id=str(request.get("trade_id"))[:32],
        tracking_number=str(request.get("tracking_number"))[:TRACKING_NUMBER_MAX],
        code=error.code,
        message=error.message,
        request_id=call.request_id,
        only_by_status=isinstance(error, _StatusError),
        late=call.late,
    )
