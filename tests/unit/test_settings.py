"""The seal keys come from a variable or from a file, never from both, and never into a message."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from waybill.cli.connection import settings_error
from waybill.cli.store_connect import ConnectSettings
from waybill.settings import Settings
from waybill.tokens import TokenSeal, new_key


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYBILL_SEAL_KEY", raising=False)
    monkeypatch.delenv("WAYBILL_SEAL_KEY_FILE", raising=False)


def test_keys_come_from_a_file_one_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [new_key(), new_key()]
    file = tmp_path / "keys"
    file.write_text("\n".join(keys) + "\n", "utf-8")
    monkeypatch.setenv("WAYBILL_SEAL_KEY_FILE", str(file))

    found = Settings()

    assert len(TokenSeal(found.seal_key).key_ids) == 2
    assert not any(key in repr(found) for key in keys)


def test_without_either_there_is_none() -> None:
    assert Settings().seal_key is None


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_SEAL_KEY_FILE", str(tmp_path / "absent"))

    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "WAYBILL_SEAL_KEY_FILE cannot be read: FileNotFoundError" in settings_error(caught.value)


def test_a_variable_and_a_file_at_once_are_refused_without_showing_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    file = tmp_path / "keys"
    file.write_text(key, "utf-8")
    monkeypatch.setenv("WAYBILL_SEAL_KEY_FILE", str(file))
    monkeypatch.setenv("WAYBILL_SEAL_KEY", key)

    with pytest.raises(ValidationError) as caught:
        Settings()
    told = settings_error(caught.value)
    assert told.startswith("WAYBILL_SEAL_KEY: ")
    assert "set one of them" in told
    assert key not in told + str(caught.value)


def test_a_site_that_is_wrong_is_told_without_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    app = {"app_key": "", "app_secret": "helloworld", "more": "helloworld"}
    monkeypatch.setenv("WAYBILL_SITES", json.dumps({"alibaba": {"app": app}}))

    with pytest.raises(ValidationError, match="alibaba") as caught:
        ConnectSettings()
    assert "helloworld" not in str(caught.value)


def test_hosts_of_pictures_are_names_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "alicdn.com" in Settings().picture_hosts.split(",")

    monkeypatch.setenv("WAYBILL_PICTURE_HOSTS", "")
    assert not Settings().picture_hosts

    monkeypatch.setenv(
        "WAYBILL_PICTURE_HOSTS", "example.org,127.0.0.1,*.example.org,https://x.org/"
    )
    with pytest.raises(ValidationError) as caught:
        Settings()
    told = settings_error(caught.value)
    assert "WAYBILL_PICTURE_HOSTS: Value error, 3 of them are no host names" in told
