"""The generated pages are current, and whole."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import waybill
from waybill.cli.docs import app
from waybill.contracts import RECORDS
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.examples import examples
from waybill.contracts.topics import topics
from waybill.docs import asyncapi, contracts_page, topics_page
from waybill.docs.markdown import table
from waybill.docs.pages import PAGES, stale_pages, write_pages

DOCS = Path(waybill.__file__).parent.parent / "docs"


def test_the_pages_in_the_repository_are_current() -> None:
    assert stale_pages(DOCS) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_same_every_time(name: str) -> None:
    assert PAGES[name]() == PAGES[name]()


def test_stale_pages_are_told_and_written(tmp_path: Path) -> None:
    (tmp_path / "topics.md").write_text("old")
    assert stale_pages(tmp_path) == [*PAGES]

    assert write_pages(tmp_path) == [*PAGES]

    assert stale_pages(tmp_path) == []
    assert write_pages(tmp_path) == []


def test_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    folder = ["--folder", str(tmp_path)]

    checked = run(app, ["check", *folder])
    assert checked.exit_code == 1
    assert f"{tmp_path / 'topics.md'} is stale: run `waybill docs write`" in checked.output
    assert run(app, ["write", *folder]).exit_code == 0
    assert run(app, ["check", *folder]).exit_code == 0


def test_a_cell_cannot_break_its_table_or_be_taken_for_html() -> None:
    assert table(["a"], [["x|y <site> `<trade_id>`"]]) == (
        "| a |\n|---|\n| x\\|y &lt;site> `<trade_id>` |"
    )


class TestContracts:
    """docs/contracts.md"""

    def test_it_prints_the_header_of_every_version(self) -> None:
        text = contracts_page.render()
        for name, model in RECORDS.items():
            assert f"`{Codec(model, name, SchemaBook()).header.hex()}`" in text

    def test_it_describes_every_field_of_every_record(self) -> None:
        text = contracts_page.render()
        for name, model in RECORDS.items():
            section = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
            for field in model.model_fields:
                assert f"\n| `{field}` | " in section

    def test_every_link_inside_it_leads_somewhere(self) -> None:
        text = contracts_page.render()
        anchors = {
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }

        assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors

    def test_its_example_in_hex_is_the_one_shown_as_json(self) -> None:
        minimal = next(e for e in examples() if (e.record, e.name) == ("shipment", "minimal"))

        assert minimal.encoded in contracts_page.render().replace("\n", "")

    def test_its_vectors_have_keys_of_many_scripts(self) -> None:
        beyond_ascii = [key for key in contracts_page.VECTORS if not key.isascii()]

        assert {len(key[0].encode()) for key in beyond_ascii} >= {1, 2, 3, 4}


class TestTopics:
    """docs/topics.md"""

    def test_it_has_a_section_for_every_topic(self) -> None:
        for topic in topics().values():
            assert f"\n## {topic.name}\n" in topics_page.render()

    def test_it_shows_the_settings_of_the_files(self) -> None:
        section = topics_page.render().partition("## waybill.ledger.v1")[2].partition("\n## ")[0]

        assert "| `unclean.leader.election.enable` | `false` |" in section
        assert "| `max.message.bytes` | `4194304` |" in section

    def test_links_to_its_own_sections_lead_somewhere(self) -> None:
        text = topics_page.render()
        anchors = {
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^## (.*)$", text, re.MULTILINE)
        }

        assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors


class TestAsyncApi:
    """docs/asyncapi.yaml"""

    @pytest.fixture
    def document(self) -> Any:
        return yaml.safe_load(asyncapi.render())

    def test_it_shows_the_public_topics_alone(self, document: Any) -> None:
        assert document["asyncapi"] == "3.0.0"
        public = {"orders", "shipments", "notifications", "enrichments"}
        assert document["channels"].keys() == public
        assert document["operations"]["receive_shipments"]["action"] == "receive"

    def test_every_reference_leads_somewhere(self, document: Any) -> None:
        for reference in _references(document):
            path, _, pointer = reference.partition("#/")
            if path:
                assert (DOCS / path).is_file()
                continue
            found = document
            for part in pointer.split("/"):
                found = found[part]
            assert found

    def test_json_is_described_by_the_model_itself(self, document: Any) -> None:
        shipment = document["components"]["schemas"]["Shipment"]

        assert set(shipment["required"]) == {"order_key", "shipment_id", "occurred_at"}
        assert shipment["properties"]["items"]["maxItems"] == 2_000


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for item in node.values() for found in _references(item)]
