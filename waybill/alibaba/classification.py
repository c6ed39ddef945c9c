"""From an answer, or its absence, to a type of ``errors``. Pure.

The order of the questions is the safety of the whole: a write counts as "not done" only for a
reason in a list, and everything nobody foresaw is ``OutcomeUnknown``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final, TypedDict, Unpack

import httpx

from waybill.alibaba import errors
from waybill.alibaba.envelope import Refusal, refusal
from waybill.alibaba.settings import AnswerCodes


class Effect(Enum):
    """What a call does to the world when it is repeated."""

    REPEATABLE = auto()
    """Reads and uploads."""
    SHIPMENT = auto()
    """Declares a shipment: once per order."""
    TOKEN = auto()
    """Uses up a code or a refresh token."""


class Facts(TypedDict, total=False):
    """What an answer tells about itself; see ``errors.AlibabaError``."""

    code: str | None
    request_id: str | None
    http_status: int | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A client method: its name in errors and metrics, and what repeating it does."""

    name: str
    effect: Effect

    def unclear(self, what: str, **facts: Unpack["Facts"]) -> errors.AlibabaError:
        """The error for "no usable answer" that fits the effect."""
        if self.effect is Effect.REPEATABLE:
            return errors.Unavailable(what, operation=self.name, **facts)
        return errors.OutcomeUnknown(f"{what}; it may have worked", operation=self.name, **facts)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``body`` is the parsed JSON, or ``None`` if it was not JSON."""

    http_status: int
    headers: Mapping[str, str]
    """Compared without regard to case by the mapping itself."""
    body: object


# Words that speak of the order's state. Texts of parameter errors ("logisticsType must equals
# EXPRESS or POST", "order not exist") contain none of them.
_STATE_WORDS: Final = re.compile(
    r"already|duplicat|repeat|shipped|undeliver|delivering|status|state|已发货|重复|状态",
    re.IGNORECASE,
)
_BAN: Final = re.compile(r"last\s+(\d{1,9})\s+second", re.IGNORECASE)
_GRANT_WORDS: Final = re.compile(r"token|code", re.IGNORECASE)

# Not sent by the meaning that ``transport`` gives these types.
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


def classify_failure(
    operation: Operation, failure: Exception, *, sent: bool | None = None
) -> errors.AlibabaError:
    """The error for a call that got no answer.

    ``sent`` tells whether the request was handed to a connection; ``None`` leaves it to the type of
    ``failure``, and every type that does not prove the contrary counts as sent.
    """
    if sent is None:
        sent = not isinstance(failure, _NOT_SENT)
    late = isinstance(failure, (TimeoutError, httpx.TimeoutException))
    if not sent:
        what = "no connection in time" if late else "could not connect"
        return errors.NotSent(f"{what}, nothing was sent", operation=operation.name)
    return operation.unclear("no answer in time" if late else "the connection broke")


def classify(
    operation: Operation, answer: Answer, codes: AnswerCodes
) -> errors.AlibabaError | None:
    """The error that ``answer`` stands for, or ``None`` if Alibaba reports success."""
    no = refusal(answer.body)
    if 200 <= answer.http_status < 300:
        if no is None:
            return _unreadable(operation, answer)
    elif no is None:
        no = Refusal(codes=(), kind=None, said="", request_id=None, top=False)
    return _refused(operation, answer, no, codes)


def _unreadable(operation: Operation, answer: Answer) -> errors.AlibabaError | None:
    if isinstance(answer.body, dict):
        return None
    return operation.unclear("the answer is not a JSON object", http_status=answer.http_status)


def _refused(
    operation: Operation, answer: Answer, no: Refusal, codes: AnswerCodes
) -> errors.AlibabaError:
    listed = (code for code in no.codes if code in codes.rejected)
    facts = Facts(
        code=next(iter((*listed, *no.codes)), None),
        request_id=no.request_id,
        http_status=answer.http_status,
    )
    # A gateway may answer 5xx after the system behind it has acted, whatever the text says.
    if answer.http_status >= 500 and operation.effect is not Effect.REPEATABLE:
        return operation.unclear("server error", **facts)
    by_gateway = _refused_by_gateway(operation, answer, no, codes, facts)
    if by_gateway is not None:
        return by_gateway
    match operation.effect:
        case Effect.SHIPMENT:
            return _refused_shipment(operation, no, codes, facts)
        case Effect.TOKEN:
            return _refused_grant(operation, no, facts)
        case Effect.REPEATABLE:
            return _refused_read(operation, answer, no, codes, facts)


def _refused_by_gateway(
    operation: Operation, answer: Answer, no: Refusal, codes: AnswerCodes, facts: Facts
) -> errors.NotDone | None:
    """The refusals that come before the called API runs, so that nothing was done."""
    if answer.http_status == 429 or _throttled(no, codes):
        return errors.Throttled(
            "too many calls",
            operation=operation.name,
            retry_after_s=retry_after_s(answer.headers, no.said),
            **facts,
        )
    if _any(no, codes.unauthorised, codes.top_unauthorised):
        return errors.Unauthorised("access refused", operation=operation.name, **facts)
    if _any(no, codes.misconfigured, frozenset()) or _platform_check(no, codes):
        return errors.Misconfigured("refused before the call", operation=operation.name, **facts)
    return None


def _refused_shipment(
    operation: Operation, no: Refusal, codes: AnswerCodes, facts: Facts
) -> errors.AlibabaError:
    if any(_STATE_WORDS.search(text) for text in (no.said, *no.codes)):
        return errors.NeedsLookup(
            "Alibaba says the order cannot be shipped as it stands",
            operation=operation.name,
            **facts,
        )
    if codes.rejected.intersection(no.codes) and not _server_fault(no):
        return errors.Rejected("rejected", operation=operation.name, **facts)
    return operation.unclear("an answer nobody has listed as final", **facts)


def _refused_grant(operation: Operation, no: Refusal, facts: Facts) -> errors.AlibabaError:
    """No code is documented for a used code or an ended token: a caller's fault means that."""
    named = any(_GRANT_WORDS.search(code) for code in no.codes)
    if not _server_fault(no) and (no.kind == "ISV" or named):
        return errors.Unauthorised("the grant is not accepted", operation=operation.name, **facts)
    return operation.unclear("no usable answer", **facts)


def _refused_read(
    operation: Operation,
    answer: Answer,
    no: Refusal,
    codes: AnswerCodes,
    facts: Facts,
) -> errors.AlibabaError:
    if answer.http_status == 401:
        return errors.Unauthorised("access refused", operation=operation.name, **facts)
    if not no.codes and 300 <= answer.http_status < 500 and answer.http_status not in (408, 425):
        return errors.Misconfigured(
            "not an answer of the API: check host and path", operation=operation.name, **facts
        )
    listed = bool(codes.rejected.intersection(no.codes))
    # TOP answers an unknown order as "ISP" with a bare sub-code 402; reading it as final is harmless.
    if (no.top and listed) or (not _server_fault(no) and (listed or no.kind == "ISV")):
        return errors.Rejected("rejected", operation=operation.name, **facts)
    return operation.unclear("no usable answer", **facts)


def _throttled(no: Refusal, codes: AnswerCodes) -> bool:
    by_prefix = any(code.startswith(codes.throttled_prefixes) for code in no.codes)
    return by_prefix or _any(no, codes.throttled, codes.top_throttled)


def _any(no: Refusal, anywhere: frozenset[str], in_top: frozenset[str]) -> bool:
    return bool(
        anywhere.intersection(no.codes) or (no.top and no.codes[:1] and no.codes[0] in in_top)
    )


def _platform_check(no: Refusal, codes: AnswerCodes) -> bool:
    """Whether this is a TOP code of the checks that run before the called API."""
    code = no.codes[0] if no.top and no.codes else ""
    return (
        code.isascii()
        and code.isdigit()
        and int(code) < 100
        and (code not in codes.top_after_platform_checks)
    )


def _server_fault(no: Refusal) -> bool:
    """Alibaba's own fault, or that of the API's provider; an ``isv.`` sub-code is the caller's."""
    if any(code.startswith("isp.") for code in no.codes):
        return True
    return no.kind in ("ISP", "SYSTEM") and not no.caller_fault


def retry_after_s(headers: Mapping[str, str], said: str) -> float | None:
    """How long a throttled caller has to wait: the longest of header and message, if either tells.

    A ``Retry-After`` date is compared with the answer's own ``Date``, so that our clock does not
    matter.
    """
    waits = [float(found) for found in _BAN.findall(said)]
    waits.extend(_header_waits(headers))
    return max(waits, default=None)


def _header_waits(headers: Mapping[str, str]) -> Iterator[float]:
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        yield float(value[:9])
    elif value and (date := headers.get("date")):
        try:
            yield max(0.0, (_http_date(value) - _http_date(date)))
        except ValueError:
            return  # neither form of the header: the message, or the limiter's own pause, decides


def _http_date(text: str) -> float:
    parsed = parsedate_to_datetime(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
