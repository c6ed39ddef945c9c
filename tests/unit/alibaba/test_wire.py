"""What goes out: which parameters, signed how, encoded how. Read back by other code than wrote it."""

import hashlib
import hmac
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr, ValidationError

from waybill.alibaba.authorisation import authorise_url, service_time_url
from waybill.alibaba.gateways import defaults
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
    ("settings", "expected"),
    [
        (SETTINGS, None),
        (AlibabaSettings(authorise_length_parameter="months"), "3"),
        (
            AlibabaSettings(
                authorise_length_parameter="months", authorise_length_values={"3m": "90d"}
            ),
            "90d",
        ),
    ],
)
def test_the_length_goes_along_only_if_a_parameter_for_it_is_set(
    settings: AlibabaSettings, expected: str | None
) -> None:
    url = authorise_url(settings, app_key="1", redirect_uri="https://a", state="s", length="3m")

    assert dict(parse_qsl(url.partition("?")[2])).get("months") == expected
    assert "months" not in authorise_url(settings, app_key="1", redirect_uri="https://a", state="s")


def test_the_older_platform_asks_for_the_length_on_a_page_of_its_own() -> None:
    older = AlibabaSettings(gateway="top")

    assert service_time_url(SETTINGS, app_key="1") is None
    assert service_time_url(older, app_key="1 2") == (
        "https://crosstrade.alibaba.com/ecology/service.htm?appKey=1+2"
    )
    url = authorise_url(older, app_key="1", redirect_uri="https://a", state="s")
    assert url.startswith("https://oauth.alibaba.com/authorize?sp=icbu&")


def test_another_gateway_changes_only_what_is_not_set() -> None:
    older = AlibabaSettings.model_validate({"gateway": "top", "order_get": "my.own.get"})

    assert older.order_get == "my.own.get"
    assert older.order_list == "alibaba.seller.order.list"
    assert older.token_create == "taobao.top.auth.token.create"
    assert older.timestamp_format == "text_gmt8"
    assert AlibabaSettings.model_validate({"gateway": "sync"}).token_create == "/auth/token/create"
    assert AlibabaSettings(gateway="gop") == AlibabaSettings()
    with pytest.raises(ValidationError, match="gateway"):
        AlibabaSettings.model_validate({"gateway": "tmc"})


def test_every_default_of_a_gateway_is_a_setting_and_differs() -> None:
    for gateway in ("sync", "top"):
        for name, value in defaults(gateway).items():
            assert getattr(AlibabaSettings(), name) != value
            assert getattr(AlibabaSettings(gateway=gateway), name) == value


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("epoch_ms", "1517820392000"),
        ("text_utc", "2018-02-05 08:46:32"),
        ("text_gmt8", "2018-02-05 16:46:32"),
    ],
)
@pytest.mark.parametrize("name", ["/a", "a.b"])
def test_the_time_stamp_goes_in_the_form_that_is_set(name: str, form: str, expected: str) -> None:
    settings = AlibabaSettings.model_validate({"timestamp_format": form})

    parameters = signed(
        Target.of(settings, name), {}, CREDENTIALS, access_token=None, timestamp_ms=1517820392999
    )

    assert parameters["timestamp"] == (expected if form != "epoch_ms" else "1517820392999")


def test_the_published_vector_of_the_older_gateway_comes_out_of_the_whole_path() -> None:
    settings = AlibabaSettings(gateway="top", simplify=False)
    credentials = AppCredentials(app_key="12345678", app_secret=SecretStr("helloworld"))

    parameters = signed(
        Target.of(settings, "taobao.item.seller.get"),
        {"fields": "num_iid,title,nick,price,num", "num_iid": "11223344"},
        credentials,
        access_token="test",
        timestamp_ms=1451620800000,
    )

    assert parameters == {
        "app_key": "12345678",
        "fields": "num_iid,title,nick,price,num",
        "format": "json",
        "method": "taobao.item.seller.get",
        "num_iid": "11223344",
        "session": "test",
        "sign_method": "md5",
        "timestamp": "2016-01-01 12:00:00",
        "v": "2.0",
        "sign": "66987CB115214E59E6EC978214934FB8",
    }


def test_further_parameters_are_signed_and_replace_none_of_the_apps_own() -> None:
    settings = AlibabaSettings(extra_parameters={"partner_id": "w", "app_key": "evil"})

    parameters = signed(
        Target.of(settings, "/a"), {}, CREDENTIALS, access_token=None, timestamp_ms=1
    )

    assert (parameters["partner_id"], parameters["app_key"]) == ("w", "123456")
    text = "/aapp_key123456partner_idwsign_methodsha256timestamp1"
    expected = hmac.new(b"helloworld", text.encode(), hashlib.sha256).hexdigest().upper()
    assert parameters["sign"] == expected


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
        {"extra_headers": {"x": "a\r\nb: c"}},
        {"extra_headers": {"x:y": "a"}},
        {"extra_parameters": {"a b": "c"}},
        {"order_list_wrapper": ""},
        {"timestamp_format": "rfc"},
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
