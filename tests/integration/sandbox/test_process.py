"""The sandbox as a process: command line, stop, kill and what survives."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.sandbox.client import SHIPPING, Api
from tests.integration.sandbox.conftest import Process

Spawn = Callable[..., Process]
Connect = Callable[[str], Api]
GET = "/alibaba/order/get"
SMALL = ("--orders-per-store", "5")


def test_the_ready_line_tells_where_it_serves(spawn: Spawn, connect: Connect) -> None:
    process = spawn(*SMALL)
    line = process.ready()
    assert line["ready"] is True
    assert line["url"].startswith("http://127.0.0.1:")
    assert line["admin"] == line["url"] + "/admin"
    assert line["pid"] == process.process.pid
    assert connect(line["url"]).admin("GET", "/health") == {"status": "ok", "lenient": False}


def test_sigterm_ends_it_in_good_order_with_an_open_connection(
    spawn: Spawn, connect: Connect
) -> None:
    process = spawn(*SMALL)
    connect(process.ready()["url"])
    assert process.end(signal.SIGTERM) == 0


def test_after_a_kill_everything_answered_is_still_there(spawn: Spawn, connect: Connect) -> None:
    process = spawn(*SMALL)
    api = connect(process.ready()["url"])
    created = api.order(payload={"remark": "made before the kill"})
    unused = api.upload("late.png")["value"]
    voucher = api.ship(created, tracking_number="BEFORE")["voucher_id"]
    changed = api.order()
    api.admin("PATCH", f"/orders/{changed}", {"status": "frozen", "payload": {"remark": "x"}})
    refreshed = api.post("/auth/token/refresh", refresh_token=api.stores[0].refresh_token).json()
    before = _state(api)
    process.end(signal.SIGKILL)

    again = connect(spawn(*SMALL).ready()["url"])
    assert again.stores[0].token == refreshed["access_token"]
    after = _state(again)
    assert after == before
    assert again.tracking_numbers(created) == ["BEFORE"]
    assert again.call(GET, e_trade_id=created)["value"]["remark"] == "made before the kill"
    assert again.call(GET, e_trade_id=changed)["value"]["trade_status"] == "frozen"
    assert again.ship(created)["code"] == "402"
    attachments = [{"file_name": "late.png", "file_path": unused}]
    assert again.ship(again.order(), attachments=attachments)["voucher_id"] == voucher + 1


def _state(api: Api) -> Any:
    api.reload()
    orders = api.admin("GET", "/orders")["orders"]
    journal = api.admin("GET", "/journal")
    totals = api.admin("GET", "/totals")
    sums = {name: totals[name] for name in ("uploads", "shipments", "shipments_per_order_max")}
    ids = [store.id for store in api.stores]
    return orders, journal, sums, ids, [store.token for store in api.stores]


def test_a_call_cut_off_by_the_kill_is_whole_or_not_there(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(*SMALL)
    process.ready()
    process.end(signal.SIGKILL)
    journal = tmp_path / "sandbox" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"seq":3,"kind":"upl')
    process = spawn(*SMALL)
    process.ready()
    assert process.end(signal.SIGTERM) == 0
    assert journal.read_bytes() == whole


def test_a_damaged_journal_is_an_error_that_names_the_entry(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(*SMALL)
    process.ready()
    process.end(signal.SIGTERM)
    journal = tmp_path / "sandbox" / "journal.jsonl"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first[:10] + b"\n" + second)
    status, errors = spawn(*SMALL).ended()
    assert status == 2
    assert "entry 1 cannot be read" in errors


def test_lenient_comes_from_the_command_line(spawn: Spawn, connect: Connect) -> None:
    api = connect(spawn(*SMALL, "--lenient").ready()["url"])
    assert api.admin("GET", "/health")["lenient"] is True


def test_two_sandboxes_do_not_share_a_directory(spawn: Spawn) -> None:
    first = spawn(*SMALL)
    first.ready()
    status, errors = spawn(*SMALL).ended()
    assert status == 2
    assert "belongs to a running sandbox" in errors
    assert first.end(signal.SIGTERM) == 0


def test_a_directory_goes_with_its_options(spawn: Spawn) -> None:
    process = spawn(*SMALL, "--seed", "5")
    process.ready()
    process.end(signal.SIGTERM)
    status, errors = spawn(*SMALL, "--seed", "6").ended()
    assert status == 2
    assert "seed=5" in errors


def test_options_out_of_range_are_named(spawn: Spawn) -> None:
    status, errors = spawn("--stores", "0").ended()
    assert status == 2
    assert "--stores" in errors
    status, errors = spawn("--stores", "100", "--orders-per-store", "100000").ended()
    assert status == 2
    assert "1,000,000 orders" in errors


def test_a_port_in_use_is_an_error(spawn: Spawn, tmp_path: Path) -> None:
    port = spawn(*SMALL).ready()["url"].rpartition(":")[2]
    other = tmp_path / "other"
    process = spawn(*SMALL, "--port", port, "--data-dir", str(other))
    status, errors = process.ended()
    assert status == 2
    assert "sandbox:" in errors


def test_the_same_seed_makes_the_same_orders(
    spawn: Spawn, connect: Connect, tmp_path: Path
) -> None:
    def made(name: str) -> Any:
        place = ("--data-dir", str(tmp_path / name), "--epoch-ms", "1790000000000", "--seed", "11")
        api = connect(spawn(*SMALL, *place).ready()["url"])
        ids = [row["trade_id"] for row in api.admin("GET", "/orders")["orders"]]
        details = [api.admin("GET", f"/orders/{trade_id}")["payload"] for trade_id in ids]
        return [store.id for store in api.stores], json.dumps(details)

    assert made("a") == made("b")


def test_the_journal_is_on_disk_before_the_answer(
    spawn: Spawn, connect: Connect, tmp_path: Path
) -> None:
    process = spawn(*SMALL)
    api = connect(process.ready()["url"])
    answer = api.ship(api.order())
    os.kill(process.process.pid, signal.SIGSTOP)  # nothing more can be written from here on
    try:
        lines = (tmp_path / "sandbox" / "journal.jsonl").read_text().splitlines()
    finally:
        os.kill(process.process.pid, signal.SIGCONT)
    last = json.loads(lines[-1])
    assert (last["kind"], last["voucher_id"]) == ("shipment", answer["voucher_id"])
    assert api.admin("GET", "/totals")["requests"][SHIPPING] == 1
