"""What the broker is started with."""

import base64
from pathlib import Path

import pytest

from waybill.broker.errors import BrokerError
from waybill.broker.files import BrokerFiles, BrokerState
from waybill.broker.jars import deploy_dir
from waybill.broker.launch import cluster_id, server_properties


def properties(data_dir: Path) -> dict[str, str]:
    base = (deploy_dir() / "server.properties").read_text("utf-8")
    state = BrokerState(port=20001, controller_port=20002)
    text = server_properties(base, BrokerFiles(data_dir), state)
    text.encode("ascii")  # Java reads the file as ISO 8859-1
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = [line.partition("=")[0] for line in lines]
    assert len(names) == len(set(names)), "a property is given twice"
    return dict(line.split("=", 1) for line in lines)


def test_only_this_machine_can_reach_the_broker(tmp_path: Path) -> None:
    found = properties(tmp_path)

    assert found["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert found["controller.quorum.bootstrap.servers"] == "127.0.0.1:20002"


def test_a_misspelt_topic_is_not_created(tmp_path: Path) -> None:
    assert properties(tmp_path)["auto.create.topics.enable"] == "false"


def test_the_largest_record_of_the_size_ladder_fits(tmp_path: Path) -> None:
    assert int(properties(tmp_path)["message.max.bytes"]) > 8 * 1024 * 1024


def test_a_single_node_asks_for_no_copies(tmp_path: Path) -> None:
    found = properties(tmp_path)
    copies = {name: value for name, value in found.items() if "replica" in name or "isr" in name}

    assert len(copies) == 7
    assert set(copies.values()) == {"1"}


def test_a_path_in_any_script_is_written_as_java_reads_it(tmp_path: Path) -> None:
    written = properties(tmp_path / "Käse 🧀 \\ 仓库")["log.dirs"]

    assert written.endswith("K\\u00e4se \\ud83e\\uddc0 \\\\ \\u4ed3\\u5e93/data")


def test_a_path_with_a_comma_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="comma"):
        BrokerFiles(tmp_path / "a,b")


def test_cluster_ids_are_sixteen_bytes_and_never_look_like_an_option() -> None:
    ids = [cluster_id() for _ in range(500)]

    assert all(len(base64.urlsafe_b64decode(one + "==")) == 16 for one in ids)
    assert not any(one.startswith("-") for one in ids)
    assert len(set(ids)) == len(ids)
