"""The rule of the notifier: at most one shipment per order, whatever is repeated, lost or late.

A pure state machine, `decide(entry, event, facts) -> Decision`. It knows no clock, no broker, no network, no
settings and no chance; the caller writes the decision in one transaction and starts its effects after the
commit. What the table does not name changes nothing (an empty decision).

=============  ===========================  =================================================================
state          event                        leads to
=============  ===========================  =================================================================
none, voided,  shipment                     waiting, claimed or rejected, as today's facts say
rejected       void                         voided
waiting,       newer revision, order,       waiting, claimed or rejected, as today's facts say
claimed,       store
parked (1)     void                         voided
waiting        due (order unknown)          waiting, hint to the importer again
claimed        proof overdue                claimed and asked again; the fifth time parked (no_proof)
               proof refused                parked (proof_refused)
               proof, store in dry run      waiting (dry_run)
               uploaded                     dispatched, call; look-ups first where the ledger may forget
               upload failed                claimed after a pause; rejected by Alibaba: rejected
               due (a pause is over)        claimed, free to go
parked         proof after all              claimed
(no_proof)
dispatched     accepted                     confirmed
               not sent, throttled,         as today's facts say: claimed after a pause, waiting, rejected;
               unauthorised, never started  voided if a void came meanwhile
               rejected by Alibaba          rejected; with a correction or void meanwhile, that decides
               unclear, taken over, due     in_doubt, look-up
in_doubt       due                          in_doubt, look-up
               taken over                   in_doubt from the beginning, look-up
               accepted, found: ours        confirmed
               found: another's             rejected (shipped_elsewhere), for ever
               found: none, counted twice   as today's facts say; parked (ask_operator) if the store wants it;
                                            voided if a void came meanwhile; rejected if cancelled
               contradictions               in_doubt; many, and past the horizon: parked (lookups_contradict)
dispatched,    newer revision, void         the same state, too late: a person is asked to look
in_doubt,
confirmed,
parked (2)
parked (1)     command: release             as today's facts say, with a new claim
parked (2),    command: release, resend     in_doubt, look-up; "none" then needs no store's policy;
rejected (3),                               voided (not_at_alibaba) where the body is gone
confirmed (4)
in_doubt       command: resend              in_doubt; the same
waiting,       command: cancel              voided
claimed,
parked (1)
confirmed      command: acknowledge         confirmed, no longer too late
any            another command, another     nothing: nobody is told, nothing is written
               revision, a known command
any            known revision               nothing
any but none,  another shipment             the same state: refused, or the same parcel
voided,
rejected
waiting,       another part (5)             waiting, claimed: all parts together, as today's facts say
claimed,       newer revision or void       the same, with it as it is now, or without it
parked (1)     of one of several parts
=============  ===========================  =================================================================

(1) parked before any call (proof_refused, no_proof); (2) parked after one (lookups_contradict, ask_operator);
(3) after a call, or when another's shipment was found; (4) resend only.
(5) of an order whose store collects parts; what is called a part is also taken in before the order is known.
An order that turns "shipped" after a call of ours that came back leads to in_doubt: the shipment may be ours.

Where to read on: `evaluate` (may it go?), `settle` (where does it belong?), `shipments`, `collecting`
(parts), `proofs`, `calls`, `lookups`, `commands`, `world` (events by their source), `entry` (what is
written), `notices` (what is told).
"""

from services.notifier.rule.claims import claim_of
from services.notifier.rule.commands import Objection, Plan, judge, plan_of
from services.notifier.rule.decision import decide
from services.notifier.rule.doubt import quiet_after_fence
from services.notifier.rule.entry import recognised
from services.notifier.rule.parcel import normalise_tracking
from services.notifier.rule.types import (
    NOTHING,
    Accepted,
    CallEnded,
    CallNeverStarted,
    CallOutcome,
    CommandArrived,
    Contradicts,
    Decision,
    DeclareRequest,
    DueReached,
    Effect,
    Event,
    Facts,
    Failure,
    Forgotten,
    HeldShipment,
    Holds,
    HoldsNone,
    Limits,
    LookedUp,
    LookupAnswer,
    LookupFailed,
    NotSent,
    OrderChanged,
    ProofArrived,
    ProofOverdue,
    RejectedByAlibaba,
    SendHint,
    ShipmentArrived,
    StartCall,
    StartLookUp,
    StoreChanged,
    TakenOver,
    Throttled,
    Unauthorised,
    Unclear,
    Uploaded,
    UploadFailed,
)

__all__ = [
    "NOTHING",
    "Accepted",
    "CallEnded",
    "CallNeverStarted",
    "CallOutcome",
    "CommandArrived",
    "Contradicts",
    "Decision",
    "DeclareRequest",
    "DueReached",
    "Effect",
    "Event",
    "Facts",
    "Failure",
    "Forgotten",
    "HeldShipment",
    "Holds",
    "HoldsNone",
    "Limits",
    "LookedUp",
    "LookupAnswer",
    "LookupFailed",
    "NotSent",
    "Objection",
    "OrderChanged",
    "Plan",
    "ProofArrived",
    "ProofOverdue",
    "RejectedByAlibaba",
    "SendHint",
    "ShipmentArrived",
    "StartCall",
    "StartLookUp",
    "StoreChanged",
    "TakenOver",
    "Throttled",
    "Unauthorised",
    "Unclear",
    "UploadFailed",
    "Uploaded",
    "claim_of",
    "decide",
    "judge",
    "normalise_tracking",
    "plan_of",
    "quiet_after_fence",
    "recognised",
]
