"""Which topics may be written to again, and what to do about the others."""

WRITTEN_AGAIN = frozenset({"shipments"})
"""Only the public way in: its records are judged by a ledger that remembers each of them."""

_COMPACTED = (
    "it is compacted and the newest state of each key lies there still; an older one written after a newer "
    "one would become the truth. A reader that wants everything again starts at its beginning"
)
_INSTEAD = {
    "orders": f"{_COMPACTED}. To have orders read from Alibaba again: `waybill redrive --held`, or the "
    "importer's next poll",
    "notifications": "mailers and shipping systems would be told twice, and a buyer with them. A reader that "
    "wants them again resets its own group's position; the topic keeps them for a year",
    "claims": "the notifier asks again by itself for every proof that it still needs",
    "proofs": "an image read twice is never used twice, and the notifier asks again for one that it lacks",
    "ledger": "it is the memory that keeps orders from being sent twice; only the notifier writes it",
    "commands": "a command names the entry that the operator saw: look again, and give it anew",
    "order-hints": "a hint is worth some minutes only; `waybill redrive --held` gives new ones",
    "dead-letters": "`waybill redrive` writes dead letters back to where they came from",
    "schemas": "every service reads all of it when it starts",
}
_PRIVATE = (
    "it is private to the services that own it, which read it from its beginning when they need to"
)


def why_not(topic: str) -> str | None:
    """Why nothing is written to this topic again, with what to do instead; None for one that takes it."""
    if topic in WRITTEN_AGAIN:
        return None
    return _INSTEAD.get(topic, _PRIVATE)
