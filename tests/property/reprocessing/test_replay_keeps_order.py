"""Whatever lies on the topic: a replay keeps each order in order; a second one takes nothing of the first."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from waybill.contracts.keys import partition_of
from waybill.reprocessing.selection import Choice, Selection, as_offsets, parse_offsets
from waybill.reprocessing.stamps import letters_named, redriven, replayed
from waybill.streaming.records import Inbound, Outbound

PARTITIONS = 4
KEYS = [f"sandbox:{number}".encode() for number in range(5)]

places = st.tuples(st.sampled_from(KEYS), st.integers(0, PARTITIONS - 1), st.booleans())


def topic_of(writes: list[tuple[bytes, int, bool]]) -> list[Inbound]:
    """Records as publishers leave them: on the right partition, or anywhere."""
    ends: dict[int, int] = defaultdict(int)
    records = []
    for number, (key, anywhere, right) in enumerate(writes):
        partition = partition_of(key, PARTITIONS) if right else anywhere
        value = str(number).encode()
        records.append(Inbound("shipments", partition, ends[partition], key, value, (), number))
        ends[partition] += 1
    return records


def written(record: Outbound, offset: int) -> Inbound:
    headers = record.headers
    return Inbound(
        record.topic, record.partition, offset, record.key, record.value, headers, offset
    )


@given(st.lists(places, max_size=30))
def test_per_order_the_original_order_is_kept(writes: list[tuple[bytes, int, bool]]) -> None:
    selection = Selection(PARTITIONS)
    records = topic_of(writes)

    taken = [replayed(r, "replay-1") for r in records if selection.choose(r) is Choice.TAKEN]

    for key in KEYS:
        right = partition_of(key, PARTITIONS)
        before = [r.value for r in records if r.key == key and r.partition == right]
        assert [r.value for r in taken if r.key == key] == before
        assert {r.partition for r in taken if r.key == key} <= {right}


@given(st.lists(places, max_size=30))
def test_a_second_replay_takes_the_originals_and_none_of_the_copies(
    writes: list[tuple[bytes, int, bool]],
) -> None:
    selection = Selection(PARTITIONS)
    records = topic_of(writes)
    first = [replayed(r, "replay-1") for r in records if selection.choose(r) is Choice.TAKEN]
    copies = [written(one, 1_000 + number) for number, one in enumerate(first)]

    second = [r for r in [*records, *copies] if selection.choose(r) is Choice.TAKEN]

    assert [r.value for r in second] == [one.value for one in first]


headers = st.lists(
    st.tuples(
        st.sampled_from(["a", "wb-rerouted", "wb-replayed", "wb-replayed-from", "dlq.reason"]),
        st.none() | st.binary(max_size=5),
    )
)


@given(st.sampled_from(KEYS), st.none() | st.binary(), headers)
def test_a_redriven_record_names_its_letter_and_nothing_of_its_former_way(
    key: bytes, value: bytes | None, before: list[tuple[str, bytes | None]]
) -> None:
    letter = Inbound("dead-letters", 2, 8, key, value, before, 0)

    again = redriven(letter, "shipments", PARTITIONS, "redrive-1")

    assert again.partition == partition_of(key, PARTITIONS)
    assert (again.key, again.value) == (key, value)
    assert letters_named(written(again, 0)) == ["dead-letters/2/8"]
    assert [one for one in again.headers if one[0] == "a"] == [
        one for one in before if one[0] == "a"
    ]
    # once more, from where it lies now: a replay of it still names the letter
    assert letters_named(written(replayed(written(again, 5), "replay-1"), 6)) == [
        "dead-letters/2/8"
    ]


@given(st.dictionaries(st.integers(0, 11), st.integers(0, 10**17), min_size=1))
def test_offsets_survive_the_way_through_the_command_line(positions: dict[int, int]) -> None:
    assert parse_offsets(as_offsets(positions), 12) == positions
