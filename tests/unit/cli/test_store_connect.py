"""What `waybill stores connect` refuses before it asks a seller, or a cluster, anything."""

import json

import pytest

from tests.unit.cli.outcome import Waybill
from waybill.tokens import new_key

SITES = {"sandbox": {"app": {"app_key": "123456", "app_secret": "helloworld"}}}
CONNECT = ("stores", "connect", "--authorization", "1m", "--bootstrap", "127.0.0.1:1")
SANDBOX = ("--site", "sandbox")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_SITES", json.dumps(SITES))
    monkeypatch.setenv("WAYBILL_SEAL_KEY", new_key())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--site", "mars"), "WAYBILL_SITES has no site mars; there are: sandbox"),
        ((), "give --site, or the id of a store"),
        ((*SANDBOX, "--host", "0.0.0.0"), "give --callback"),  # noqa: S104 - refused
        ((*SANDBOX, "--callback", "https://waybill.example/back"), "give --port"),
        ((*SANDBOX, "--callback", "nonsense"), "want http://… or https://…"),
        ((*SANDBOX, "--callback", "http://[half"), "want http://… or https://…"),
        ((*SANDBOX, "--callback", "http://x:99999/"), "want http://… or https://…"),
        ((*SANDBOX, "--paste"), "--paste: give --callback"),
        ((*SANDBOX, "--authorization", "2m"), "--authorization"),
    ],
)
def test_what_cannot_be_is_told(waybill: Waybill, options: tuple[str, ...], told: str) -> None:
    ended = waybill(*CONNECT, *options)

    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_without_a_seal_key_no_seller_is_asked(
    waybill: Waybill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_SEAL_KEY", "")

    ended = waybill(*CONNECT, *SANDBOX)

    assert (ended.code, ended.out) == (2, "")
    assert "make one with `waybill stores new-key`" in ended.err


def test_without_a_cluster_no_seller_is_asked(waybill: Waybill) -> None:
    ended = waybill(*CONNECT, *SANDBOX)

    assert (ended.code, ended.out) == (1, "")
    assert "no Kafka at 127.0.0.1:1" in ended.err
