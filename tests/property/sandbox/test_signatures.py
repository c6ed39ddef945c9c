"""Whatever is signed is accepted as it was signed, and in no other form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import top
from sandbox.protocol import App, GopError, check_signature, signature

APP = App("123456", "helloworld")
NOW_MS = 1_517_820_392_000
PATH = "/alibaba/order/get"
names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).map(lambda name: f"x_{name}")
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
extras = st.dictionaries(names, values, max_size=5)


def newer(extra: dict[str, str]) -> dict[str, str]:
    system = {"app_key": APP.key, "timestamp": str(NOW_MS), "sign_method": "sha256"}
    params = {**system, **extra}
    return {**params, "sign": signature(PATH, params, APP.secret)}


def older(extra: dict[str, str], sign_method: str) -> dict[str, str]:
    local = datetime.fromtimestamp(NOW_MS / 1000, UTC).astimezone(top.GMT8)
    params = {
        "app_key": APP.key,
        "method": "a.b",
        "v": "2.0",
        "format": "json",
        "timestamp": f"{local:%Y-%m-%d %H:%M:%S}",
        "sign_method": sign_method,
        **extra,
    }
    return {**params, "sign": top.signature(params, APP.secret)}


def tampered(data: st.DataObject, params: dict[str, str]) -> dict[str, str]:
    """One signed value gets another character, or a parameter is added or lost."""
    business = [name for name in params if name.startswith("x_") and params[name]]
    kind = data.draw(st.sampled_from(["add", "change", "drop"] if business else ["add"]))
    if kind == "add":
        return params | {"y": "1"}
    name = data.draw(st.sampled_from(business))
    if kind == "change":
        return params | {name: params[name] + "1"}
    return {key: value for key, value in params.items() if key != name}


@given(extras)
def test_a_signed_call_is_accepted_in_any_order_of_its_parameters(extra: dict[str, str]) -> None:
    params = newer(extra)
    check_signature(PATH, dict(reversed(params.items())), APP, NOW_MS, 7200)


@given(extras, st.sampled_from(["md5", "hmac", "hmac-sha256"]))
def test_so_it_is_on_the_older_gateway(extra: dict[str, str], sign_method: str) -> None:
    params = older(extra, sign_method)
    top.check(dict(reversed(params.items())), APP, NOW_MS)


@given(extras, st.data())
def test_a_changed_call_is_refused(extra: dict[str, str], data: st.DataObject) -> None:
    params = tampered(data, newer(extra))
    with pytest.raises(GopError, match="IncompleteSignature"):
        check_signature(PATH, params, APP, NOW_MS, 7200)
    changed = tampered(data, older(extra, "md5"))
    with pytest.raises(GopError) as error:
        top.check(changed, APP, NOW_MS)
    assert error.value.older.number == "25"


@given(extras)
def test_one_path_does_not_sign_for_another(extra: dict[str, str]) -> None:
    with pytest.raises(GopError, match="IncompleteSignature"):
        check_signature("/alibaba/order/list", newer(extra), APP, NOW_MS, 7200)
