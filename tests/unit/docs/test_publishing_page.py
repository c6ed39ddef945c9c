"""docs/publishing.md is written by hand; what it prints must still be true."""

import ast
import json
import re
from pathlib import Path

import waybill
from waybill.contracts import Shipment
from waybill.contracts.codec import Codec, DeadReason, SchemaBook
from waybill.contracts.keys import partition_of

DOCS = Path(waybill.__file__).parent.parent / "docs"
PAGE = (DOCS / "publishing.md").read_text()
CODEC = Codec(Shipment, "shipment", SchemaBook())


def snippet(language: str) -> str:
    """The one block of code in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)\n```", PAGE, re.DOTALL)
    return str(found)


def test_every_header_is_that_of_the_newest_version() -> None:
    headers = re.findall(r"c301[0-9a-f]{16}", PAGE)

    assert len(headers) == 4  # the section, Python, JavaScript, Go; Java computes it right
    assert set(headers) == {CODEC.header.hex()}


def test_the_json_of_the_first_snippet_is_a_shipment() -> None:
    line = re.findall(r"^echo '(.*)' \|$", snippet("sh"), re.MULTILINE)[0]
    key, _, value = line.partition("|")

    shipment = CODEC.decode(value.encode(), allow_json=True)

    assert key == shipment.order_key
    assert json.loads(value)["occurred_at"] == "2026-11-20T09:30:00+01:00"


def test_the_decimals_in_hex() -> None:
    assert (612_500).to_bytes(3, "big", signed=True).hex() == "095894"
    assert (-10_000).to_bytes(2, "big", signed=True).hex() == "d8f0"
    for text in ("`095894`", "`d8f0`", "`00095894`"):
        assert text in PAGE


def test_the_reasons_exist() -> None:
    named = set(re.findall(r"dead letter[s]? \(?`([a-z_`, or]*)`", PAGE))
    reasons = {reason for group in named for reason in re.findall(r"[a-z_]{3,}", group)}

    assert reasons
    assert reasons <= {str(reason) for reason in DeadReason}


def test_the_share_of_keys_that_the_default_partitioner_misplaces() -> None:
    # any two independent hashes agree on one of twelve
    assert round(100 * (1 - 1 / 12)) == 92
    assert partition_of("alibaba:255201166001024316", 12) == 1


def test_links_to_other_pages_lead_somewhere() -> None:
    for page, anchor in re.findall(r"\]\(([a-z]+\.md)#([^)]*)\)", PAGE):
        titles = re.findall(r"^#+ (.*)$", (DOCS / page).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
        assert anchor in anchors


def test_links_inside_the_page_lead_somewhere() -> None:
    anchors = {t.lower().replace(" ", "-") for t in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors


def test_the_python_snippet_is_python() -> None:
    ast.parse(snippet("python"))
