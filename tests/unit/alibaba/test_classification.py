"""Which answer means what. The rule behind every row: no write counts as undone without proof."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.alibaba import errors
from waybill.alibaba.classification import (
    Answer,
    Effect,
    Operation,
    classify,
    classify_failure,
    retry_after_s,
)
from waybill.alibaba.envelope import refusal
from waybill.alibaba.settings import AnswerCodes

READ = Operation("get_order", Effect.REPEATABLE)
DECLARE = Operation("declare_shipment", Effect.SHIPMENT)
TOKEN = Operation("refresh_token", Effect.TOKEN)
OPERATIONS = (READ, DECLARE, TOKEN)
CODES = AnswerCodes()
SECRET_TEXT = "Erika Mustermann 0049-171-555"


def gop(code: str, kind: str | None = "ISV", message: str = "") -> dict[str, Any]:
    body = {"code": code, "message": message, "request_id": "0ba2887315178178017221014"}
    return body if kind is None else {**body, "type": kind}


def nested(code: object, message: str = "", **more: object) -> dict[str, Any]:
    result = {"success": "false", "error_code": code, "error_message": message, **more}
    return {"code": "0", "result": result, "request_id": "0ba2887315178178017221014"}


def top(code: str, sub_code: str = "", sub_msg: str = "", kind: str = "ISP") -> dict[str, Any]:
    return {
        "error_response": {
            "code": code,
            "type": kind,
            "msg": "Remote service error",
            "sub_code": sub_code,
            "sub_msg": sub_msg,
            "request_id": "abc",
        }
    }


def outcome(
    operation: Operation, body: object, status: int = 200, headers: dict[str, str] | None = None
) -> type[errors.AlibabaError] | None:
    error = classify(operation, Answer(status, httpx.Headers(headers or {}), body), CODES)
    return None if error is None else type(error)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "body",
    [
        {"code": "0", "value": {"trade_id": "1"}, "request_id": "r"},
        {"code": 0, "result": {"success": True, "voucher_id": 1}},
        {"code": "0", "result": {"success": "true", "result_code": "200"}},
        {"code": "0", "result": {"msg_code": "null", "error_code": ""}},
        {"alibaba_order_response": {"result": {"success": "true"}, "request_id": "r"}},
        {"value": "path"},
    ],
)
def test_success_in_every_shape_is_no_error(operation: Operation, body: object) -> None:
    assert outcome(operation, body) is None


THROTTLED = [
    gop("ApiCallLimit", "ISP", "this ban will last 7 seconds"),
    gop("AppCallLimit"),
    gop("SellerCallLimit", "SYSTEM"),
    gop("901", None),
    nested("ApiCallLimit"),
    top("7"),
    top("4"),
    top("15", "isp.call-limited"),
    top("15", "accesscontrol.limited-by-api-access-count"),
    top("5"),
    top("6"),
    top("7", "accesscontrol.limited-by-app-access-count", "This ban will last for 1 more seconds"),
    top("8"),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("body", THROTTLED)
def test_a_call_limit_is_throttled_and_nothing_is_done(operation: Operation, body: object) -> None:
    assert outcome(operation, body) is errors.Throttled
    assert issubclass(errors.Throttled, errors.NotDone)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_http_429_is_throttled_whatever_the_body(operation: Operation) -> None:
    assert outcome(operation, None, 429) is errors.Throttled
    assert outcome(operation, gop("whatever"), 429) is errors.Throttled


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gop("IllegalAccessToken"), 200),
        (gop("InvalidAccessToken", "ISP"), 401),
        (nested("IllegalAccessToken"), 200),
        (top("27"), 200),
        (top("26"), 200),
    ],
)
def test_a_refused_token_is_the_stores_condition(
    operation: Operation, body: object, status: int
) -> None:
    assert outcome(operation, body, status) is errors.Unauthorised


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "body",
    [
        gop("IncompleteSignature"),
        gop("InvalidAppKey", "ISP"),
        gop("InsufficientPermission"),
        gop("InvalidApiPath", "SYSTEM"),
        gop("AppWhiteIpLimit"),
        top("25"),
        top("29"),
        top("24"),
        top("28"),
        top("30"),
        top("31"),
        top("11"),
        top("11", "isv.permission-api-package-limit"),
        top("12"),
        top("22", kind="ISV"),
    ],
)
def test_a_refused_app_is_the_installations_condition(operation: Operation, body: object) -> None:
    """It must not end fifty thousand orders as rejected."""
    assert outcome(operation, body) is errors.Misconfigured


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gop("402", "ISV", "trackingNumber must not be null"), 200),
        (gop("402", None, "logisticsType must equals EXPRESS or POST"), 400),
        (gop("402", "ISV", "invalidate request"), 200),
        (gop("isv.402", None), 200),
        (gop("403", "ISV", "this is not your order or you are not the admin account"), 403),
        (gop("404", "ISV", "order not exist"), 404),
        (nested("402", "logisticsType must equals EXPRESS or POST"), 200),
        (nested(404, "order not exist"), 404),
        ({"code": "0", "value": {"success": False, "msg_code": "403"}}, 200),
        ({"code": "0", "success": False, "result_code": "404"}, 200),
        ({"code": "0", "result": '{"success":false,"error_code":"404"}'}, 200),
        ({"code": "0", "result": {"error_code": "402"}}, 200),
        (top("15", "isv.402", "tradeId is invalid"), 200),
        (top("40", "isv.402", "trade_id must not be null"), 200),
        ({"code": "0", "result": {"code": "404", "message": "order not exist"}}, 200),
        ({"code": "0", "data": {"success": False, "errorCode": 403}}, 200),
        (
            {
                "alibaba_seller_order_shipping_response": {
                    "result": {"success": False, "error_code": "402"},
                    "request_id": "r",
                }
            },
            200,
        ),
    ],
)
@pytest.mark.parametrize("operation", [READ, DECLARE])
def test_a_listed_no_is_a_rejection(operation: Operation, body: object, status: int) -> None:
    assert outcome(operation, body, status) is errors.Rejected


@pytest.mark.parametrize(
    "body",
    [
        gop("402", "ISV", "invalidate request: order already shipped"),
        gop("402", "ISV", "trade status is delivering"),
        gop("402", None, "the order is not undeliver"),
        gop("ORDER_STATUS_ERROR", "ISV"),
        gop("DUPLICATE_REQUEST", "ISV"),
        nested("402", "order has been shipped"),
        nested("B-001", "订单已发货"),
        nested("403", "invalid order state"),
    ],
)
def test_an_answer_about_the_orders_state_needs_a_look_up(body: object) -> None:
    """Perhaps it is our own earlier call that shipped it."""
    assert outcome(DECLARE, body) is errors.NeedsLookup
    assert issubclass(errors.NeedsLookup, errors.OutcomeUnknown)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gop("500", "SYSTEM", "system error"), 200),
        (gop("500", None), 200),
        (nested("500", "system error"), 200),
        (gop("ServiceTimeout", "ISP"), 200),
        (gop("402", "SYSTEM", "odd"), 200),
        (gop("404", "ISP", "odd"), 200),
        (gop("InvalidParameter", "ISV"), 200),
        (gop("MissingParameter", "ISV"), 200),
        (gop("SomethingNew", "ISV"), 200),
        (gop("405", "ISV"), 200),
        ({"code": {"odd": 1}}, 400),
        ({"code": "0", "result": {"success": False}}, 200),
        (top("15", "isp.remote-service-error"), 200),
        (top("10"), 200),
        (top("15", "402", "invalidate request"), 200),
        (top("15", "isv.something"), 200),
        (None, 200),
        (None, 204),
        (None, 302),
        (None, 400),
        (None, 401),
        (None, 403),
        (None, 404),
        (None, 408),
        ([], 200),
        ("ok", 200),
        (None, 500),
        (None, 502),
        (None, 503),
        ({"code": "0", "voucher_id": "1"}, 502),
        (gop("402", "ISV"), 500),
        (gop("ApiCallLimit", "ISV"), 503),
        (gop("IllegalAccessToken", "ISV"), 500),
        # one listed code beside an unlisted one proves nothing
        ({**gop("402"), "sub_code": "isv.nobody-knows"}, 200),
        ({**gop("500", "SYSTEM"), "result": {"success": False, "error_code": "402"}}, 200),
        (nested("402", msg_code="TIMEOUT"), 200),
        (nested("ApiCallLimit", result_code="HALF_DONE"), 200),
        ({**gop("IllegalAccessToken"), "result": {"success": False, "error_code": "X"}}, 200),
        (gop("500", "SYSTEM"), 429),
        (top("15"), 200),
        (top("40"), 200),
        (top("41", "isv.invalid-parameter"), 200),
        (top("7", "isp.remote-service-timeout"), 200),
        (top("115"), 200),
        ({"error_response": {"sub_code": "isv.11"}}, 200),
        ({"error_response": {"code": "isv.11"}}, 200),
    ],
)
def test_every_other_answer_to_a_declaration_leaves_it_in_doubt(body: object, status: int) -> None:
    assert outcome(DECLARE, body, status) is errors.OutcomeUnknown


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (gop("500", "SYSTEM"), 200, errors.Unavailable),
        (gop("ServiceTimeout", "ISP"), 200, errors.Unavailable),
        (gop("SomethingNew", None), 200, errors.Unavailable),
        (gop("402", "SYSTEM"), 200, errors.Unavailable),
        (top("15", "402", "invalidate request"), 200, errors.Rejected),
        (top("10"), 200, errors.Unavailable),
        (top("15", "isp.remote-service-error"), 200, errors.Unavailable),
        (None, 200, errors.Unavailable),
        (None, 500, errors.Unavailable),
        (None, 503, errors.Unavailable),
        (None, 408, errors.Unavailable),
        ([], 200, errors.Unavailable),
        (gop("ApiCallLimit"), 503, errors.Throttled),
        (gop("SomethingNew", "ISV"), 200, errors.Rejected),
        (gop("InvalidParameter", "ISV"), 413, errors.Rejected),
        (gop("402", "ISV", "trade status"), 200, errors.Rejected),
        (None, 401, errors.Unauthorised),
        (None, 302, errors.Misconfigured),
        (None, 403, errors.Misconfigured),
        (None, 404, errors.Misconfigured),
        ({"hello": "proxy"}, 404, errors.Misconfigured),
        (gop("500", "ISV"), 200, errors.Unavailable),
        (gop("ServiceTimeout", "ISV"), 200, errors.Unavailable),
        (gop("MissingParameter", "ISV", "input parameter page is missing"), 200, errors.Rejected),
        (gop("InvalidParameter", "ISV", "timestamp is too old"), 200, errors.Misconfigured),
        (gop("IllegalTimestamp", "ISV"), 200, errors.Misconfigured),
        (gop("InvalidParameter", "ISV", "date_timestamp is no number"), 200, errors.Rejected),
        (top("41", "InvalidParameter", "timestamp is too old"), 200, errors.Misconfigured),
        (top("40"), 200, errors.Rejected),
        (top("41"), 200, errors.Rejected),
        (top("41", "isp.odd"), 200, errors.Unavailable),
        (top("15", "isv.something"), 200, errors.Rejected),
        (top("15", "isp.top-remote-connection-timeout"), 200, errors.Unavailable),
        (top("15"), 200, errors.Unavailable),
    ],
)
def test_a_read_that_failed_says_whether_repeating_helps(
    body: object, status: int, expected: type[errors.AlibabaError]
) -> None:
    assert outcome(READ, body, status) is expected


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (gop("IllegalRefreshToken", "ISV"), 200, errors.Unauthorised),
        (gop("InvalidCode", None), 200, errors.Unauthorised),
        (gop("SomethingNew", "ISV"), 400, errors.Unauthorised),
        (gop("SomethingNew", None), 200, errors.OutcomeUnknown),
        (gop("IllegalRefreshToken", "SYSTEM"), 200, errors.OutcomeUnknown),
        (gop("500", "SYSTEM"), 200, errors.OutcomeUnknown),
        (None, 200, errors.OutcomeUnknown),
        (None, 404, errors.OutcomeUnknown),
        (None, 503, errors.OutcomeUnknown),
        # a wrong clock, or a request made wrongly, must not end a store's authorisation
        (gop("InvalidParameter", "ISV", "timestamp is too old"), 200, errors.Misconfigured),
        (gop("IllegalTimestamp", "ISV"), 200, errors.Misconfigured),
        (gop("MissingParameter", "ISV", "app_key is missing"), 200, errors.Misconfigured),
        (gop("InvalidParameter", "ISV", "refresh_token is over"), 200, errors.Unauthorised),
        (gop("IncompleteSignature"), 200, errors.Misconfigured),
        (gop("ServiceTimeout", "ISV"), 200, errors.OutcomeUnknown),
        (top("30"), 200, errors.Misconfigured),
        (top("15", "isv.invalid-refresh-token", kind="ISV"), 200, errors.Unauthorised),
        (top("15", "isp.remote-service-error"), 200, errors.OutcomeUnknown),
    ],
)
def test_a_grant_is_refused_only_by_a_callers_fault(
    body: object, status: int, expected: type[errors.AlibabaError]
) -> None:
    assert outcome(TOKEN, body, status) is expected


def test_more_codes_can_be_listed_as_final() -> None:
    codes = AnswerCodes(rejected=CODES.rejected | {"BAD_TRACKING"})

    error = classify(DECLARE, Answer(200, {}, gop("BAD_TRACKING")), codes)

    assert type(error) is errors.Rejected
    assert error.code == "BAD_TRACKING"


def test_an_error_keeps_code_and_request_id_and_nothing_of_the_text() -> None:
    error = classify(DECLARE, Answer(400, {}, nested("402", SECRET_TEXT)), CODES)

    assert error is not None
    assert (error.code, error.request_id) == ("402", "0ba2887315178178017221014")
    assert (error.operation, error.http_status) == ("declare_shipment", 400)
    assert "402" in str(error)
    assert "declare_shipment" in str(error)
    assert "Erika" not in str(error)


def test_a_text_in_place_of_a_code_does_not_reach_the_message() -> None:
    error = classify(READ, Answer(200, {}, gop(SECRET_TEXT)), CODES)

    assert error is not None
    assert error.code is None
    assert "Erika" not in repr(error)


@pytest.mark.parametrize(
    ("headers", "said", "expected"),
    [
        ({}, "", None),
        ({}, "Api access frequency exceeds the limit. this ban will last 13 seconds", 13.0),
        ({}, "This ban will last for 1 more seconds", 1.0),
        ({}, "this ban will last 2 hours", 7200.0),
        ({"Retry-After": "120"}, "", 120.0),
        ({"Retry-After": "5"}, "this ban will last 30 seconds", 30.0),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT",
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            "",
            30.0,
        ),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT",
                "Date": "Wed, 21 Oct 2026 07:29:00 GMT",
            },
            "",
            0.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, "", None),
        ({"Retry-After": "soon", "Date": "Wed, 21 Oct 2026 07:29:00 GMT"}, "", None),
        ({"Retry-After": "-1"}, "", None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], said: str, expected: float | None) -> None:
    assert retry_after_s(httpx.Headers(headers), said) == expected


def test_a_throttled_error_carries_the_wait() -> None:
    error = classify(READ, Answer(200, httpx.Headers(), THROTTLED[0]), CODES)

    assert isinstance(error, errors.Throttled)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.UnsupportedProtocol("x"),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_connection_nothing_was_sent(operation: Operation, failure: Exception) -> None:
    assert type(classify_failure(operation, failure)) is errors.NotSent


@pytest.mark.parametrize(
    "failure",
    [
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.DecodingError("x"),
        httpx.ProxyError("x"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_with_a_connection_it_may_have_been_sent(failure: Exception) -> None:
    assert type(classify_failure(DECLARE, failure)) is errors.OutcomeUnknown
    assert type(classify_failure(TOKEN, failure)) is errors.OutcomeUnknown
    assert type(classify_failure(READ, failure)) is errors.Unavailable


def test_what_is_known_about_sending_beats_the_type_of_the_failure() -> None:
    assert type(classify_failure(DECLARE, httpx.ConnectTimeout("x"), sent=True)) is (
        errors.OutcomeUnknown
    )
    assert type(classify_failure(DECLARE, TimeoutError(), sent=False)) is errors.NotSent


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
names = st.sampled_from(
    ["code", "type", "message", "result", "value", "success", "error_code", "msg_code", "sub_code",
     "error_response", "x_response", "request_id", "voucher_id"]
)  # fmt: skip
bodies = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=5),
    max_leaves=8,
)
kinds = st.sampled_from(["ISV", "ISP", "SYSTEM", "?", None])
said = st.sampled_from(
    ["", "order not exist", "already shipped", "timestamp", "ban will last 3 seconds"]
)
known_codes = st.sampled_from(
    [
        *sorted(CODES.rejected | CODES.throttled | CODES.unauthorised | CODES.misconfigured),
        *("0", "200", "10", "15", "40", "41", "7", "11", "27", "500", "405", "NEW", ""),
        *("isv.402", "isv.x", "isp.x", "isp.call-limited"),
    ]
)
gop_like = st.builds(
    lambda code, kind, message, inner: {
        "code": code,
        "type": kind,
        "message": message,
        "result": inner,
    },
    known_codes,
    kinds,
    said,
    st.none()
    | st.fixed_dictionaries(
        {"success": st.booleans(), "error_code": known_codes, "msg_code": known_codes}
    ),
)
top_like = st.builds(top, known_codes, known_codes, said, kinds)
answers = bodies | gop_like | top_like
LISTED_AS_NOT_DONE = CODES.rejected | CODES.throttled | CODES.unauthorised | CODES.misconfigured


@given(answers, st.integers(200, 599))
def test_no_answer_at_all_breaks_the_classification(body: object, status: int) -> None:
    for operation in OPERATIONS:
        error = classify(operation, Answer(status, httpx.Headers(), body), CODES)
        assert error is None or isinstance(error, errors.AlibabaError)
        assert error is not None or 200 <= status < 300


def proves(body: object) -> bool:
    """The rule once more, from the table: every code in the answer says "not done"."""
    no = refusal(body)
    if no is None:
        return False
    outer, *inner = no.codes or ("",)
    if no.top and outer.isdigit() and int(outer) < 100 and outer not in {"10", "15", "40", "41"}:
        return not any(code.startswith("isp.") and code != "isp.call-limited" for code in inner)
    told = inner if no.top and outer in {"15", "40", "41"} else no.codes
    return bool(told) and all(
        code in LISTED_AS_NOT_DONE or code == "isp.call-limited" for code in told
    )


@given(answers, st.integers(200, 599).filter(lambda status: status != 429))
def test_a_declaration_is_never_called_undone_unless_every_code_is_listed(
    body: object, status: int
) -> None:
    error = classify(DECLARE, Answer(status, httpx.Headers(), body), CODES)

    if isinstance(error, errors.NotDone):
        assert status < 500
        assert proves(body)
    assert not isinstance(error, errors.Unavailable)


@given(answers, st.integers(200, 599))
def test_a_refusal_never_passes_for_success(body: object, status: int) -> None:
    if refusal(body) is not None:
        for operation in OPERATIONS:
            assert classify(operation, Answer(status, httpx.Headers(), body), CODES) is not None


def test_a_number_of_the_other_gateway_means_nothing_here() -> None:
    """27 is a session that ended, on TOP alone."""
    assert outcome(DECLARE, gop("27")) is errors.OutcomeUnknown
    assert outcome(DECLARE, gop("7")) is errors.OutcomeUnknown
    assert outcome(DECLARE, nested("11")) is errors.OutcomeUnknown


def test_a_code_seen_to_mean_already_shipped_can_be_listed() -> None:
    codes = AnswerCodes(needs_lookup=frozenset({"B-77"}))

    error = classify(DECLARE, Answer(200, {}, gop("B-77")), codes)

    assert type(error) is errors.NeedsLookup


@pytest.mark.parametrize(
    ("body", "scope"),
    [
        (gop("AppCallLimit"), "app"),
        (top("7"), "app"),
        (top("15", "accesscontrol.limited-by-app-access-count"), "app"),
        (top("7", "accesscontrol.limited-by-api-access-count"), "store"),
        (gop("ApiCallLimit"), "store"),
        (gop("SellerCallLimit"), "store"),
        (gop("7"), None),
        (top("5"), "store"),
    ],
)
def test_a_limit_of_the_app_is_told_from_a_limit_of_the_store(
    body: object, scope: str | None
) -> None:
    error = classify(READ, Answer(200, httpx.Headers(), body), CODES)

    assert getattr(error, "scope", None) == scope


def test_behind_tops_envelope_the_sub_code_is_the_code() -> None:
    for body, code in (
        (top("15", "isv.something"), "isv.something"),
        (top("15", "isv.402"), "402"),
        (top("15"), "15"),
        (top("27", "isv.session-expired"), "27"),
    ):
        error = classify(READ, Answer(200, httpx.Headers(), body), CODES)
        assert error is not None
        assert error.code == code
