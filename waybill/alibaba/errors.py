"""What went wrong with a call, by type: was it sent, and may it be repeated?

::

    AlibabaError
    ├── InvalidRequest        refused here, nothing sent: the same arguments will never work
    ├── NotDone               surely without effect
    │   ├── NotSent           no byte left this process: repeat when you like
    │   ├── Throttled         too many calls: repeat after ``retry_after_s``
    │   ├── Unauthorised      token not accepted: refresh it or reconnect the store, then repeat
    │   ├── Misconfigured     app, key, permission or address at fault: repeat after repair
    │   └── Rejected          Alibaba's "no" to this very request: do not repeat it
    ├── OutcomeUnknown        it may have worked: look Alibaba up before anything else
    │   └── NeedsLookup       Alibaba says the order is not in a state to be shipped; perhaps by us
    └── Unavailable           a call that may be repeated anyway gave no usable answer: repeat later

Calls that only read, and the upload of a file, never end in ``OutcomeUnknown``; declaring a
shipment never ends in ``Unavailable``. Creating and refreshing tokens may end in ``OutcomeUnknown``
because a code or refresh token may be good for one use only.

Messages hold the operation, Alibaba's code and request id, and our own advice. Alibaba's own
message text is left out: it may repeat what was sent, such as a name or a tracking number.
"""

# ruff: noqa: N818 - the names answer the question "what happened?", as handlers read them

import re
from typing import ClassVar, Final, Literal, TypedDict, Unpack

from waybill.alibaba.advice import advice as advice_for

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def plain(value: object) -> str | None:
    """``value`` if it looks like a code or an id: nothing else may slip into messages and logs."""
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    return text if _PLAIN.fullmatch(text) else None


class Facts(TypedDict, total=False):
    """What is known of a failed call, beyond its kind; all of it may stand in a log."""

    code: str | None
    """Alibaba's code."""
    request_id: str | None
    """What Alibaba's support asks for."""
    http_status: int | None
    api: str | None
    """The path or method that was called."""
    advice: str | None
    """What an operator can do about it; without it, what is known of ``code``."""


class AlibabaError(Exception):
    """Root of the tree above.

    ``operation`` is the client's method; ``code``, ``request_id`` and ``http_status`` come from the
    answer and are ``None`` where there was none; ``advice`` is for the operator, and part of the
    text.
    """

    outcome: ClassVar[str] = "error"
    """Short name for metrics."""

    def __init__(self, what: str, *, operation: str, **facts: Unpack[Facts]) -> None:
        self.operation = operation
        self.code = plain(facts.get("code"))
        self.request_id = plain(facts.get("request_id"))
        self.http_status = facts.get("http_status")
        self.api = facts.get("api")
        self.advice = facts.get("advice") or advice_for([self.code or ""], api=self.api)
        super().__init__(self._message(what))

    def _message(self, what: str) -> str:
        facts = {"code": self.code, "http": self.http_status, "request": self.request_id}
        told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        return (
            f"{self.operation}: {what}"
            + (f" ({told})" if told else "")
            + (f"; {self.advice}" if self.advice else "")
        )


class InvalidRequest(AlibabaError, ValueError):
    """The arguments break a documented limit. Nothing was sent, and repeating them is useless."""

    outcome = "invalid_request"


class NotDone(AlibabaError):
    """The call surely had no effect at Alibaba."""

    outcome = "not_done"


class NotSent(NotDone):
    """No byte of the request left: no connection in time, or its start was not allowed any more."""

    outcome = "not_sent"


Scope = Literal["store", "app"]


class Throttled(NotDone):
    """Alibaba refused the call because there were too many.

    ``retry_after_s`` is how long the ban lasts as far as the answer tells, else ``None``; ``scope``
    says whether it bans this store or every store of the app.
    """

    outcome = "throttled"

    def __init__(
        self,
        what: str,
        *,
        operation: str,
        retry_after_s: float | None = None,
        scope: Scope = "store",
        **facts: Unpack[Facts],
    ) -> None:
        self.retry_after_s = retry_after_s
        self.scope = scope
        super().__init__(what, operation=operation, **facts)


class Unauthorised(NotDone):
    """The token, code or refresh token is not accepted. A condition of the store, not the order."""

    outcome = "unauthorised"


class Misconfigured(NotDone):
    """App key, signature, permission, address or path are refused: the installation's condition."""

    outcome = "misconfigured"


class Rejected(NotDone):
    """Alibaba said no to this request for good; ``code`` says why."""

    outcome = "rejected"


class OutcomeUnknown(AlibabaError):
    """The call may have worked, or may still work. Never repeat it before a look-up."""

    outcome = "outcome_unknown"


class NeedsLookup(OutcomeUnknown):
    """Alibaba's answer speaks of the order's state ("already shipped", "not undeliver").

    A shipment of this order may exist, and it may be ours from an earlier call.
    """

    outcome = "needs_lookup"


class Unavailable(AlibabaError):
    """A repeatable call got no usable answer: repeat it later, with a growing pause."""

    outcome = "unavailable"
