"""What goes out: which parameters, signed how, encoded how. Read back by other code than wrote it."""

import hashlib
import hmac
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr, ValidationError

from waybill.alibaba.authorisation import authorise_url
from waybill.alibaba.settings import AlibabaSettings, AppCredentials, RateLimitSettings
from waybill.alibaba.wire import File, Target, encoded, signed

CREDENTIALS = AppCredentials(app_key="123456", app_secret=SecretStr("helloworld"))
SETTINGS = AlibabaSettings()


def test_a_path_goes_to_the_rest_gateway() -> None:
    target = Target.of(SETTINGS, "/alibaba/order/get")

    assert target.url == "https://openapi-api.alibaba.com/rest/alibaba/order/get"
    assert (target.path, target.method) == ("/alibaba/order/get", None)


def test_a_dotted_method_goes_to_the_sync_gateway() -> None:
    target = Target.of(SETTINGS, "alibaba.seller.order.shipping.channels")

    assert target.url == "https://openapi-api.alibaba.com/sync"
    assert (target.path, target.method) == (None, "alibaba.seller.order.shipping.channels")


def test_tokens_may_come_from_another_host() -> None:
    target = Target.of(SETTINGS, "/auth/token/create", base="https://openapi-auth.alibaba.com/rest")

    assert target.url == "https://openapi-auth.alibaba.com/rest/auth/token/create"
    assert target.path == "/auth/token/create"


def test_the_shipping_vector_comes_out_of_the_whole_path() -> None:
    request = (
        '{"trade_id":"1234","service_provider":"FEDEX","logistics_type":"EXPRESS",'
        '"tracking_number":"776705370628"}'
    )

    parameters = signed(
        Target.of(SETTINGS, SETTINGS.shipment_declare),
        {"shipping_request": request},
        CREDENTIALS,
        access_token="test",
        timestamp_ms=1517820392000,
    )

    assert parameters == {
        "app_key": "123456",
        "timestamp": "1517820392000",
        "sign_method": "sha256",
        "access_token": "test",
        "shipping_request": request,
        "sign": "F9C6B77A6A51EA5718EAE8979287FA07E1C1163A50213D9CE12D9E5AE94813E7",
    }


def test_empty_parameters_are_left_out_altogether() -> None:
    parameters = signed(
        Target.of(SETTINGS, "/a"),
        {"status": None, "language": ""},
        CREDENTIALS,
        access_token=None,
        timestamp_ms=1,
    )

    assert set(parameters) == {"app_key", "timestamp", "sign_method", "sign"}


@pytest.mark.parametrize("name", ["access_token", "session"])
def test_a_dotted_method_is_signed_without_path_and_names_its_token_as_set(name: str) -> None:
    settings = AlibabaSettings.model_validate({"sync_token_parameter": name})

    parameters = signed(
        Target.of(settings, "a.b.c"), {"p": "1"}, CREDENTIALS, access_token="t", timestamp_ms=1
    )

    text = "".join(key + parameters[key] for key in sorted(parameters) if key != "sign")
    expected = hmac.new(b"helloworld", text.encode(), hashlib.sha256).hexdigest().upper()
    assert parameters["sign"] == expected
    assert (parameters["method"], parameters[name]) == ("a.b.c", "t")


def test_a_form_reads_back_as_it_was() -> None:
    parameters = {"a": "ü & 件 = +", "shipping_request": '{"n":"x y"}'}

    content_type, body = encoded(parameters, None)

    assert content_type.startswith("application/x-www-form-urlencoded")
    assert dict(parse_qsl(body.decode("ascii"), strict_parsing=True)) == parameters


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("proof.png", "image/png"), ("proof.JPG", "image/jpeg"), ("proof.pdf", "application/pdf")],
)
def test_a_file_and_its_parameters_read_back_as_they_were(name: str, media_type: str) -> None:
    content = bytes(range(256)) * 20 + b"\r\n--\r\n\r\n"

    content_type, body = encoded({"a": "ü 件", "sign": "S"}, File("data", name, content))

    parts = multipart(content_type, body)
    assert parts["a"].get_payload(decode=True) == "ü 件".encode()
    assert parts["sign"].get_payload(decode=True) == b"S"
    assert parts["data"].get_payload(decode=True) == content
    assert parts["data"].get_filename() == name
    assert parts["data"].get_content_type() == media_type
    assert list(parts) == ["a", "sign", "data"]


def multipart(content_type: str, body: bytes) -> dict[str, Message]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return {
        str(part.get_param("name", header="content-disposition")): part
        for part in message.iter_parts()
    }


def test_the_authorise_page_is_asked_with_what_is_documented() -> None:
    url = authorise_url(
        SETTINGS, app_key="123456", redirect_uri="https://w.example/cb?x=1", state="s/1"
    )

    page, _, query = url.partition("?")
    assert page == "https://openapi-auth.alibaba.com/oauth/authorize"
    assert dict(parse_qsl(query)) == {
        "response_type": "code",
        "client_id": "123456",
        "redirect_uri": "https://w.example/cb?x=1",
        "state": "s/1",
        "force_auth": "true",
    }


def test_further_authorise_parameters_cannot_replace_the_apps_own() -> None:
    settings = AlibabaSettings(
        authorise_url="http://127.0.0.1/oauth?lang=en", authorise_parameters={"client_id": "evil"}
    )

    url = authorise_url(settings, app_key="1", redirect_uri="https://a", state="s")

    assert url.startswith("http://127.0.0.1/oauth?lang=en&")
    assert "evil" not in url


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_url": "openapi-api.alibaba.com"},
        {"api_url": "https://"},
        {"sync_url": "https://host:port/sync"},
        {"token_url": "https://[::1/rest"},
        {"order_get": ""},
        {"order_get": " /a"},
        {"order_get": "/a b"},
        {"order_get": "orders"},
        {"page_size": 101},
        {"call_s": 0},
        {"unknown": 1},
        {"rate_limit": {"decrease_factor": 1}},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        AlibabaSettings.model_validate(wrong)


def test_settings_hide_secrets_and_do_not_change() -> None:
    settings = AlibabaSettings(
        api_url="http://sandbox:8090/rest/", proxy_url=SecretStr("http://u:geheim@proxy:3128")
    )

    assert settings.api_url == "http://sandbox:8090/rest"
    assert "geheim" not in repr(settings)
    assert "helloworld" not in repr(CREDENTIALS)
    with pytest.raises(ValidationError):
        settings.page_size = 1  # type: ignore[misc] # what the test is about


def test_the_rate_starts_below_the_only_limit_ever_seen() -> None:
    """A million calls a day, in one seller's console."""
    assert RateLimitSettings().start_per_s < 1_000_000 / 86_400
