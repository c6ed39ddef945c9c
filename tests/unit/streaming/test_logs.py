"""What gets into a log line, and what never does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from waybill.logs import configure_logging


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _line(capsys: pytest.CaptureFixture[str], form: str = "json", **fields: Any) -> str:
    configure_logging("notifier", "info", form)
    structlog.get_logger().info("something_happened", **fields)
    return capsys.readouterr().err


FORBIDDEN = (
    "access_token", "refresh_token", "token", "secret", "app_secret", "password", "seal_key",
    "signing_key", "code", "name", "email", "phone", "address", "ship_to", "buyer", "note",
    "authorization", "sign",
)  # fmt: skip


@pytest.mark.parametrize("field", FORBIDDEN)
@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_and_personal_data_are_redacted(
    capsys: pytest.CaptureFixture[str], field: str, form: str
) -> None:
    line = _line(capsys, form, **{field: "Ada King", "order_key": "alibaba:1"})

    assert "Ada" not in line
    assert "redacted" in line
    assert "alibaba:1" in line


def test_a_line_is_json_with_service_level_and_utc_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fields = json.loads(_line(capsys, partition=3))

    assert fields["service"] == "notifier"
    assert fields["level"] == "info"
    assert fields["event"] == "something_happened"
    assert fields["partition"] == 3
    assert fields["timestamp"].endswith("Z")


def test_redaction_also_holds_for_bound_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("notifier", "info", "json")
    structlog.contextvars.bind_contextvars(token="t0p-secret")
    structlog.get_logger().bind(phone="+44 20 7946 0000").warning("something_happened")

    line = capsys.readouterr().err
    assert "t0p-secret" not in line
    assert "7946" not in line


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("notifier", "warning", "json")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["loud"]


def test_an_exception_is_told_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("notifier", "info", "json")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("record_failed")

    fields = json.loads(capsys.readouterr().err)
    assert "ZeroDivisionError" in fields["exception"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_told_by_place_and_kind_and_never_by_its_words(
    capsys: pytest.CaptureFixture[str], form: str
) -> None:
    configure_logging("notifier", "info", form)
    buyer = "Ada King"
    try:
        try:
            int(buyer)
        except ValueError as error:
            raise LookupError(f"no order of {buyer}") from error
    except LookupError:
        structlog.get_logger().exception("record_failed")

    told = capsys.readouterr().err
    assert "Ada" not in told
    assert all(part in told for part in ("LookupError", "ValueError", "test_logs.py", "int(buyer)"))
