"""Connecting stores and changing them, on a real cluster."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.integration.cli.command import Command
from tests.kafka import TopicSpace
from waybill.cli.cluster import Cluster
from waybill.cli.errors import CommandError
from waybill.cli.store_book import StoreBook
from waybill.cli.store_changes import changed
from waybill.contracts import Store
from waybill.contracts.keys import partition_of
from waybill.settings import KafkaSettings
from waybill.tokens import TokenSeal, new_key

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

ID = "sandbox-2011492515"
ADD = ("stores", "add", "--site", "sandbox", "--seller-id", "2011492515", "--name", "Lumen")


def cluster(space: TopicSpace) -> Cluster:
    return Cluster(KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix))


def test_a_store_is_connected_with_sealed_tokens_that_appear_nowhere_in_the_clear(
    waybill: Command, topic_space: TopicSpace, tmp_path: Path
) -> None:
    key = new_key()
    file = tmp_path / "token"
    file.write_text("access-5003db\n", "utf-8")

    ended = waybill(
        *ADD, "--live", "--carrier", "fedex=FEDEX", "--access-token-file", str(file),
        "--refresh-token-file", "-", stdin="refresh-5001fa\n", WAYBILL_SEAL_KEY=key,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")
    book = StoreBook(cluster(topic_space))
    sealed = book.tokens(ID)
    assert sealed is not None
    opened = TokenSeal(SecretStr(key)).open(sealed)
    assert opened.access.get_secret_value() == "access-5003db"
    assert opened.refresh is not None
    assert opened.refresh.get_secret_value() == "refresh-5001fa"
    shown = waybill("stores", "show", ID, "--json").stdout + waybill("stores", "show", ID).stdout
    records = list(cluster(topic_space).read(["stores", "store-tokens"]))
    assert len(records) == 2
    for clear in ("access-5003db", "refresh-5001fa"):
        assert clear not in ended.stdout + shown
        assert not any(clear.encode() in (record.value or b"") for record in records)
    assert {record.partition for record in records} == {partition_of(ID, 4)}


def test_connecting_again_is_a_new_generation_and_keeps_the_settings(waybill: Command) -> None:
    waybill(*ADD, "--live", WAYBILL_ACCESS_TOKEN="one")
    waybill("stores", "set", ID, "carrier.fedex=FEDEX", "time_zone=Asia/Shanghai")

    ended = waybill(*ADD, "--carrier", "dhl=DHL", WAYBILL_ACCESS_TOKEN="two")

    assert "connected again: live, tokens of generation 2" in ended.stdout
    store = json.loads(waybill("stores", "show", ID, "--json").stdout)["store"]
    assert store["revision"] == 3
    assert store["carrier_map"] == {"fedex": "FEDEX", "dhl": "DHL"}
    assert store["time_zone"] == "Asia/Shanghai"
    assert waybill("stores", "list").stdout.count(ID) == 1


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "no access token"),
        ({"WAYBILL_ACCESS_TOKEN": "x", "WAYBILL_SEAL_KEY": ""}, "WAYBILL_SEAL_KEY"),
        ({"WAYBILL_ACCESS_TOKEN": "x", "WAYBILL_SEAL_KEY": "c2hvcnQ="}, "want 32 bytes"),
    ],
)
def test_without_token_or_key_nothing_is_written(
    waybill: Command, topic_space: TopicSpace, env: dict[str, str], words: str
) -> None:
    ended = waybill(*ADD, **env)

    assert ended.returncode == 2
    assert words in ended.stderr
    assert list(cluster(topic_space).read(["stores", "store-tokens"])) == []


def test_of_changes_at_the_same_moment_none_is_lost(
    waybill: Command, topic_space: TopicSpace
) -> None:
    waybill(*ADD, WAYBILL_ACCESS_TOKEN="one")

    def change(number: int) -> bool:
        def with_carrier(store: Store | None) -> tuple[Store, None]:
            assert store is not None
            return changed(store, [f"carrier.c{number}=FEDEX"]), None

        try:
            StoreBook(cluster(topic_space)).change(ID, with_carrier)
        except CommandError:
            return False  # somebody else was faster: told, and nothing written
        return True

    with ThreadPoolExecutor(6) as pool:
        done = [number for number, ok in enumerate(pool.map(change, range(6))) if ok]

    store = StoreBook(cluster(topic_space)).store(ID)
    assert done
    assert set(store.carrier_map) == {f"c{number}" for number in done}
    assert store.revision == 1 + len(done)


def test_a_store_that_is_not_there_is_exit_code_1(waybill: Command) -> None:
    for arguments in (("show", "sandbox-9"), ("set", "sandbox-9", "mode=live")):
        ended = waybill("stores", *arguments)

        assert ended.returncode == 1
        assert "there is no store sandbox-9" in ended.stderr
