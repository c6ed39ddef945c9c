"""What is wrong with how a fire ended, judged from the sandbox's journal and the topics alone. Pure."""

from collections import Counter, defaultdict
from itertools import pairwise

from tests.endings import wrongly_told
from tests.fire.case import Case, Problem, Problems
from tests.fire.evidence import Evidence, Published
from tests.fire.reasons import untrue
from waybill.contracts import LedgerEntry, Notification, Shipment
from waybill.contracts.keys import order_key
from waybill.contracts.ledger import State
from waybill.contracts.notification import Outcome
from waybill.demo.installation import SITE

_UNDER_WAY = frozenset({State.CLAIMED, State.DISPATCHED, State.IN_DOUBT})


def problems(evidence: Evidence, rewinds: int) -> list[Problem]:
    """All of them; empty when everything is as promised."""
    case = Case(evidence, rewinds)
    found = [
        *_one_shipment_each(case),
        *_ledger_and_site(case),
        *_proofs_came_first(case),
        *_ledger_history(case),
        *_every_event_ended(case),
        *_notifications(case),
        *_bad_records(case),
    ]
    if evidence.late_acts_pending:
        pending = f"{evidence.late_acts_pending} call(s) have not acted yet"
        found.append(Problem(pending, unfinished=True))
    return found


# ------------------------------------------------------------------------------------ Alibaba's side


def _one_shipment_each(case: Case) -> Problems:
    acted: Counter[str] = Counter()
    for row in case.evidence.journal:
        refused_by_status = row["kind"] == "shipment_refused" and row["only_by_status"]
        if row["kind"] == "shipment" or refused_by_status:
            acted[order_key(SITE, row["trade_id"])] += 1
    for key, count in acted.items():
        if count > 1:
            yield Problem(f"{key}: {count} calls acted at Alibaba, not one")


def _ledger_and_site(case: Case) -> Problems:
    for key in case.accepted:
        entry = case.last.get(key)
        if entry is None or entry.state is not State.CONFIRMED:
            found = entry.state if entry else "no entry"
            yield Problem(f"{key}: Alibaba has it, the ledger says {found}", _may_move(entry))
    for key, entry in case.last.items():
        if entry.state is State.CONFIRMED:
            yield from _confirmed_is_true(case, key, entry)


def _may_move(entry: LedgerEntry | None) -> bool:
    return entry is None or entry.state in _UNDER_WAY


def _confirmed_is_true(case: Case, key: str, entry: LedgerEntry) -> Problems:
    held = [row["tracking_number"] for row in case.accepted.get(key, [])]
    if not held:
        yield Problem(f"{key}: confirmed, but Alibaba has nothing")
        return
    sent = entry.attempt.tracking_number if entry.attempt else None
    published = {
        event.tracking_number
        for event in case.events.get(key, [])
        if event.shipment_id == entry.shipment_id
    }
    if sent not in held or sent not in published:
        yield Problem(f"{key}: confirmed with {sent}, Alibaba has {held}, published: {published}")


def _proofs_came_first(case: Case) -> Problems:
    uploads: dict[str, tuple[int, str]] = {}
    for row in case.evidence.journal:
        if row["kind"] == "upload":
            uploads[row["file_path"]] = (row["seq"], row["sha256"])
    for key, rows in case.accepted.items():
        drawn = case.evidence.proofs.get(key, frozenset())
        for row in rows:
            if not row["attachments"]:
                yield Problem(f"{key}: shipped without a proof")
            for page in row["attachments"]:
                seq, sha256 = uploads.get(page["file_path"], (row["seq"], ""))
                if seq >= row["seq"]:
                    yield Problem(f"{key}: shipped with a proof that was not uploaded before")
                elif sha256 not in drawn:
                    yield Problem(f"{key}: shipped with a page that nobody drew for this order")


# -------------------------------------------------------------------------------------- the ledger


def _ledger_history(case: Case) -> Problems:
    """One writer: revisions only go up (events of one transaction may share a record), confirmed stays."""
    for key, entries in case.entries.items():
        revisions = [entry.revision for entry in entries]
        if any(later <= before for before, later in pairwise(revisions)):
            yield Problem(f"{key}: the ledger's revisions are {revisions}")
        states = [entry.state for entry in entries]
        if State.CONFIRMED in states:
            after = set(states[states.index(State.CONFIRMED) :])
            if after != {State.CONFIRMED}:
                yield Problem(f"{key}: was confirmed and became {after - {State.CONFIRMED}}")


def _every_event_ended(case: Case) -> Problems:
    for key, events in case.events.items():
        entry = case.last.get(key)
        if entry is None:
            yield Problem(f"{key}: {len(events)} shipment(s), no ledger entry", unfinished=True)
            continue
        if entry.state in _UNDER_WAY:
            yield Problem(f"{key}: {entry.state} ({entry.reason})", unfinished=True)
        yield from _taken_in(key, events, entry)
        yield from _ended(case, key, entry)


def _taken_in(key: str, events: list[Shipment], entry: LedgerEntry) -> Problems:
    seen = {each.shipment_id: each.revision for each in entry.seen}
    for event in events:
        known = seen.get(event.shipment_id)
        if known is None or known < event.effective_revision:
            lost = f"{event.shipment_id} revision {event.effective_revision}"
            yield Problem(f"{key}: {lost} was not taken in (known: {known})", unfinished=True)


def _ended(case: Case, key: str, entry: LedgerEntry) -> Problems:
    told = case.told.get(key, {})
    for wrong in wrongly_told(entry, told):
        yield Problem(f"{key}: {wrong}", unfinished=True)
    for seen in entry.seen:
        last = told[seen.shipment_id][-1] if seen.shipment_id in told else None
        if last is not None and (why := untrue(case, key, entry, seen.shipment_id, last)):
            yield Problem(f"{key}: {seen.shipment_id} {last.outcome}, but {why}", unfinished=True)


# ------------------------------------------------------------------------------------ notifications


def _notifications(case: Case) -> Problems:
    by_id: dict[str, list[Notification]] = defaultdict(list)
    for note in case.evidence.notifications:
        by_id[note.notification_id].append(note)
        entry = case.last.get(note.order_key)
        if entry is None or entry.revision < note.entry_revision:
            told = f"{note.order_key}: {note.outcome} told of revision {note.entry_revision}"
            yield Problem(f"{told}, which the ledger lacks", unfinished=True)
    for notes in by_id.values():
        if len(notes) > 1:
            same = "the same" if all(note == notes[0] for note in notes) else "different"
            key = notes[0].order_key
            yield Problem(f"{key}: a notification was published {len(notes)} times, {same} content")
    yield from _confirmed_told_once(case)


def _confirmed_told_once(case: Case) -> Problems:
    notes = case.evidence.notifications
    told = Counter(note.order_key for note in notes if note.outcome is Outcome.CONFIRMED)
    confirmed = {key for key, entry in case.last.items() if entry.state is State.CONFIRMED}
    for key in confirmed | told.keys():
        if told[key] > 1:
            yield Problem(f"{key}: told as confirmed {told[key]} times")
        elif (key in confirmed) != bool(told[key]):
            what = "confirmed in the ledger" if key in confirmed else "told as confirmed"
            yield Problem(f"{key}: only {what}", unfinished=True)


# -------------------------------------------------------------------------------------- bad records


def _bad_records(case: Case) -> Problems:
    dead = Counter(letter.origin for letter in case.evidence.dead)
    letters = {letter.origin: letter for letter in case.evidence.dead}
    forwarded = {(one.key, one.value) for one in case.evidence.published if one.rerouted}
    expected = set()
    for one in case.evidence.published:
        if one.misplaced and not one.rerouted:
            if (one.key, one.value) not in forwarded:
                yield Problem(f"{one.place}: was not forwarded", unfinished=True)
        elif one.bad is not None:
            expected.add(one.place)
            letter = letters.get(one.place)
            yield from _dead_letter(case, one, dead[one.place], letter.reason if letter else None)
            if letter is not None and (letter.key, letter.value) != (one.key, one.value):
                yield Problem(f"{one.place}: its dead letter is not the untouched record")
    for origin in dead.keys() - expected:
        why = f"{letters[origin].reason}: {letters[origin].error}"
        yield Problem(f"{origin}: a good record is a dead letter ({why})")


def _dead_letter(case: Case, one: Published, count: int, reason: str | None) -> Problems:
    if count == 0:
        yield Problem(f"{one.place}: bad ({one.bad}) and no dead letter", unfinished=True)
    elif count > 1 + case.rewinds:
        yield Problem(f"{one.place}: {count} dead letters, {case.rewinds} rewind(s)")
    elif reason != one.bad:
        yield Problem(f"{one.place}: a dead letter because of {reason}, not {one.bad}")
