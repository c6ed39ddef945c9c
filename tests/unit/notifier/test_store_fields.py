"""Every setting of a store is obeyed: each field, with the test that shows it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from services.notifier.rule import Unclear
from tests.unit.notifier.rule.builders import Life, make_store
from waybill.contracts import Store
from waybill.contracts.ledger import State
from waybill.contracts.notification import Reason
from waybill.contracts.proof import AddressMismatch, Branding, Language, PaperSize
from waybill.contracts.store import ResendPolicy

_TESTS = Path(__file__).parents[2]

CLI_STORE_CHANGES = "unit/cli/test_store_changes.py"
CLI_SLIP = "unit/cli/test_packing_slip.py"
NORMALISE = "unit/importer/test_normalise.py"
WINDOWS = "unit/importer/test_windows.py"
CALLS = "unit/notifier/rule/test_calls.py"
EVALUATION = "unit/notifier/rule/test_evaluation.py"
PROOFS = "unit/notifier/rule/test_proofs.py"
LIMITS = "unit/notifier/test_limits.py"
ORDER_OF_WORK = "unit/notifier/test_order_of_work.py"
PARTS = "unit/notifier/test_parts.py"
HERE = "unit/notifier/test_store_fields.py"
TIMETABLE = "unit/notifier/test_timetable.py"

SHOWN_BY: dict[str, tuple[str, str]] = {
    "store_id": (
        NORMALISE,
        "test_an_order_ready_to_ship_is_importable_and_keyed_by_site_and_number",
    ),
    "site": (NORMALISE, "test_an_order_ready_to_ship_is_importable_and_keyed_by_site_and_number"),
    "seller_id": (CLI_STORE_CHANGES, "test_a_new_store_sends_nothing_and_begins_today"),
    "name": (
        CLI_STORE_CHANGES,
        "test_connecting_again_keeps_the_settings_and_begins_a_new_generation_of_tokens",
    ),
    "revision": (ORDER_OF_WORK, "test_an_older_revision_of_a_store_changes_nothing"),
    "mode": (PROOFS, "test_a_store_that_goes_live_lets_its_dry_runs_go_with_a_fresh_proof"),
    "paused": (LIMITS, "test_a_store_that_is_paused_for_a_fortnight_slows_no_other"),
    "connected_at": (
        WINDOWS,
        "test_the_first_window_starts_a_month_before_the_store_was_connected",
    ),
    "ship_from": (EVALUATION, "test_a_shipment_that_a_rule_refuses"),
    "token_generation": (
        CLI_STORE_CHANGES,
        "test_connecting_again_keeps_the_settings_and_begins_a_new_generation_of_tokens",
    ),
    "status_map": (ORDER_OF_WORK, "test_look_ups_read_the_statuses_as_the_store_maps_them_now"),
    "carrier_map": (
        EVALUATION,
        "test_carriers_are_found_by_code_then_by_name_then_as_alibabas_code",
    ),
    "partial_policy": (PARTS, "test_a_store_that_begins_to_collect_does_so_without_a_restart"),
    "resend_policy": (HERE, "test_a_changed_resend_policy_counts_for_the_doubt_under_way"),
    "verify_first": (CALLS, "test_verify_first_looks_the_order_up_before_its_first_call"),
    "branding": (HERE, "test_each_part_of_the_branding_asks_for_a_new_proof"),
    "time_zone": (TIMETABLE, "test_a_window_opens_and_closes_by_the_store_s_own_clock"),
    "notify_delay_min": (
        TIMETABLE,
        "test_a_delayed_order_goes_by_itself_and_is_written_once_for_it",
    ),
    "notify_window": (
        TIMETABLE,
        "test_orders_wait_for_the_window_and_go_when_it_opens_without_a_write",
    ),
    "buyer_mail": (EVALUATION, "test_a_confirmation_says_whether_a_mailer_is_to_tell_the_buyer"),
    "slip_pictures": (CLI_SLIP, "test_pictures_are_fetched_only_if_the_store_says_so"),
    "rate_per_s": (TIMETABLE, "test_a_changed_start_rate_counts_for_the_next_call"),
    "import_from": (WINDOWS, "test_a_store_may_choose_where_its_import_starts"),
    "backfill": (WINDOWS, "test_history_is_read_to_the_moment_at_which_that_was_asked_for"),
    "backfill_from": (WINDOWS, "test_history_is_read_to_the_moment_at_which_that_was_asked_for"),
    "disconnected": (EVALUATION, "test_a_shipment_that_has_to_wait"),
}


@cache
def _tests_in(file: str) -> set[str]:
    tree = ast.parse((_TESTS / file).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_setting_is_without_a_test() -> None:
    assert set(Store.model_fields) == SHOWN_BY.keys()


@pytest.mark.parametrize("field", SHOWN_BY)
def test_the_test_of_a_setting_is_there(field: str) -> None:
    file, name = SHOWN_BY[field]

    assert name in _tests_in(file)


def test_a_changed_resend_policy_counts_for_the_doubt_under_way() -> None:
    life = Life().dispatched()
    life.end_call(Unclear())
    life.store_becomes(make_store(resend_policy=ResendPolicy.ASK_OPERATOR))
    while life.is_in(State.IN_DOUBT):
        life.come_due()
        life.none()

    assert life.at == (State.PARKED, Reason.ASK_OPERATOR)


@pytest.mark.parametrize(
    "branding",
    [
        Branding(name="Lamps"),
        Branding(address_lines=("1 High Street",)),
        Branding(phone="+44 1"),
        Branding(show_cost=False),
        Branding(logo=b"PNG"),
        Branding(paper=PaperSize.LETTER),
        Branding(third_language=Language.DE),
        Branding(address_mismatch=AddressMismatch.REFUSE),
    ],
)
def test_each_part_of_the_branding_asks_for_a_new_proof(branding: Branding) -> None:
    life = Life().claimed()
    before = life.entry.claim

    life.store_becomes(make_store(branding=branding))

    assert life.is_in(State.CLAIMED)
    assert life.entry.claim != before


def test_settings_that_came_later_leave_the_ids_of_older_claims_as_they_were() -> None:
    life = Life().claimed()
    assert life.entry.claim is not None
    assert life.entry.claim.claim_id == "aab8cf51-f4d0-5b06-b786-f0c76bbf1191"

    life.store_becomes(make_store(branding=Branding(name="Lamps", logo=b"PNG")))
    assert life.entry.claim.claim_id == "144b9614-604c-5053-bdd5-31aabc66266d"
