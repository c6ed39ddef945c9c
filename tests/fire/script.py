"""What is done to the house, and when, from a seed. Pure.

Times are wall-clock, so a seed gives the same deeds again and not the same interleaving of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

NOTIFIERS = ("notifier", "notifier-2")
SERVICES = (*NOTIFIERS, "importer", "proofgen")
STORES = ("store 1", "store 2")
"""The stand-in's sellers, by number."""

SESSION_S = 3.0
"""A process that says nothing for so long loses its partitions."""
CALL_S = 2.0
CALL_START_S = 2
CALL_HORIZON_S = 7
LOOKUP_GAP_S = 1
"""The notifier's settings. The horizon bounds what follows: a call may start `CALL_START_S` after a fence,
and act `SITE_FROZEN_S` + `BEFORE_S` + `LATE_S` after it arrived, since it meets one freeze of the site at
most. A frozen notifier may wake right before its first byte: then it acts that long and `FROZEN_S` after it
fell asleep, while its successor, who waits for the session's end first, sends nothing before `SESSION_S` +
`CALL_HORIZON_S` + `LOOKUP_GAP_S`, less one heartbeat. Beyond the horizon no client can hold the promise
against a site that accepts everything."""
FROZEN_S = 4.5
SITE_FROZEN_S = 3.0
"""Longer than `CALL_S`: whoever calls meanwhile hangs up, and the call acts when the site goes on."""
SITE_AWAKE_S = 6.0
"""Between two freezes at least."""
BEFORE_S = 0.4
LATE_S = 1.2
LAG_S = 0.9
"""How late look-ups may be: within `LOOKUP_GAP_S`, which is there for it."""

_SHIPPING, _UPLOAD = "/alibaba/v2/order/shipping", "/alibaba/order/attachment/upload"
_ORDER, _LOGISTICS = "/alibaba/order/get", "/order/logistics/query"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done to one target: a service, `broker`, `alibaba`, its process `site`, a store, `operator`.

    What is done to a store and to the site is over after `for_s`: the store is connected again.
    """

    at_s: float
    target: str
    kind: str
    for_s: float = 0.0
    wipe: bool = False
    """Whether the local store is gone when the service comes back."""
    faults: tuple[dict[str, Any], ...] = ()

    def __str__(self) -> str:
        """In one line, for the list of what was done."""
        faults = ", ".join(_told(fault) for fault in self.faults)
        more = f" {faults}" if faults else ""
        wiped = ", store wiped" if self.wipe else ""
        return f"{self.target}: {self.kind}{more} for {self.for_s:.1f} s{wiped}"


def _told(fault: dict[str, Any]) -> str:
    return " ".join(str(value) for value in fault.values())


def script(rng: Random, span_s: float) -> list[Deed]:
    """All deeds of a run, by time; those of one target do not overlap."""
    deeds = [
        *(deed for name in NOTIFIERS for deed in _on_service(rng, name, span_s, pause_s=7)),
        *_on_service(rng, "importer", span_s, pause_s=11),
        *_on_service(rng, "proofgen", span_s, pause_s=11),
        *_on_broker(rng, span_s),
        *_on_alibaba(rng, span_s),
        *_by_operator(rng, span_s),
        *_on_site(rng, span_s),
        *(deed for name in STORES for deed in _on_store(rng, name, span_s)),
    ]
    return sorted(deeds, key=lambda deed: deed.at_s)


def _on_service(rng: Random, name: str, span_s: float, pause_s: float) -> Iterator[Deed]:
    at_s = rng.uniform(0.5, pause_s)
    while at_s < span_s:
        kind, for_s = rng.choices(
            [
                ("kill", rng.uniform(0, 3)),
                ("kill twice", rng.uniform(0.3, 2.5)),
                ("freeze", rng.uniform(0.2, 1.5)),
                ("freeze", rng.uniform(SESSION_S + 0.2, FROZEN_S)),
                ("restart", rng.uniform(0, 1)),
            ],
            [5, 2, 3, 3, 3],
        )[0]
        wipe = kind != "freeze" and rng.random() < 0.4
        yield Deed(at_s, name, kind, for_s, wipe)
        at_s += for_s + 1 + rng.expovariate(1 / pause_s)


def _on_broker(rng: Random, span_s: float) -> Iterator[Deed]:
    at_s = rng.uniform(2, span_s * 0.6)
    while at_s < span_s - 2:
        kind, longest_s = rng.choice((("kill", 2.0), ("kill", 2.0), ("freeze", 5.0)))
        for_s = rng.uniform(0.2, longest_s)
        yield Deed(at_s, "broker", kind, for_s)
        at_s += for_s + 6 + rng.expovariate(1 / 6)


def _by_operator(rng: Random, span_s: float) -> Iterator[Deed]:
    """The shipments a second time; a rewind also stops both notifiers."""
    at_s = rng.uniform(4, span_s * 0.6)
    kinds = rng.choice(
        (("publish all again",), ("rewind",), ("rewind without note", "publish all again"), ())
    )
    for kind in kinds:
        yield Deed(at_s, "operator", kind, wipe="rewind" in kind and rng.random() < 0.5)
        at_s += rng.uniform(3, 8)


def _on_site(rng: Random, span_s: float) -> Iterator[Deed]:
    """Calls hang, and act when it goes on."""
    at_s = rng.uniform(1, span_s * 0.6)
    while at_s < span_s - 2:
        for_s = rng.uniform(0.3, SITE_FROZEN_S)
        yield Deed(at_s, "site", "freeze", for_s)
        at_s += for_s + SITE_AWAKE_S + rng.expovariate(1 / 6)


def _on_store(rng: Random, name: str, span_s: float) -> Iterator[Deed]:
    at_s = rng.uniform(1, span_s)
    while at_s < span_s - 2:
        kind = rng.choice(("tokens end", "access token ends"))
        for_s = rng.uniform(0.5, 8)
        yield Deed(at_s, name, kind, for_s)
        at_s += for_s + 3 + rng.expovariate(1 / 10)


def _on_alibaba(rng: Random, span_s: float) -> Iterator[Deed]:
    at_s = rng.uniform(0, 2)
    while at_s < span_s:
        declares, others = rng.sample(_on_declares(rng), 1), rng.choice((0, 0, 1, 2))
        faults = (*declares, *rng.sample(_others(rng), others))
        for_s = rng.uniform(1, 6)
        yield Deed(at_s, "alibaba", "misbehave", for_s, faults=faults)
        at_s += for_s + rng.uniform(0, 1)


def _on_declares(rng: Random) -> list[dict[str, Any]]:
    """What may become of the one call that must not happen twice; one of them at a time."""
    declare = {"path": _SHIPPING, "probability": rng.uniform(0.3, 0.9)}
    late = {"kind": "act_late", "after_s": rng.uniform(0.1, LATE_S), **declare}
    return [
        {"kind": "http_error", "status": 502, "acted": True, **declare},
        {"kind": "http_error", "status": 504, **declare},
        {"kind": "gop_error", "code": "ServiceTimeout", **declare},
        {"kind": "throttle", "ban_s": 1, **declare},
        {"kind": "cut_before", **declare},
        {"kind": "cut_after", **declare},
        {"kind": "latency", "ms": 1_000, "jitter_ms": 2_000, "when": "after", **declare},
        late | {"answer": "cut"},
        late | {"answer": "hang"},
        late | {"answer": "error"},
    ]


def _others(rng: Random) -> list[dict[str, Any]]:
    """What else goes wrong. At most one slows calls down before they act: delays add up."""
    some = rng.uniform(0.1, 0.5)
    return [
        {"kind": "latency", "ms": 50, "jitter_ms": BEFORE_S * 1000 - 50},
        {"kind": "http_error", "status": 503, "probability": some},
        {"kind": "throttle", "code": "AppCallLimit", "ban_s": 1, "probability": 0.05},
        {"kind": "quota", "per_second": 5, "ban_s": 1},
        {"kind": "cut_before", "probability": some},
        {"kind": "cut_after", "path": _UPLOAD, "probability": some},
        {"kind": "lag", "path": _LOGISTICS, "lag_s": rng.uniform(0.2, LAG_S)},
        {"kind": "lag", "path": _ORDER, "lag_s": rng.uniform(0.2, LAG_S)},
    ]
