"""A transactional id that nobody used for too long: the broker forgets it, and who was shut out of it."""

from collections.abc import Mapping

import pytest

from tests.conformance.reading import LEDGER, reading
from tests.conformance.rigs import Rig
from waybill.streaming.errors import UnclearError
from waybill.streaming.ports import Opened, Place
from waybill.streaming.records import Outbound

READ = {"shipments": 1}


def _write(
    rig: Rig, opened: Opened, value: bytes, *, positions: Mapping[str, int]
) -> Mapping[Place, int]:
    outputs = [Outbound("ledger", 0, b"k", value)]
    return opened.transactions.commit(outputs, positions, "", rig.metadata())


def _opened_and_forgotten(rig: Rig) -> Opened:
    opened = rig.opener().open(0)
    _write(rig, opened, b"first", positions=READ)
    rig.expire(rig.fence_id(0))
    return opened


def test_an_owner_that_was_idle_for_too_long_opens_anew_and_goes_on(forgetful_rig: Rig) -> None:
    rig = forgetful_rig
    owner = _opened_and_forgotten(rig)

    for _ in range(2):
        with pytest.raises(UnclearError):
            _write(rig, owner, b"lost", positions=READ)
    again = rig.opener().open(0)
    _write(rig, again, b"again", positions=READ)

    assert again.committed == READ
    assert reading(rig, LEDGER).up_to(4) == [b"first", b"again"]


def test_an_owner_from_before_the_expiry_is_shut_out_by_the_next_takeover(
    forgetful_rig: Rig,
) -> None:
    rig = forgetful_rig
    old = _opened_and_forgotten(rig)

    new = rig.opener().open(0)

    with pytest.raises(UnclearError):
        _write(rig, old, b"zombie", positions=READ)
    _write(rig, new, b"new", positions=READ)
    assert reading(rig, LEDGER).up_to(4) == [b"first", b"new"]


def test_who_was_shut_out_before_the_expiry_does_not_come_back_with_it(forgetful_rig: Rig) -> None:
    """The broker has forgotten both: whoever asks it for the id gets it, so no old producer may ask.

    Records alone: with positions it depends on which of two answers comes first whether the client asks.
    """
    rig = forgetful_rig
    zombie = rig.opener().open(0)
    owner = _opened_and_forgotten(rig)

    for old in (zombie, owner):
        with pytest.raises(UnclearError):
            _write(rig, old, b"lost", positions={})
    _write(rig, rig.opener().open(0), b"new", positions={})

    assert reading(rig, LEDGER).up_to(4) == [b"first", b"new"]
