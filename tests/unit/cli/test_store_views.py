"""What `waybill stores show` tells of a store."""

from datetime import UTC, datetime

from waybill.cli.store_changes import changed, connected
from waybill.cli.store_views import _store_facts

STORE = connected("sandbox", "4711", "Lamps", datetime(2026, 11, 23, tzinfo=UTC))


def test_the_settings_of_the_proof_are_told_where_they_were_changed() -> None:
    after = changed(
        STORE,
        [
            "branding.address_lines=1 Harbour Road | Ningbo",
            "branding.paper=letter",
            "branding.third_language=de",
        ],
    )

    assert _store_facts(STORE)["branding"] == "name=Lamps"
    assert _store_facts(after)["branding"] == (
        "name=Lamps, address_lines=1 Harbour Road | Ningbo, paper=LETTER, third_language=de"
    )


def test_a_logo_is_told_without_its_bytes() -> None:
    branding = STORE.branding.model_copy(update={"name": None, "logo": b"PNG"})

    assert _store_facts(STORE.model_copy(update={"branding": branding}))["branding"] == "logo=…"
