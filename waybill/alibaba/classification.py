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
from typing import Final, Unpack

import httpx

from waybill.alibaba import errors
from waybill.alibaba.advice import advice, clock_advice
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


@dataclass(frozen=True, slots=True)
class Operation:
    """A client method: its name in errors and metrics, and what repeating it does."""

    name: str
    effect: Effect

    def unclear(self, what: str, **facts: Unpack[errors.Facts]) -> errors.AlibabaError:
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
# "this ban will last 7 seconds", also "last for 1 more seconds"
_BAN: Final = re.compile(
    r"last\s+(?:for\s+)?(\d{1,9})\s+(?:more\s+)?(second|minute|hour)", re.IGNORECASE
)
_UNIT_S: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_GRANT_WORDS: Final = re.compile(r"token|code", re.IGNORECASE)
# No code is documented for a stale time stamp, so its name is looked for; ``date_timestamp`` is a
# field of a window.
_CLOCK_WORDS: Final = re.compile(r"(?<!date_)time[ _-]?stamp", re.IGNORECASE)

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
    operation: Operation, answer: Answer, codes: AnswerCodes, *, api: str | None = None
) -> errors.AlibabaError | None:
    """The error that ``answer`` stands for, or ``None`` if Alibaba reports success.

    ``api`` is the path or method that was called, for the error's words.
    """
    no = refusal(answer.body)
    if 200 <= answer.http_status < 300:
        if no is None:
            return _unreadable(operation, answer, api)
    elif no is None:
        no = Refusal(codes=(), kind=None, said="", request_id=None, top=False)
    return _Case(operation, answer, no, codes, api).error()


def _unreadable(
    operation: Operation, answer: Answer, api: str | None
) -> errors.AlibabaError | None:
    if isinstance(answer.body, dict):
        return None
    return operation.unclear(
        "the answer is not a JSON object", http_status=answer.http_status, api=api
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One refused call: the questions in their order."""

    operation: Operation
    answer: Answer
    no: Refusal
    codes: AnswerCodes
    api: str | None

    def error(self) -> errors.AlibabaError:
        effect = self.operation.effect
        # A gateway may answer 5xx after the system behind it has acted, whatever the text says.
        if self.answer.http_status >= 500 and effect is not Effect.REPEATABLE:
            return self._unclear("server error")
        if effect is Effect.REPEATABLE or self._every_code_is_proof():
            by_gateway = self._refused_by_gateway()
            if by_gateway is not None:
                return by_gateway
        match effect:
            case Effect.SHIPMENT:
                return self._refused_shipment()
            case Effect.TOKEN:
                return self._refused_grant()
            case Effect.REPEATABLE:
                return self._refused_read()

    # ----------------------------------------------------------------------------------- what is it?

    def _every_code_is_proof(self) -> bool:
        """Whether each single code of the answer says "not done"; one unlisted code leaves doubt."""
        if self.answer.http_status == 429:  # a proof of its own
            return not self._names_a_server_fault()
        told = [code for code in self.no.codes if not self._only_wraps(code)]
        return bool(told) and all(self._is_proof(code) for code in told)

    def _only_wraps(self, code: str) -> bool:
        """TOP's own number around the sub-code that tells; a platform check needs no sub-code."""
        if self.no.number is None:
            return False
        if code == str(self.no.number):
            return code in self.codes.top_envelopes
        return self._is_platform_check() and not code.startswith("isp.")

    def _is_proof(self, code: str) -> bool:
        codes = self.codes
        listed = codes.throttled | codes.unauthorised | codes.misconfigured | codes.rejected
        if code in listed or code.startswith(codes.throttled_prefixes):
            return True
        return code == str(self.no.number) and self._is_platform_check()

    def _is_platform_check(self) -> bool:
        """Whether this is a TOP number of the checks that run before the called API."""
        number = self.no.number
        return (
            number is not None
            and number < 100
            and str(number) not in self.codes.top_after_platform_checks
        )

    def _is(self, anywhere: frozenset[str], in_top: frozenset[str]) -> bool:
        return bool(anywhere.intersection(self.no.codes)) or str(self.no.number) in in_top

    def _is_throttled(self) -> bool:
        by_prefix = any(code.startswith(self.codes.throttled_prefixes) for code in self.no.codes)
        return by_prefix or self._is(self.codes.throttled, self.codes.top_throttled)

    def _is_for_the_whole_app(self) -> bool:
        """A sub-code tells whose limit it is; without one, TOP's number does."""
        if self.codes.throttled_for_all.intersection(self.no.codes):
            return True
        by_sub_code = any(code.startswith("accesscontrol.") for code in self.no.codes)
        return not by_sub_code and str(self.no.number) in self.codes.top_throttled_for_all

    def _is_about_the_clock(self) -> bool:
        return any(_CLOCK_WORDS.search(text) for text in (self.no.said, *self.no.codes))

    def _is_server_fault(self) -> bool:
        """Alibaba's own fault, or that of the API's provider; an ``isv.`` sub-code is the caller's.

        TOP calls nearly everything ``ISP``: there the sub-code alone tells, and none tells nothing.
        """
        if self._names_a_server_fault():
            return True
        if self.no.top:
            return str(self.no.number) == "15" and len(self.no.codes) == 1
        return self._blames_the_server()

    def _blames_the_server(self) -> bool:
        """The stricter question, before a declaration counts as refused for good."""
        if self._names_a_server_fault():
            return True
        return self.no.kind in ("ISP", "SYSTEM") and not self.no.caller_fault

    def _names_a_server_fault(self) -> bool:
        faults = (code for code in self.no.codes if code.startswith("isp."))
        unlisted = any(not code.startswith(self.codes.throttled_prefixes) for code in faults)
        transient = bool(self.codes.transient.intersection(self.no.codes))
        return unlisted or transient or str(self.no.number) in self.codes.top_transient

    # ------------------------------------------------------------------------------- what to call it

    def _refused_by_gateway(self) -> errors.NotDone | None:
        """The refusals that come before the called API runs, so that nothing was done."""
        name, codes = self.operation.name, self.codes
        if self.answer.http_status == 429 or self._is_throttled():
            return errors.Throttled(
                "too many calls",
                operation=name,
                retry_after_s=retry_after_s(self.answer.headers, self.no.said),
                scope="app" if self._is_for_the_whole_app() else "store",
                **self._facts(),
            )
        if self._is(codes.unauthorised, codes.top_unauthorised):
            return errors.Unauthorised("access refused", operation=name, **self._facts())
        if self._is(codes.misconfigured, frozenset()) or self._is_platform_check():
            return self._misconfigured("refused before the call")
        return None

    def _refused_shipment(self) -> errors.AlibabaError:
        texts = (self.no.said, *self.no.codes)
        listed = self.codes.needs_lookup.intersection(self.no.codes)
        if listed or any(_STATE_WORDS.search(text) for text in texts):
            return errors.NeedsLookup(
                "Alibaba says the order cannot be shipped as it stands",
                operation=self.operation.name,
                **self._facts(),
            )
        if self._every_code_is_proof() and not self._blames_the_server():
            return errors.Rejected("rejected", operation=self.operation.name, **self._facts())
        return self._unclear("an answer nobody has listed as final")

    def _refused_grant(self) -> errors.AlibabaError:
        """No code is documented for a used code or an ended token: a caller's fault means that.

        But not one that speaks of the time stamp, or of any parameter without naming the grant: a
        machine whose clock is wrong must not end a store's authorisation.
        """
        if self._is_server_fault():
            return self._unclear("no usable answer")
        if self._is_about_the_clock():
            return self._misconfigured("refused for its time stamp", clock_advice())
        named = any(_GRANT_WORDS.search(code) for code in self.no.codes)
        if self.codes.parameters.intersection(self.no.codes):
            if not _GRANT_WORDS.search(self.no.said):
                return self._misconfigured("a parameter is refused")
            named = True
        if self.no.kind == "ISV" or named:
            return errors.Unauthorised(
                "the grant is not accepted", operation=self.operation.name, **self._facts()
            )
        return self._unclear("no usable answer")

    def _refused_read(self) -> errors.AlibabaError:
        name, status = self.operation.name, self.answer.http_status
        if status == 401:
            return errors.Unauthorised("access refused", operation=name, **self._facts())
        if not self.no.codes and 300 <= status < 500 and status not in (408, 425):
            return self._misconfigured("not an answer of the API: check host and path")
        listed = bool((self.codes.rejected | self.codes.parameters).intersection(self.no.codes))
        if self._is_about_the_clock() and not self._is_server_fault():
            return self._misconfigured("refused for its time stamp", clock_advice())
        blamed = self.no.kind == "ISV" or self.no.caller_fault or self.no.number in (40, 41)
        if (listed or blamed) and not self._is_server_fault():
            return errors.Rejected("rejected", operation=name, **self._facts())
        return self._unclear("no usable answer")

    def _misconfigured(self, what: str, words: str | None = None) -> errors.Misconfigured:
        facts = self._facts()
        facts["advice"] = words or facts["advice"]
        return errors.Misconfigured(what, operation=self.operation.name, **facts)

    def _unclear(self, what: str) -> errors.AlibabaError:
        return self.operation.unclear(what, **self._facts())

    def _facts(self) -> errors.Facts:
        no, known = self.no, self.codes
        listed = [code for code in no.codes if code in known.rejected]
        inner = [code for code in no.codes[1:] if self._only_wraps(no.codes[0])]
        first = (*listed, *inner, *no.codes)
        return errors.Facts(
            code=next(iter(first), None),
            request_id=no.request_id,
            http_status=self.answer.http_status,
            api=self.api,
            advice=advice(no.codes, top=no.top, api=self.api, said=no.said),
        )


def retry_after_s(headers: Mapping[str, str], said: str) -> float | None:
    """How long a throttled caller has to wait: the longest of header and message, if either tells.

    A ``Retry-After`` date is compared with the answer's own ``Date``, so that our clock does not
    matter.
    """
    waits = [float(count) * _UNIT_S[unit.lower()] for count, unit in _BAN.findall(said)]
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
