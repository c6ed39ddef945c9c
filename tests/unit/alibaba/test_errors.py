"""The tree answers "was it sent, may I repeat it?" by type."""

import pytest

from waybill.alibaba import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.NotSent,
        errors.Throttled,
        errors.Unauthorised,
        errors.Misconfigured,
        errors.Rejected,
    ],
)
def test_these_surely_had_no_effect(kind: type[errors.AlibabaError]) -> None:
    assert issubclass(kind, errors.NotDone)


@pytest.mark.parametrize("kind", [errors.OutcomeUnknown, errors.NeedsLookup, errors.Unavailable])
def test_these_prove_nothing(kind: type[errors.AlibabaError]) -> None:
    assert issubclass(kind, errors.AlibabaError)
    assert not issubclass(kind, errors.NotDone)


def test_only_needs_lookup_is_a_kind_of_unknown_outcome() -> None:
    assert errors.OutcomeUnknown.__subclasses__() == [errors.NeedsLookup]


def test_every_type_has_an_outcome_of_its_own_for_metrics() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    outcomes = [kind.outcome for kind in kinds if issubclass(kind, errors.AlibabaError)]

    assert len(outcomes) == len(set(outcomes)) == 11


def test_a_message_says_what_happened_and_what_to_do() -> None:
    error = errors.Misconfigured(
        "refused before the call",
        operation="get_order",
        code="AppWhiteIpLimit",
        request_id="r1",
        http_status=200,
    )

    assert str(error) == (
        "get_order: refused before the call (code AppWhiteIpLimit, http 200, request r1); "
        "add this installation's outgoing IP address to the IP allow-list of the app in Alibaba's "
        "console, or set proxy_url to a proxy whose address is on it"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ApiCallLimit", "ApiCallLimit"),
        (402, "402"),
        ("isv.invalid-parameter", "isv.invalid-parameter"),
        ("Erika Mustermann", None),
        ("a@b.c", None),
        ("x" * 65, None),
        (None, None),
        ({}, None),
        ("", None),
    ],
)
def test_only_what_looks_like_a_code_passes(value: object, expected: str | None) -> None:
    assert errors.plain(value) == expected
