"""How the sandbox misbehaves on request.

A fault applies to calls whose path and store match, with a probability, and to the next ``times``
of them only if that is set. Delays add up; of the faults that decide about the answer the one added
first wins. Faults live in memory: a restart begins without them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from sandbox.errors import CATALOGUE, named
from sandbox.orders import chaos
from sandbox.protocol import ErrorType, GopError

FAULTS_MAX = 100
DELAY_MAX_S = 3_600.0

ThrottleCode = Literal["ApiCallLimit", "AppCallLimit", "SellerCallLimit", "901"]


class _Fault(BaseModel):
    """What every fault can be narrowed to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = None
    """API path without ``/rest``; ``*`` and ``?`` are wildcards. None: every path."""
    seller: str | None = None
    """Store id. None: every store, and calls that belong to none."""
    probability: float = Field(default=1.0, gt=0, le=1)
    times: int | None = Field(default=None, ge=1)
    """How many calls are hit (throttles: bans begun) before it is over. None: until removed."""


class Latency(_Fault):
    """The answer takes ``ms`` and up to ``jitter_ms`` more.

    ``before``: from the arrival of the call to acting. ``after``: from acting to the answer.
    """

    kind: Literal["latency"] = "latency"
    ms: float = Field(ge=0, le=DELAY_MAX_S * 1000)
    jitter_ms: float = Field(default=0, ge=0, le=DELAY_MAX_S * 1000)
    when: Literal["before", "after"] = "before"


class HttpError(_Fault):
    """An HTTP error with a body that is not JSON; ``acted``: the call took effect all the same."""

    kind: Literal["http_error"] = "http_error"
    status: int = Field(default=503, ge=400, le=599)
    acted: bool = False


class Throttle(_Fault):
    """A ban: this call and every matching call of the store for ``ban_s`` seconds is refused."""

    kind: Literal["throttle"] = "throttle"
    ban_s: float = Field(default=1, gt=0, le=DELAY_MAX_S)
    code: ThrottleCode = "ApiCallLimit"


class Quota(_Fault):
    """A store that makes more than ``per_second`` matching calls in a second gets a ban."""

    kind: Literal["quota"] = "quota"
    per_second: int = Field(ge=1)
    ban_s: float = Field(default=1, gt=0, le=DELAY_MAX_S)
    code: ThrottleCode = "ApiCallLimit"


class ErrorAnswer(_Fault):
    """Any error answer of the gateway, without acting."""

    kind: Literal["gop_error"] = "gop_error"
    code: str
    message: str = "sandbox fault"
    type: ErrorType = "ISP"
    http_status: int = Field(default=200, ge=200, le=599)


class ApiError(_Fault):
    """An error of :data:`sandbox.errors.CATALOGUE`, in the form of the gateway that is called."""

    kind: Literal["api_error"] = "api_error"
    name: str
    layer: Literal["first", "second"] = "first"
    """second: in ``result`` of an answer that calls itself a success."""
    message: str | None = None
    """Instead of the words of the catalogue."""
    bare_sub_code: bool = False
    """``402`` instead of ``isv.402`` on the dotted methods."""
    http_status: int = Field(default=200, ge=200, le=599)
    acted: bool = False
    """The call took effect all the same."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CATALOGUE:
            raise ValueError(f"is none of {', '.join(CATALOGUE)}")
        return name


class Shift(_Fault):
    """With the call, orders of the calling store change or come to be: pages of its list move."""

    kind: Literal["shift"] = "shift"
    path: str | None = "/alibaba/order/list"
    orders: int = Field(default=1, ge=0, le=1_000)
    """So many orders, chosen by chance, get a new modification date."""
    content: bool = True
    """Their remark changes too."""
    create: int = Field(default=0, ge=0, le=1_000)
    """So many new ones are made."""
    when: Literal["before", "after"] = "after"
    """Before the answer is put together, or after."""


class TokenEnded(_Fault):
    """The access token counts as ended, for this call."""

    kind: Literal["token_ended"] = "token_ended"


class CutBefore(_Fault):
    """The connection is closed without an answer, and nothing happened."""

    kind: Literal["cut_before"] = "cut_before"


class CutAfter(_Fault):
    """The call takes effect, and the connection is closed without an answer."""

    kind: Literal["cut_after"] = "cut_after"


class ActLate(_Fault):
    """The caller gets an error, a cut or no answer at all now; the call acts ``after_s`` later.

    A call waiting to act is forgotten when the sandbox stops or is killed.
    """

    kind: Literal["act_late"] = "act_late"
    after_s: float = Field(gt=0, le=DELAY_MAX_S)
    answer: Literal["error", "cut", "hang"] = "cut"


class Lag(_Fault):
    """The logistics query does not know shipments younger than ``lag_s``.

    With ``path`` naming ``/alibaba/order/get`` the order keeps its old status as long, with
    ``/alibaba/order/list`` what changed since is not listed yet.
    """

    kind: Literal["lag"] = "lag"
    path: str | None = "/order/logistics/query"
    lag_s: float = Field(gt=0, le=DELAY_MAX_S)


Outcome = HttpError | ErrorAnswer | ApiError | CutBefore | CutAfter | ActLate
Spec = Annotated[
    Latency
    | HttpError
    | Throttle
    | Quota
    | ErrorAnswer
    | ApiError
    | Shift
    | TokenEnded
    | CutBefore
    | CutAfter
    | ActLate
    | Lag,
    Field(discriminator="kind"),
]
SPECS: TypeAdapter[list[Spec]] = TypeAdapter(list[Spec])


@dataclass(slots=True)
class Plan:
    """What faults do to one call."""

    before_s: float = 0.0
    after_s: float = 0.0
    lag_s: float = 0.0
    shifts: list[Shift] = field(default_factory=list)
    outcome: Outcome | None = None


@dataclass(slots=True)
class Active:
    """A fault in force."""

    id: int
    spec: Spec
    left: int | None
    hits: int = 0
    bans: dict[str | None, float] = field(default_factory=dict)
    """Per store, when its ban ends, on the monotonic clock."""
    seconds: dict[str | None, tuple[int, int]] = field(default_factory=dict)
    """Per store, a second of the monotonic clock and the calls made in it."""


class Faults:
    """The faults in force, oldest first."""

    def __init__(self, seed: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.dice = chaos(seed, "faults")
        self._clock_s = clock_s
        self._active: dict[int, Active] = {}
        self._next = 1

    def add(self, spec: Spec) -> Active:
        """Put a fault in force. Raises ValueError above :data:`FAULTS_MAX`."""
        if len(self._active) >= FAULTS_MAX:
            raise ValueError(f"{FAULTS_MAX} faults are in force; remove one first")
        active = Active(self._next, spec, spec.times)
        self._active[active.id] = active
        self._next += 1
        return active

    def remove(self, fault_id: int) -> bool:
        """End one fault; whether it was in force."""
        return self._active.pop(fault_id, None) is not None

    def clear(self) -> None:
        """End all faults."""
        self._active.clear()

    def active(self) -> list[Active]:
        """The faults in force."""
        return list(self._active.values())

    def plan(self, path: str, seller: str | None) -> Plan:
        """Roll the dice for one call."""
        plan = Plan()
        for active in self.active():
            if _matches(active.spec, path, seller):
                self._apply(active, seller, plan)
        return plan

    def _apply(self, active: Active, seller: str | None, plan: Plan) -> None:
        spec = active.spec
        if isinstance(spec, Latency | Lag | Shift):
            if self._hit(active):
                self._add(spec, plan)
        elif plan.outcome is None:
            plan.outcome = self._outcome(active, spec, seller)

    def _add(self, spec: Latency | Lag | Shift, plan: Plan) -> None:
        match spec:
            case Latency():
                seconds = (spec.ms + self.dice.uniform(0, spec.jitter_ms)) / 1000
                plan.before_s += seconds if spec.when == "before" else 0
                plan.after_s += seconds if spec.when == "after" else 0
            case Lag():
                plan.lag_s = max(plan.lag_s, spec.lag_s)
            case Shift():
                plan.shifts.append(spec)

    def _outcome(
        self, active: Active, spec: Throttle | Quota | TokenEnded | Outcome, seller: str | None
    ) -> Outcome | None:
        match spec:
            case Throttle() | Quota():
                return self._ban(active, spec, seller)
            case TokenEnded():
                return ApiError(name="token_ended") if self._hit(active) else None
            case _:
                return spec if self._hit(active) else None

    def _hit(self, active: Active) -> bool:
        if self.dice.random() >= active.spec.probability:
            return False
        active.hits += 1
        if active.left is not None:
            active.left -= 1
            if active.left == 0 and not isinstance(active.spec, Throttle | Quota):
                self.remove(active.id)
        return True

    def _ban(
        self, active: Active, spec: Throttle | Quota, seller: str | None
    ) -> ErrorAnswer | None:
        now = self._clock_s()
        until = active.bans.get(seller, now)
        if until <= now:
            if active.left == 0:
                self._end_when_all_bans_are_over(active, now)
                return None
            if isinstance(spec, Quota) and not _over_quota(active, spec, seller, now):
                return None
            if not self._hit(active):
                return None
            until = active.bans[seller] = now + spec.ban_s
        seconds = math.ceil(until - now)
        message = f"The access frequency exceeds the limit. this ban will last {seconds} seconds"
        return ErrorAnswer(code=spec.code, message=message, type="ISP")

    def _end_when_all_bans_are_over(self, active: Active, now: float) -> None:
        if all(until <= now for until in active.bans.values()):
            self.remove(active.id)


def _matches(spec: Spec, path: str, seller: str | None) -> bool:
    return (spec.path is None or fnmatchcase(path, spec.path)) and (
        spec.seller is None or spec.seller == seller
    )


def _over_quota(active: Active, spec: Quota, seller: str | None, now: float) -> bool:
    second, made = active.seconds.get(seller, (0, 0))
    made = made + 1 if second == int(now) else 1
    active.seconds[seller] = (int(now), made)
    return made > spec.per_second


def refusal(answer: ErrorAnswer | ApiError) -> GopError:
    """The error answer of a fault as the gateway raises it."""
    if isinstance(answer, ApiError):
        return named(
            answer.name,
            message=answer.message,
            second_layer=answer.layer == "second",
            bare_sub_code=answer.bare_sub_code,
            http_status=answer.http_status,
        )
    return GopError(answer.code, answer.message, answer.type, http_status=answer.http_status)
