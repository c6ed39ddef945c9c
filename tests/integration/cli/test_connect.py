"""`waybill stores connect` end to end: a real cluster, the stand-in's own pages, processes of their own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest

from sandbox.server import background
from sandbox.settings import Settings as SandboxSettings
from tests.integration.cli.desk import Desk
from tests.kafka import TopicSpace
from tests.waiting import wait_until
from waybill.broker.ports import free_port
from waybill.connecting import Authorisation, authorised_until
from waybill.contracts.keys import partition_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def desk(topic_space: TopicSpace, tmp_path: Path) -> Iterator[Desk]:
    topic_space.create_declared(partitions=4)
    settings = SandboxSettings(data_dir=tmp_path / "sandbox", orders_per_store=3, stores=3)
    with background(settings) as url:
        desk = Desk(topic_space, url, tmp_path)
        yield desk
        desk.close()


def state_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["state"][0]


def callback_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["redirect_uri"][0]


def issued(desk: Desk) -> dict[str, Any]:
    """The newest tokens that the stand-in gave for a code."""
    return dict(next(row for row in reversed(desk.api.journal("tokens_issued")) if row["code"]))


def test_a_seller_authorises_and_the_store_is_there_with_its_tokens(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    before = datetime.now(UTC)

    terminal = desk.connect(seller, "3", "--site", "sandbox", "--name", "Lumen & Volt")

    assert (terminal.process.returncode, terminal.errors) == (0, "")
    assert f"sandbox-{seller} is connected: dry_run, tokens of generation 1" in terminal.printed
    assert f"waybill stores live sandbox-{seller}" in terminal.printed
    store = desk.book.store(f"sandbox-{seller}")
    assert (store.seller_id, store.name, store.mode) == (seller, "Lumen & Volt", "dry_run")
    tokens = desk.tokens(store.store_id)
    until = authorised_until(store.connected_at, Authorisation.THREE_MONTHS)
    assert (tokens.authorisation, tokens.authorised_until) == ("3m", until)
    assert tokens.expires_at is not None
    assert 0 <= (tokens.expires_at - before).total_seconds() - 864_000 < 60
    assert desk.opened(store.store_id) == issued(desk)["access_token"]
    answer = desk.api.post(
        "/alibaba/order/list", access_token=desk.opened(store.store_id), role="seller"
    )
    assert answer.json()["code"] == "0"
    places = {one.partition for one in desk.cluster.read(["stores", "store-tokens"])}
    assert places == {partition_of(store.store_id, 4)}


def test_connecting_again_keeps_id_and_settings_and_ends_the_former_tokens(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    store_id = f"sandbox-{seller}"
    desk.connect(seller, "1", "--site", "sandbox", "--name", "Lumen", "--live")
    desk.run("set", store_id, "carrier.fedex=FEDEX", "time_zone=Asia/Shanghai")
    desk.run("pause", store_id)
    first = desk.book.store(store_id)

    terminal = desk.connect(seller, "6", store_id)

    assert terminal.process.returncode == 0, terminal.errors
    assert "connected again: live, tokens of generation 2, authorised for 6m" in terminal.printed
    assert f"It is paused; go on with: waybill stores resume {store_id}" in terminal.printed
    store = desk.book.store(store_id)
    assert store == first.model_copy(update={"revision": 4, "token_generation": 2})
    assert desk.tokens(store_id).authorisation == "6m"
    assert desk.opened(store_id) == issued(desk)["access_token"]
    assert tombstones(desk) == [f"{store_id}:1"]


def tombstones(desk: Desk) -> list[str]:
    """Keys of tokens that were taken back."""
    found = {one.key: one.value for one in desk.cluster.read(["store-tokens"])}
    return sorted((key or b"").decode() for key, value in found.items() if value is None)


def test_another_sellers_account_is_refused_and_both_are_named(desk: Desk) -> None:
    mine, other = (store.id for store in desk.api.stores[:2])
    desk.connect(mine, "1", "--site", "sandbox")
    access = desk.opened(f"sandbox-{mine}")

    terminal = desk.start("connect", f"sandbox-{mine}", "--authorization", "3m", "--no-browser")
    page = desk.authorise(terminal.link(), other, "3")

    assert terminal.end() == 1
    for told in (terminal.errors, page.text):
        assert f"sandbox-{mine} belongs to seller {mine}" in told
        assert f"the account of seller {other}" in told
    assert set(desk.book.stores()) == {f"sandbox-{mine}"}
    assert desk.opened(f"sandbox-{mine}") == access


def test_the_account_without_an_account_id_is_known_by_its_seller_id(desk: Desk) -> None:
    third = desk.api.stores[2]
    assert third.account is None

    terminal = desk.connect(third.id, "1", "--site", "sandbox")

    assert terminal.process.returncode == 0
    assert desk.book.store(f"sandbox-{third.id}").name == f"sandbox-{third.id}"


def test_a_reply_with_another_state_connects_nothing_and_the_own_one_still_counts(
    desk: Desk,
) -> None:
    seller = desk.api.stores[0].id
    terminal = desk.start("connect", "--site", "sandbox", "--authorization", "1m", "--no-browser")
    link = terminal.link()
    callback, state = callback_of(link), state_of(link)
    code = desk.api.admin("POST", "/codes", {"seller": desk.api.stores[1].id, "months": "1"})[
        "code"
    ]

    forged = [
        f"?code={code}&state=forged", f"?code={code}", f"?code={code}&state={state[:-1]}",
        f"?code={code}&state={state}&state={state}", "", "?" + "&".join(["a=1"] * 50),
    ]  # fmt: skip
    for query in forged:
        assert httpx.get(callback + query, trust_env=False).status_code == 400
    assert httpx.get(callback.replace("/callback", "/"), trust_env=False).status_code == 404
    assert httpx.post(callback, trust_env=False).status_code == 501
    answer = desk.authorise(link, seller, "1")

    assert answer.status_code == 200
    assert f"sandbox-{seller} is connected" in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert terminal.end() == 0
    assert set(desk.book.stores()) == {f"sandbox-{seller}"}


def test_a_seller_who_says_no_is_told(desk: Desk) -> None:
    terminal = desk.start("connect", "--site", "sandbox", "--authorization", "1m", "--no-browser")
    link = terminal.link()

    query = httpx.QueryParams({"error": "access_denied", "state": state_of(link)})
    httpx.get(f"{callback_of(link)}?{query}", trust_env=False)

    assert terminal.end() == 1
    assert "the seller did not authorise" in terminal.errors
    assert desk.book.stores() == {}


def test_a_code_that_is_not_accepted_is_told_with_what_to_do(desk: Desk) -> None:
    terminal = desk.start("connect", "--site", "sandbox", "--authorization", "1m", "--no-browser")
    link = terminal.link()

    query = httpx.QueryParams({"code": "3_used-up-long-ago", "state": state_of(link)})
    page = httpx.get(f"{callback_of(link)}?{query}", trust_env=False, timeout=30)

    assert terminal.end() == 1
    assert "gave no tokens" in terminal.errors
    assert "begin again" in terminal.errors
    assert "used-up" not in terminal.errors + page.text + terminal.printed


def test_the_address_may_be_pasted_where_no_browser_can_come_back(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    callback = "https://waybill.example/alibaba"
    terminal = desk.start(
        "connect", "--site", "sandbox", "--authorization", "1m", "--paste", "--callback", callback
    )
    ended_at = desk.authorise(terminal.link(), seller, "1", follow=False).headers["location"]
    assert terminal.process.stdin is not None
    terminal.process.stdin.write(f"{ended_at}\n")
    terminal.process.stdin.flush()

    assert ended_at.startswith(callback)
    assert terminal.end() == 0, terminal.errors
    assert desk.book.store(f"sandbox-{seller}").seller_id == seller


def test_a_registered_callback_says_where_to_listen(desk: Desk) -> None:
    port = free_port()
    callback = f"http://localhost:{port}/oauth/back"
    seller = desk.api.stores[0].id
    same = ("connect", "--site", "sandbox", "--authorization", "1m", "--no-browser")
    terminal = desk.start(*same, "--callback", callback)
    link = terminal.link()

    taken = desk.run(*same, "--port", str(port))
    desk.authorise(link, seller, "1")

    assert callback_of(link) == callback
    assert f"127.0.0.1:{port}: Address already in use" in taken.errors
    assert terminal.end() == 0, terminal.errors


def test_it_listens_on_this_machine_alone(desk: Desk) -> None:
    terminal = desk.start("connect", "--site", "sandbox", "--authorization", "1m", "--no-browser")
    terminal.link()

    sockets = psutil.Process(terminal.process.pid).net_connections(kind="inet")

    assert {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_store_that_is_not_there_or_of_another_site_is_told(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    desk.connect(seller, "1", "--site", "sandbox")

    absent = desk.run("connect", "sandbox-9", "--authorization", "1m")
    elsewhere = desk.run(
        "connect", f"sandbox-{seller}", "--site", "alibaba", "--authorization", "1m"
    )

    assert "there is no store sandbox-9" in absent.errors
    assert f"--site alibaba: sandbox-{seller} is at site sandbox" in elsewhere.errors
    assert "oauth" not in absent.printed + elsewhere.printed


def test_pausing_resuming_and_going_live_are_one_revision_each(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    store_id = f"sandbox-{seller}"
    desk.connect(seller, "1", "--site", "sandbox")

    told = [
        desk.run(word, store_id).printed for word in ("pause", "pause", "resume", "live", "dry-run")
    ]

    assert told == [
        f"{store_id} is at revision 2: dry_run, paused\n",
        f"{store_id} is at revision 2: dry_run, paused\n",
        f"{store_id} is at revision 3: dry_run\n",
        f"{store_id} is at revision 4: live\n",
        f"{store_id} is at revision 5: dry_run\n",
    ]


def test_disconnecting_takes_the_tokens_back_and_connecting_goes_on_as_before(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    store_id = f"sandbox-{seller}"
    desk.connect(seller, "1", "--site", "sandbox", "--name", "Lumen", "--live")

    asked = desk.run("disconnect", store_id, stdin="n\n")
    assert asked.process.returncode == 1
    assert not desk.book.store(store_id).disconnected
    done = desk.run("disconnect", store_id, "--yes")

    assert done.printed == f"{store_id} is at revision 2: live, disconnected\n"
    assert tombstones(desk) == [f"{store_id}:1"]
    assert desk.book.tokens(store_id) is None
    assert "disconnected" in desk.run("list").printed
    refused = desk.run("resume", store_id)
    assert f"`waybill stores connect {store_id}`" in refused.errors
    again = desk.connect(seller, "3", store_id)
    assert "connected again: live, tokens of generation 2" in again.printed
    assert desk.book.store(store_id).name == "Lumen"


def test_nothing_secret_is_shown_anywhere(desk: Desk) -> None:
    seller = desk.api.stores[0].id
    store_id = f"sandbox-{seller}"
    # a browser that only notes what it was called with, as a list of processes would show it
    called = desk.folder / "called"
    browser = desk.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$@" >> {called}\nsleep 2\n', "utf-8")
    browser.chmod(0o700)
    terminal = desk.start(
        "connect",
        "--site",
        "sandbox",
        "--authorization",
        "3m",
        BROWSER=f"{browser} %s",
        TMPDIR=str(desk.folder),
    )
    link = terminal.link()
    wait_until(called.exists)
    terminal.look()
    answer = desk.authorise(link, seller, "3")
    terminal.end()
    code = issued(desk)["code"]
    shown = [
        desk.run(*words)
        for words in (("list",), ("show", store_id), ("show", store_id, "--json"), ("keys",))
    ]

    ended = [terminal, *shown]
    texts = "".join(one.printed + one.errors for one in ended) + answer.text
    texts += called.read_text("utf-8") + " ".join(terminal.arguments)
    topics = b"".join(
        (one.value or b"") + str(one.headers).encode()
        for one in desk.cluster.read(["stores", "store-tokens"])
    )
    secrets = {
        "code": code,
        "access token": issued(desk)["access_token"],
        "refresh token": issued(desk)["refresh_token"],
        "app secret": desk.api.secret,
        "seal key": desk.seal_key,
    }
    assert code
    assert called.read_text("utf-8").startswith("file://")
    assert state_of(link) not in called.read_text("utf-8") + " ".join(terminal.arguments)
    assert list(desk.folder.glob("waybill-*.html")) == []
    for name, secret in secrets.items():
        assert secret not in texts, name
        assert secret.encode() not in topics, name
