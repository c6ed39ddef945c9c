"""Requests are strict and their text is always the same; answers keep personal data to themselves."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from waybill.alibaba.models import (
    Attachment,
    LogisticsType,
    OrderWindow,
    RawOrder,
    ShippingRequest,
    TokenGrant,
)

PLAIN: dict[str, Any] = {
    "trade_id": "1234",
    "service_provider": "FEDEX",
    "logistics_type": "EXPRESS",
    "tracking_number": "776705370628",
}
ATTACHMENT = Attachment(file_name="proof.png", file_path="/a/b c/é.png")


def test_the_text_of_a_request_has_fixed_order_and_nothing_empty() -> None:
    assert ShippingRequest(**PLAIN).canonical_json() == (
        '{"trade_id":"1234","service_provider":"FEDEX","logistics_type":"EXPRESS",'
        '"tracking_number":"776705370628"}'
    )


def test_the_text_of_a_full_request() -> None:
    request = ShippingRequest(**PLAIN, contact_mobile="0042", attachments=(ATTACHMENT,))

    assert request.canonical_json() == (
        '{"trade_id":"1234","service_provider":"FEDEX","logistics_type":"EXPRESS",'
        '"tracking_number":"776705370628","contact_mobile":"0042",'
        '"attachments":[{"file_name":"proof.png","file_path":"/a/b c/é.png"}]}'
    )


def test_equal_requests_have_equal_text_however_they_were_made() -> None:
    backwards = dict(reversed(PLAIN.items()))
    parsed = ShippingRequest.model_validate_json(json.dumps(backwards, indent=2))

    assert parsed.sha256() == ShippingRequest(**PLAIN).sha256()


def test_the_hash_is_that_of_the_text() -> None:
    request = ShippingRequest(**PLAIN, attachments=(ATTACHMENT,))

    assert request.sha256() == hashlib.sha256(request.canonical_json().encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"trade_id": "1235"},
        {"service_provider": "DHL"},
        {"logistics_type": LogisticsType.POST},
        {"tracking_number": "776705370629"},
        {"contact_mobile": "1234"},
        {"attachments": (ATTACHMENT,)},
    ],
)
def test_every_field_changes_the_hash(change: dict[str, Any]) -> None:
    assert ShippingRequest(**{**PLAIN, **change}).sha256() != ShippingRequest(**PLAIN).sha256()


@pytest.mark.parametrize(
    "change",
    [
        {"trade_id": "21***54"},
        {"trade_id": ""},
        {"trade_id": "12 34"},
        {"trade_id": "1234\n"},
        {"service_provider": " "},
        {"logistics_type": "AIR"},
        {"tracking_number": ""},
        {"tracking_number": "1Z\n999"},
        {"tracking_number": "9" * 101},
        {"contact_mobile": "+4912345"},
        {"contact_mobile": "١٢٣٤"},
        {"attachments": (ATTACHMENT,) * 11},
        {"note_to_buyer": "Alibaba has no field for it"},
    ],
)
def test_a_request_that_cannot_work_is_refused_without_repeating_it(change: dict[str, Any]) -> None:
    value = str(next(iter(change.values()))).strip()

    with pytest.raises(ValidationError) as caught:
        ShippingRequest(**{**PLAIN, **change})

    assert next(iter(change)) in str(caught.value)
    if len(value) > 3:
        assert value not in str(caught.value)


def test_white_space_around_a_tracking_number_is_not_sent() -> None:
    request = ShippingRequest(**{**PLAIN, "tracking_number": " 1Z999AA10123456784 "})

    assert request.tracking_number == "1Z999AA10123456784"


def test_a_request_does_not_change_once_made() -> None:
    with pytest.raises(ValidationError):
        ShippingRequest(**PLAIN).tracking_number = "1"  # type: ignore[misc] # what the test is about


def test_a_window_needs_zones_and_the_right_order() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    with pytest.raises(ValueError, match="time zone"):
        OrderWindow(early.replace(tzinfo=None), late)
    with pytest.raises(ValueError, match="ends before"):
        OrderWindow(late, early)
    assert OrderWindow(early, early).by == "modified"


def test_personal_data_and_secrets_stay_out_of_repr() -> None:
    order = RawOrder("1", "undeliver", None, {"shipping_address": {"contact_person": "Erika"}})
    grant = TokenGrant(
        access_token=SecretStr("50002"),
        expires_in_s=1,
        refresh_token=SecretStr("50003"),
        refresh_expires_in_s=1,
        seller_id="200042360",
        country="CN",
        account="erika@example.com",
        account_platform="seller_center",
        request_id=None,
    )

    shown = repr(order) + repr(grant) + str(grant)

    assert not any(secret in shown for secret in ("Erika", "erika", "50002", "50003"))
