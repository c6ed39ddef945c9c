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


def test_the_ready_line_tells_where_it_serves_and_sigterm_ends_it_in_good_order(
    spawn: Spawn, connect: Connect
) -> None:
    process = spawn(*SMALL, "--lenient")
    line = process.ready()
    assert line["ready"] is True
    assert line["url"].startswith("http://127.0.0.1:")
    assert line["admin"] == line["url"] + "/admin"
    assert line["pid"] == process.process.pid
    assert connect(line["url"]).admin("GET", "/health") == {"status": "ok", "lenient": True}
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
