"""Options of replay, redrive, dead-letters and reconcile that cannot be used; none reaches a broker."""

import pytest

from tests.unit.cli.outcome import Waybill
from waybill.contracts.topics import topics

KEY = "alibaba:255201166001024316"


@pytest.mark.parametrize("topic", sorted(set(topics()) - {"shipments"}))
def test_no_other_topic_is_replayed_or_redriven(waybill: Waybill, topic: str) -> None:
    replay = waybill("replay", topic, "--from", "1h", "--run")
    redrive = waybill("redrive", "--topic", topic, "--run")

    assert (replay.code, redrive.code) == (2, 2)
    assert f"TOPIC {topic}: nothing is replayed there: " in replay.err
    assert f"--topic {topic}: nothing goes back there: " in redrive.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("replay", "nothing"), "TOPIC 'nothing': there is no such topic; want shipments"),
        (("replay", "shipments", "--from", "tomorrow"), "--from: 'tomorrow': want a time"),
        (
            ("replay", "shipments", "--from", "2026-11-23T15:00"),
            "--from: '2026-11-23T15:00': say in",
        ),
        (
            ("replay", "shipments", "--from", "1h", "--until", "2h"),
            "--until: it lies before --from",
        ),
        (("replay", "shipments", "--from", "1h", "--order", "1"), "--order: order key '1': want"),
        (("redrive", "--reason", "bad"), "--reason 'bad': want one of unknown_form"),
        (("redrive", "--order", "x"), "--order: order key 'x': want"),
        (("redrive", "--store", "s"), "--store: goes with --held"),
        (("redrive", "--held", "--topic", "shipments"), "--topic: goes with dead letters"),
        (
            ("redrive", "--held", "--reason", "bad"),
            "--reason 'bad': with --held want one of no_deliv",
        ),
        (("dead-letters", "show", "seven"), "LETTER 'seven': want PARTITION:OFFSET"),
        (("reconcile", "--since", "once"), "--since: 'once': want a time"),
    ],
)
def test_a_wrong_option_is_named_with_what_to_write(
    waybill: Waybill, line: tuple[str, ...], told: str
) -> None:
    outcome = waybill(*line)

    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.out == ""
