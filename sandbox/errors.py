"""Every error Alibaba is known to answer with, by name, in the forms of both gateways.

The names are the sandbox's own. Codes come from the public error tables of the two gateways and of
their siblings; where only one of them is known to say something, the other's form is a guess in the
same family. What the trade system says (402 to 500) sits one layer deeper on the older gateway:
number 15 with the real code as ``sub_code``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.protocol import ErrorType, GopError, OlderError, SecondLayerError


class KnownError(NamedTuple):
    """One row: what ``/rest`` says, and what the dotted methods say."""

    code: str
    message: str
    type: ErrorType
    older: OlderError


def _gateway(code: str, message: str, number: str, words: str, sub_code: str = "") -> KnownError:
    return KnownError(code, message, "ISV", OlderError(number, words, sub_code or code, message))


def _limit(code: str, number: str, words: str, sub_code: str) -> KnownError:
    message = "The access frequency exceeds the limit. this ban will last 1 seconds"
    return KnownError(code, message, "ISP", OlderError(number, words, sub_code, message))


def _server(
    code: str, message: str, type_: ErrorType, sub_code: str, number: str = "15"
) -> KnownError:
    words = "Service currently unavailable" if number == "10" else "Remote service error"
    return KnownError(code, message, type_, OlderError(number, words, sub_code, message))


def _trade(code: str, message: str) -> KnownError:
    older = OlderError("15", "Remote service error", f"isv.{code}", message)
    return KnownError(code, message, "ISV", older)


_COUNT = "accesscontrol.limited-by-api-access-count"

CATALOGUE: dict[str, KnownError] = {
    "api_limit": _limit("ApiCallLimit", "7", "App Call Limited", _COUNT),
    "app_limit": _limit(
        "AppCallLimit", "7", "App Call Limited", "accesscontrol.limited-by-app-access-count"
    ),
    "seller_limit": _limit("SellerCallLimit", "5", "Session Call Limited", _COUNT),
    "user_limit": _limit("ApiCallLimit", "4", "User Call Limited", _COUNT),
    "partner_limit": _limit("AppCallLimit", "6", "Partner Call Limited", _COUNT),
    "frequency_limit": _limit("ApiCallLimit", "8", "App Call Exceeds Limited Frequency", _COUNT),
    "limit_901": _limit("901", "15", "Remote service error", "isp.call-limited"),
    "token_ended": _gateway(
        "IllegalAccessToken",
        "The specified access token is invalid or expired",
        "27",
        "Invalid session",
        "invalid-sessionkey",
    ),
    "token_invalid": _gateway(
        "InvalidAccessToken", "The access token is invalid", "27", "Invalid session"
    ),
    "token_missing": _gateway(
        "MissingParameter", "The input parameter access_token is missing", "26", "Missing session"
    ),
    "refresh_token_ended": _gateway(
        "IllegalRefreshToken",
        "The specified refresh token is invalid or expired",
        "15",
        "Remote service error",
        "isv.refresh-token-invalid",
    ),
    "code_used": _gateway(
        "InvalidCode",
        "Invalid authorization code",
        "15",
        "Remote service error",
        "isv.code-invalid",
    ),
    "signature": _gateway(
        "IncompleteSignature",
        "The request signature does not conform to platform standards",
        "25",
        "Invalid signature",
    ),
    "signature_missing": _gateway(
        "MissingParameter", "The input parameter sign is missing", "24", "Missing signature"
    ),
    "app_key": _gateway(
        "InvalidAppKey", "The specified App Key is invalid", "29", "Invalid app Key"
    ),
    "app_key_missing": _gateway(
        "MissingParameter", "The input parameter app_key is missing", "28", "Missing app key"
    ),
    "timestamp": _gateway(
        "InvalidParameter", "timestamp is too far from server time", "31", "Invalid timestamp"
    ),
    "timestamp_missing": _gateway(
        "MissingParameter", "The input parameter timestamp is missing", "30", "Missing timestamp"
    ),
    "parameter": _gateway("InvalidParameter", "A parameter is invalid", "41", "Invalid arguments"),
    "parameter_missing": _gateway(
        "MissingParameter", "A parameter is missing", "40", "Missing required arguments"
    ),
    "permission": _gateway(
        "InsufficientPermission",
        "The application has no permission for this API",
        "11",
        "Insufficient ISV permissions",
        "isv.permission-api-package-limit",
    ),
    "permission_user": _gateway(
        "InsufficientPermission",
        "The seller has not granted this permission",
        "12",
        "Insufficient user permissions",
    ),
    "path": _gateway(
        "InvalidApiPath",
        "The specified API path is invalid or not granted",
        "22",
        "Invalid method",
    ),
    "ip": _gateway(
        "AppWhiteIpLimit",
        "The source IP is not in the white list of the application",
        "11",
        "Insufficient ISV permissions",
    ),
    "service_timeout": _server(
        "ServiceTimeout", "Service timeout", "ISP", "isp.remote-service-timeout"
    ),
    "service_unavailable": _server(
        "ServiceUnavailable", "Service unavailable", "ISP", "isp.service-unavailable", "10"
    ),
    "remote_error": _server(
        "RemoteServiceError", "Remote service error", "ISP", "isp.remote-service-error"
    ),
    "system": _server("InternalError", "Internal error", "SYSTEM", "isp.unknown-error"),
    "trade_402": _trade("402", "invalidate request"),
    "trade_402_trade_id": _trade("402", "tradeId is invalid"),
    "trade_402_tracking": _trade("402", "trackingNumber must not be null"),
    "trade_402_type": _trade("402", "logisticsType must equals EXPRESS or POST"),
    "trade_403": _trade("403", "this is not your order or you are not the admin account"),
    "trade_404": _trade("404", "order not exist"),
    "trade_500": _trade("500", "system error"),
}


def named(
    name: str,
    *,
    message: str | None = None,
    second_layer: bool = False,
    bare_sub_code: bool = False,
    http_status: int = 200,
) -> GopError:
    """An error of the catalogue, ready to be raised.

    ``second_layer``: inside ``result`` of an answer that calls itself a success.
    ``bare_sub_code``: ``402`` instead of ``isv.402`` on the older gateway; both were seen.
    """
    known = CATALOGUE[name]
    said = known.message if message is None else message
    sub_code = known.older.sub_code
    older = known.older._replace(
        sub_code=sub_code.removeprefix("isv.") if bare_sub_code else sub_code, sub_message=said
    )
    kind = SecondLayerError if second_layer else GopError
    return kind(known.code, said, known.type, http_status=http_status, older=older)


def table(request_id: str) -> dict[str, Any]:
    """All of them with their two forms, for whoever wants to ask for one."""
    return {
        name: {
            "rest": (error := named(name)).answer(request_id),
            "dotted": error.older_answer(request_id),
        }
        for name in CATALOGUE
    }
