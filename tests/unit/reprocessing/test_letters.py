"""Which dead letters may go back."""

import pytest

from tests.unit.reprocessing.records import KEY, OTHER, letter
from waybill.reprocessing.letters import (
    NO_REASON,
    Fate,
    Wanted,
    judge,
    letter_of,
    record_of,
)
from waybill.streaming.records import Inbound


def readable(_record: Inbound) -> str | None:
    return None


def unreadable(_record: Inbound) -> str | None:
    return "unknown_schema: no schema has the fingerprint 0101"


def test_a_letter_tells_where_it_came_from_and_why() -> None:
    found = letter_of(letter())

    assert found.position == "dead-letters/3/17"
    assert (found.topic, found.partition, found.offset) == ("shipments", 3, 99)
    assert (found.key, found.reason) == (KEY.decode(), "unknown_schema")
    assert found.redriven_from is None


def test_a_letter_that_somebody_else_wrote_raises_nothing() -> None:
    found = letter_of(Inbound("dead-letters", 0, 0, b"\xff", None, (("dlq.reason", None),), 0))

    assert (found.topic, found.partition, found.reason, found.value_bytes) == (
        "",
        None,
        NO_REASON,
        0,
    )
    assert judge(Inbound("dead-letters", 0, 0, b"\xff", None, (), 0), readable).fate is (
        Fate.TOPIC_TAKES_NONE
    )


@pytest.mark.parametrize(
    ("record", "fate", "told"),
    [
        (letter(), Fate.SEND, ""),
        (letter(b"orders"), Fate.TOPIC_TAKES_NONE, "--held"),
        (letter(b"proofs"), Fate.TOPIC_TAKES_NONE, "asks again"),
        (letter(b"commands"), Fate.TOPIC_TAKES_NONE, "anew"),
        (letter(headers=(("dlq.truncated", b"900"),)), Fate.TRUNCATED, "2 of 900 bytes"),
        (letter(key=None), Fate.NO_KEY, "with its key"),
        (letter(value=b"x" * 1_048_500), Fate.TOO_LARGE, "limit"),
    ],
)
def test_a_letter_goes_back_or_says_what_to_do(record: Inbound, fate: Fate, told: str) -> None:
    judgement = judge(record, readable)

    assert judgement.fate is fate
    assert told in judgement.why


def test_a_letter_that_is_still_unreadable_stays_with_the_reason_of_today() -> None:
    judgement = judge(letter(), unreadable)

    assert judgement.fate is Fate.STILL_UNREADABLE
    assert "0101" in judgement.why


def test_a_letter_goes_back_once_and_its_successor_is_another_letter() -> None:
    sent = {"dead-letters/3/17"}
    assert judge(letter(), readable, sent).fate is Fate.SENT_BEFORE

    again = record_of(letter(), 12, "redrive-1")
    # given up once more, it is a letter of its own at another place, and its record names the first
    second = Inbound(
        "dead-letters",
        4,
        1,
        again.key,
        again.value,
        (*again.headers, ("dlq.origin-topic", b"shipments")),
        0,
    )
    assert letter_of(second).redriven_from == "dead-letters/3/17"
    assert judge(second, readable, sent).fate is Fate.SEND


def test_letters_are_chosen_by_reason_topic_and_order() -> None:
    record = letter()
    found = letter_of(record)

    assert Wanted().matches(record, found)
    assert Wanted(
        frozenset({"unknown_schema"}), frozenset({"shipments"}), frozenset({KEY})
    ).matches(record, found)
    assert not Wanted(reasons=frozenset({"invalid"})).matches(record, found)
    assert not Wanted(topics=frozenset({"proofs"})).matches(record, found)
    assert not Wanted(keys=frozenset({OTHER})).matches(record, found)
