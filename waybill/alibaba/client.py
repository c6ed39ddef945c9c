"""The client of Alibaba's open platform.

One method, one HTTP request: nothing here repeats, remembers or limits calls. Every method ends
within ``call_s`` of its start, with an answer or with an error of ``errors``. A call that is
cancelled breaks its connection; after cancelling ``declare_shipment`` the outcome is unknown.

Requests are built and given to the transport directly, without ``httpx.AsyncClient``: its cookies,
redirects and authentication flows cost as much again as the request and must not act here anyway.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

import httpx
import orjson
from pydantic import SecretStr

from waybill.alibaba import answers, models
from waybill.alibaba import parameters as told
from waybill.alibaba.classification import Answer, Effect, Operation, classify, classify_failure
from waybill.alibaba.errors import AlibabaError, InvalidRequest, NotSent
from waybill.alibaba.settings import AlibabaSettings, AppCredentials
from waybill.alibaba.transport import SENDING, Sending, SentAwareTransport, StartRefusedError
from waybill.alibaba.wire import File, Target, encoded, signed

T = TypeVar("T")

logger = logging.getLogger(__name__)

_LIST_ORDERS: Final = Operation("list_orders", Effect.REPEATABLE)
_GET_ORDER: Final = Operation("get_order", Effect.REPEATABLE)
_GET_PAYMENTS: Final = Operation("get_payments", Effect.REPEATABLE)
_GET_LOGISTICS: Final = Operation("get_logistics", Effect.REPEATABLE)
_LIST_CHANNELS: Final = Operation("list_channels", Effect.REPEATABLE)
_UPLOAD: Final = Operation("upload_attachment", Effect.REPEATABLE)
_DECLARE: Final = Operation("declare_shipment", Effect.SHIPMENT)
_CREATE_TOKEN: Final = Operation("create_token", Effect.TOKEN)
_REFRESH_TOKEN: Final = Operation("refresh_token", Effect.TOKEN)

_TRADE_ID: Final = re.compile(models.TRADE_ID)
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


_HEADERS: Final = (
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip"),
    (b"user-agent", b"waybill"),
)


class CallObserver(Protocol):
    """Is told of every call that ended, for metrics."""

    def called(self, operation: str, outcome: str, seconds: float) -> None:
        """``operation`` is a method's name; ``outcome``: ``ok``, ``cancelled`` or an error's.

        Called in the event loop: it must be quick. What it raises is logged and changes no outcome.
        """


@dataclass(frozen=True, slots=True)
class _Call:
    operation: Operation
    target: Target
    parameters: Mapping[str, str | None] = field(repr=False)
    """May hold a code or a refresh token."""
    access_token: SecretStr | None
    file: File | None = None
    may_start: Callable[[], bool] | None = None


class AlibabaClient:
    """Calls of one app, for any number of stores: the store is the ``access_token`` of each call.

    Belongs to one event loop. Close it with ``aclose`` or use it as an async context manager; the
    given ``transport`` is closed along. All methods raise the errors of ``waybill.alibaba.errors``,
    and those only: anything else is a fault of this program, and after ``declare_shipment`` leaves
    it in doubt.
    """

    def __init__(
        self,
        settings: AlibabaSettings,
        credentials: AppCredentials,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        observer: CallObserver | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._transport = transport or SentAwareTransport(settings)
        self._observer = observer
        self._now_ms = now_ms
        self._closed = False
        extra = settings.extra_headers.items()
        self._headers = (*_HEADERS, *((name.encode(), value.encode()) for name, value in extra))
        self._timeout = httpx.Timeout(
            None, connect=settings.connect_s, pool=settings.acquire_s
        ).as_dict()

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. Calls in flight break, later ones end as ``NotSent``."""
        self._closed = True
        await self._transport.aclose()

    async def list_orders(
        self, window: models.OrderWindow, page: int = 0, *, access_token: SecretStr
    ) -> models.OrderPage:
        """One page, counted from 0, of the store's orders in ``window``.

        Pages may shift while orders change: overlap windows and take an order's number as its
        identity.
        """
        if page < 0:
            raise InvalidRequest("pages are counted from 0", operation=_LIST_ORDERS.name)
        settings = self._settings
        parameters = told.order_list(settings, window, page)
        return await self._called(
            self._call(_LIST_ORDERS, settings.order_list, parameters, access_token),
            lambda body: answers.order_page(body, page, settings.page_size),
        )

    async def get_order(self, trade_id: str, *, access_token: SecretStr) -> models.RawOrder:
        """The order in full, as Alibaba tells it. ``Rejected`` with code 404: there is none."""
        parameters = told.order_get(self._settings, _checked(_GET_ORDER, trade_id))
        return await self._called(
            self._call(_GET_ORDER, self._settings.order_get, parameters, access_token),
            lambda body: answers.raw_order(body, trade_id),
        )

    async def get_payments(self, trade_id: str, *, access_token: SecretStr) -> models.Payments:
        """The payments of an order; the only place that tells the payment method."""
        parameters = told.payments(self._settings, _checked(_GET_PAYMENTS, trade_id))
        return await self._called(
            self._call(_GET_PAYMENTS, self._settings.payments, parameters, access_token),
            answers.payments,
        )

    async def get_logistics(self, trade_id: str, *, access_token: SecretStr) -> models.Logistics:
        """The shipments Alibaba holds of an order. One just declared may not show yet."""
        parameters = told.logistics(self._settings, _checked(_GET_LOGISTICS, trade_id))
        return await self._called(
            self._call(_GET_LOGISTICS, self._settings.logistics, parameters, access_token),
            answers.logistics,
        )

    async def list_channels(self, *, access_token: SecretStr) -> tuple[models.Channel, ...]:
        """The carriers that may be named in a declaration. Worth keeping: they change rarely."""
        parameters = self._settings.channels_parameters
        return await self._called(
            self._call(_LIST_CHANNELS, self._settings.channels, parameters, access_token),
            answers.channels,
        )

    async def upload_attachment(self, name: str, content: bytes, *, access_token: SecretStr) -> str:
        """Upload a proof; its ``file_path`` for ``Attachment``. Repeatable: it only adds a file.

        ``name`` is plain ASCII and ends in one of the accepted extensions. How long a path stays
        good is not documented: declare soon after.
        """
        self._check_file(name, content)
        settings = self._settings
        call = _Call(
            operation=_UPLOAD,
            target=Target.of(settings, settings.attachment_upload),
            parameters=told.attachment(settings, name),
            access_token=access_token,
            file=File(settings.attachment_file_parameter, name, content),
        )
        return await self._called(call, answers.file_path)

    async def declare_shipment(
        self,
        request: models.ShippingRequest,
        *,
        access_token: SecretStr,
        may_start: Callable[[], bool] | None = None,
    ) -> str:
        """Declare the shipment of an order; the voucher id. **Not repeatable**, never repeated here.

        What is sent is ``request.canonical_json()``. ``may_start`` is asked when the connection is
        ready, right before the first byte, and once before connecting: if it says no, the call ends
        as ``NotSent``. It must be quick and not raise. Only a ``NotDone`` or ``InvalidRequest``
        proves that nothing happened; after ``OutcomeUnknown``, a cancellation or a crash look up
        first.
        """
        settings = self._settings
        call = _Call(
            operation=_DECLARE,
            target=Target.of(settings, settings.shipment_declare),
            parameters=told.shipment(settings, request),
            access_token=access_token,
            may_start=may_start,
        )
        return await self._called(call, answers.voucher_id)

    async def create_token(self, code: SecretStr) -> models.TokenGrant:
        """Tokens for an authorisation code; ``Unauthorised`` if the code is used or too old."""
        return await self._token(
            _CREATE_TOKEN, self._settings.token_create, {"code": code.get_secret_value()}
        )

    async def refresh_token(
        self, token: SecretStr, *, may_start: Callable[[], bool] | None = None
    ) -> models.TokenGrant:
        """New tokens for a refresh token; ``Unauthorised`` if it has ended. Keep the newest.

        A refresh token may be good for one use: ``may_start`` is asked as for ``declare_shipment``.
        """
        return await self._token(
            _REFRESH_TOKEN,
            self._settings.token_refresh,
            {"refresh_token": token.get_secret_value()},
            may_start,
        )

    async def _token(
        self,
        operation: Operation,
        name: str,
        parameters: Mapping[str, str],
        may_start: Callable[[], bool] | None = None,
    ) -> models.TokenGrant:
        """Paths go to ``token_url``; at the older gateway tokens have dotted methods like the rest."""
        target = Target.of(self._settings, name, base=self._settings.token_url)
        call = _Call(operation, target, parameters, None, may_start=may_start)
        return await self._called(call, lambda body: answers.token_grant(body, self._now_ms()))

    def _call(
        self,
        operation: Operation,
        name: str,
        parameters: Mapping[str, str | None],
        access_token: SecretStr,
    ) -> _Call:
        return _Call(operation, Target.of(self._settings, name), parameters, access_token)

    def _check_file(self, name: str, content: bytes) -> None:
        extensions = self._settings.upload_extensions
        if not _FILE_NAME.fullmatch(name) or name.rpartition(".")[2].lower() not in extensions:
            wanted = ", ".join(extensions)
            raise InvalidRequest(
                f"file name must be plain ASCII and end in one of: {wanted}",
                operation=_UPLOAD.name,
            )
        most = self._settings.upload_bytes_max
        if not 0 < len(content) <= most:
            raise InvalidRequest(
                f"file has {len(content)} bytes, must have 1 to {most}", operation=_UPLOAD.name
            )

    async def _called(self, call: _Call, read: Callable[[object], T]) -> T:
        """Make the call, read its answer, tell the observer."""
        began = time.perf_counter()
        outcome = "error"
        try:
            result = await self._read(call, read)
            outcome = "ok"
        except AlibabaError as error:
            outcome = error.outcome
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._observe(call.operation.name, outcome, time.perf_counter() - began)
        return result

    async def _read(self, call: _Call, read: Callable[[object], T]) -> T:
        answer = await self._exchanged(call)
        error = classify(call.operation, answer, self._settings.codes, api=call.target.api)
        if error is not None:
            raise error
        try:
            return read(answer.body)
        except answers.UnreadableAnswerError as unreadable:
            raise call.operation.unclear(
                f"unreadable answer, {unreadable}",
                http_status=answer.http_status,
                api=call.target.api,
            ) from unreadable

    async def _exchanged(self, call: _Call) -> Answer:
        """Send the request and read the whole answer, under the total deadline."""
        sending = Sending(may_start=call.may_start)
        answered = False
        try:
            async with asyncio.timeout(self._settings.call_s):
                request = self._request(call, sending)
                if self._closed or (call.may_start is not None and not call.may_start()):
                    raise StartRefusedError  # noqa: TRY301 - the transport raises the same
                response = await self._transport.handle_async_request(request)
                answered = True
                content = await self._content(response)
        except StartRefusedError:
            why = "the client is closed" if self._closed else "its start was not allowed any more"
            raise NotSent(why, operation=call.operation.name) from None
        except TimeoutError as late:
            sent = answered or sending.started or not sending.tracked
            raise classify_failure(call.operation, late, sent=sent) from late
        except (httpx.HTTPError, OSError) as failure:
            sent_for_sure = True if answered else None
            raise classify_failure(call.operation, failure, sent=sent_for_sure) from failure
        return Answer(response.status_code, response.headers, _json(content))

    def _request(self, call: _Call, sending: Sending) -> httpx.Request:
        token = call.access_token
        parameters = signed(
            call.target,
            call.parameters,
            self._credentials,
            access_token=None if token is None else token.get_secret_value(),
            timestamp_ms=self._now_ms(),
        )
        content_type, body = encoded(parameters, call.file)
        request = httpx.Request(
            "POST",
            _url(call.target.url),
            headers=[(b"content-type", content_type.encode("ascii")), *self._headers],
            content=body,
            extensions={"timeout": self._timeout, SENDING: sending},
        )
        request.headers.encoding = "ascii"  # else it is found out by trial, at every request
        return request

    async def _content(self, response: httpx.Response) -> bytes:
        most = self._settings.response_bytes_max
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > most:
                    raise httpx.ReadError(f"the answer is longer than {most} bytes")
                chunks.append(chunk)
        finally:
            await response.aclose()
        return b"".join(chunks)

    def _observe(self, operation: str, outcome: str, seconds: float) -> None:
        if self._observer is None:
            return
        try:
            self._observer.called(operation, outcome, seconds)
        except Exception:
            # A metric must not turn a declared shipment into a failed call.
            logger.exception("call_observer_failed")


@lru_cache(maxsize=64)
def _url(address: str) -> httpx.URL:
    """Parsed once: parsing it again for each request costs a tenth of the request."""
    return httpx.URL(address)


def _checked(operation: Operation, trade_id: str) -> str:
    if not _TRADE_ID.fullmatch(trade_id):
        raise InvalidRequest("not an order number; is it masked?", operation=operation.name)
    return trade_id


def _json(content: bytes) -> object:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None  # the classification says what that means
