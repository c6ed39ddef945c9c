"""Settings of a store as `name=value`."""

import re
from datetime import UTC, datetime

import pytest

from waybill.cli.errors import InputError
from waybill.cli.store_changes import (
    PLAIN,
    carriers,
    changed,
    connected,
    known_settings,
    switched,
)
from waybill.contracts import Store
from waybill.contracts.proof import AddressMismatch, Language, PaperSize
from waybill.contracts.store import StoreMode

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 15, tzinfo=UTC)
STORE = connected("sandbox", "2011492515", "Lumen & Volt", NOW)


def test_a_new_store_sends_nothing_and_begins_today() -> None:
    assert STORE.store_id == "sandbox-2011492515"
    assert STORE.mode is StoreMode.DRY_RUN
    assert STORE.connected_at == STORE.ship_from == NOW
    assert (STORE.revision, STORE.token_generation) == (1, 1)


def test_connecting_again_keeps_the_settings_and_begins_a_new_generation_of_tokens() -> None:
    live = changed(STORE, ["mode=live", "carrier.fedex=FEDEX"])
    former = live.model_copy(update={"disconnected": True})

    again = connected("sandbox", "2011492515", "Lumen", LATER, former)

    assert again == former.model_copy(
        update={"name": "Lumen", "revision": 3, "token_generation": 2, "disconnected": False}
    )


def test_without_a_name_a_store_keeps_its_own_and_a_new_one_is_called_by_its_id() -> None:
    assert connected("sandbox", "2011492515", None, LATER, STORE).name == "Lumen & Volt"
    assert connected("sandbox", "4711", None, NOW).name == "sandbox-4711"


def test_the_name_of_a_new_store_is_the_issuers_on_its_proofs() -> None:
    assert STORE.branding.name == "Lumen & Volt"
    assert connected("sandbox", "4711", None, NOW).branding.name is None
    assert connected("sandbox", "2011492515", "Lumen", LATER, STORE).branding == STORE.branding


def test_connecting_sets_live_and_never_takes_it_back() -> None:
    live = connected("sandbox", "4711", None, NOW, live=True)

    assert live.mode is StoreMode.LIVE
    assert connected("sandbox", "4711", None, LATER, live).mode is StoreMode.LIVE


def test_a_switch_that_stands_so_already_changes_nothing() -> None:
    paused = switched(STORE, paused=True)

    assert (paused.paused, paused.revision) == (True, 2)
    assert switched(paused, paused=True) is paused
    assert switched(paused, paused=False).revision == 3


def test_several_settings_change_in_one_revision() -> None:
    after = changed(
        STORE,
        [
            "mode=live",
            "ship_from=2026-11-01T00:00:00+08:00",
            "carrier.FedEx=FEDEX",
            "status.paid=awaiting_shipment",
            "branding.address_lines=1 Harbour Road | Ningbo",
            "branding.show_cost=false",
            "branding.paper=letter",
            "branding.third_language=DE",
            "branding.address_mismatch=refuse",
            "notify_window=08:00-20:00",
        ],
    )

    assert after.revision == 2
    assert after.mode is StoreMode.LIVE
    assert after.ship_from == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert after.carrier_map == {"fedex": "FEDEX"}
    assert after.status_map == {"paid": "awaiting_shipment"}
    assert after.branding.address_lines == ("1 Harbour Road", "Ningbo")
    assert after.branding.show_cost is False
    assert after.branding.paper is PaperSize.LETTER
    assert after.branding.third_language is Language.DE
    assert after.branding.address_mismatch is AddressMismatch.REFUSE


def test_an_empty_value_takes_a_setting_out() -> None:
    store = changed(
        STORE,
        ["carrier.fedex=FEDEX", "notify_window=08:00-20:00", "branding.third_language=de"],
    )

    after = changed(
        store, ["carrier.fedex=", "notify_window=", "carrier.never=", "branding.third_language="]
    )

    assert after.carrier_map == {}
    assert after.notify_window is None
    assert after.branding.third_language is None


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("mode", "want name=value"),
        ("colour=red", "colour: no such setting; there are name, mode"),
        ("carrier.=FEDEX", "no such setting"),
        ("store_id=other", "no such setting"),
        ("revision=7", "no such setting"),
        ("disconnected=true", "no such setting"),
        ("mode=lively", "mode: Input should be 'dry_run' or 'live'"),
        ("ship_from=yesterday", "ship_from: "),
        ("ship_from=2026-11-01T00:00:00", "ship_from: a time without an offset"),
        ("mode=", "mode: "),
        ("branding.paper=a5", "branding.paper: Input should be 'A4' or 'LETTER'"),
        (
            "branding.third_language=zh",
            "branding.third_language: Input should be 'de', 'es', 'fr', ",
        ),
        ("branding.address_mismatch=ask", "Input should be 'warn' or 'refuse'"),
        ("branding.colour=red", "no such setting"),
    ],
)
def test_what_cannot_be_set_is_told(assignment: str, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        changed(STORE, [assignment])


def test_every_setting_named_to_people_is_one_of_the_store() -> None:
    assert set(PLAIN) <= set(Store.model_fields)
    assert all(name in known_settings() for name in PLAIN)


def test_carriers_are_ours_to_theirs() -> None:
    assert carriers(["FedEx=FEDEX", "china post=CHINA_POST"]) == {
        "fedex": "FEDEX",
        "china post": "CHINA_POST",
    }


@pytest.mark.parametrize("entry", ["fedex", "=FEDEX", "fedex="])
def test_half_a_carrier_is_told(entry: str) -> None:
    with pytest.raises(InputError, match="want ours=theirs"):
        carriers([entry])


def test_pictures_on_packing_slips_are_off_until_they_are_switched_on() -> None:
    assert STORE.slip_pictures is False
    assert changed(STORE, ["slip_pictures=on"]).slip_pictures is True
    assert (
        changed(changed(STORE, ["slip_pictures=on"]), ["slip_pictures=off"]).slip_pictures is False
    )
