"""What the list of orders tells an operator."""

import pytest

from tests.unit.notifier.rule.test_commands import ask_operator, confirmed, corrected_too_late
from waybill.cli.orders_commands import ABOUT, stands
from waybill.cli.orders_list import what_to_do
from waybill.cli.orders_read import Standing
from waybill.contracts.command import CommandKind


def standing(state: str, reason: str = "", attention: str = "") -> Standing:
    return Standing("sandbox:1", "sandbox-1", state, reason, attention, 0)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (standing("parked", "proof_refused"), "publish it corrected"),
        (standing("parked", "no_proof"), "proofgen"),
        (standing("parked", "ask_operator"), "release"),
        (standing("parked", "lookups_contradict"), "release"),
        (standing("parked", "ask_operator", "void_too_late"), "release"),
        (standing("confirmed", "", "void_too_late"), "acknowledge"),
        (standing("in_doubt", "outcome_unknown", "void_too_late"), "look-ups decide"),
        (standing("UNRECOGNISED", "ledger_unreadable"), "upgrade"),
    ],
)
def test_whatever_needs_a_person_has_a_next_step(one: Standing, word: str) -> None:
    assert one.needs_operator
    assert word in what_to_do(one)


@pytest.mark.parametrize("state", ["waiting", "claimed", "dispatched", "confirmed", "voided"])
def test_what_goes_by_itself_needs_nobody(state: str) -> None:
    assert not standing(state).needs_operator
    assert what_to_do(standing(state)) == "-"


def test_an_entry_is_named_with_its_reason_and_what_came_too_late() -> None:
    assert stands(confirmed().entry) == "confirmed"
    assert stands(ask_operator().entry) == "parked (ask_operator)"
    assert stands(corrected_too_late().entry) == "confirmed (correction_too_late)"


def test_there_is_a_command_for_every_kind_about_an_order() -> None:
    others = {CommandKind.UNRECOGNISED, CommandKind.ACCEPT_LOSS}
    assert set(ABOUT) == set(CommandKind) - others
