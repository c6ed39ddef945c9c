"""The contract files of this release are whole; publishing writes the next version, or nothing at all."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, create_model

from waybill.contracts import RECORDS
from waybill.contracts.base import Record
from waybill.contracts.examples import examples
from waybill.contracts.files import foreign_fingerprints, schema_versions, schemas_dir
from waybill.contracts.imports import ImportCursor
from waybill.contracts.release import PublishError, publish, release_violations


def test_the_contracts_of_this_release_are_whole() -> None:
    assert release_violations() == []


def test_the_published_versions_are_frozen() -> None:
    published = json.loads((schemas_dir() / "avro" / "published.json").read_text())

    assert {f"{record}/v1" for record in RECORDS} <= published.keys()


def cursor_with(*, doc: str = str(ImportCursor.__doc__), **fields: Any) -> type[ImportCursor]:
    """The model of a cursor after somebody changed it."""
    return create_model("ImportCursor", __base__=ImportCursor, __doc__=doc, **fields)


OPTIONAL = (int, Field(0, description="Pages read so far."))
NEEDED = (int, Field(description="Pages read so far."))


class TestPublishing:
    """On a copy of the folder, with a model that changed."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        copy = tmp_path / "schemas"
        shutil.copytree(schemas_dir(), copy)
        _forget()
        for module in ("files", "release", "examples"):
            monkeypatch.setattr(f"waybill.contracts.{module}.schemas_dir", lambda: copy)
        yield copy
        monkeypatch.undo()
        _forget()

    def change(self, monkeypatch: pytest.MonkeyPatch, model: type[Record]) -> None:
        monkeypatch.setitem(RECORDS, "import_cursor", model)

    def read(self, path: Path) -> Any:
        return json.loads(path.read_text())

    def test_nothing_changed_nothing_written(self, folder: Path) -> None:
        assert folder.is_dir()
        assert publish() == []

    def test_a_changed_model_gets_the_next_version(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = (folder / "avro/import_cursor/v1.avsc").read_text()
        self.change(monkeypatch, cursor_with(pages_total=OPTIONAL))

        written = publish()

        assert folder / "avro/import_cursor/v2.avsc" in written
        assert (
            self.read(folder / "avro/import_cursor/v2.avsc")["fields"][-1]["name"] == "pages_total"
        )
        assert (folder / "avro/import_cursor/v1.avsc").read_text() == before
        assert "import_cursor/v2" in self.read(folder / "avro/published.json")
        assert [str(one) for one in release_violations()] == [
            "import_cursor v2: has no example full.json",
            "import_cursor v2: has no example minimal.json",
        ]

    def test_a_change_that_breaks_a_rule_writes_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.change(monkeypatch, cursor_with(pages_total=NEEDED))

        with pytest.raises(PublishError, match="pages_total: was added without a default"):
            publish()

        assert not (folder / "avro/import_cursor/v2.avsc").exists()

    def test_before_a_release_the_newest_version_can_be_replaced(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.change(monkeypatch, cursor_with(pages_total=NEEDED))

        written = publish(replace=True)

        assert folder / "avro/import_cursor/v1.avsc" in written
        assert not (folder / "avro/import_cursor/v2.avsc").exists()
        assert [str(one) for one in release_violations()] == [
            f"examples/import_cursor/v1/{name}.json: has a value that the model does not take; edit it"
            for name in ("full", "minimal")
        ]

    def test_a_better_doc_makes_no_new_version(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.change(monkeypatch, cursor_with(doc="In other words."))

        assert publish() == [folder / "avro/import_cursor/v1.avsc"]
        assert self.read(folder / "avro/import_cursor/v1.avsc")["doc"] == "In other words."

    def test_an_edited_version_is_found(self, folder: Path) -> None:
        path = folder / "avro/import_cursor/v1.avsc"
        path.write_text(path.read_text().replace('"long"', '"int"', 1))

        found = [str(one) for one in release_violations()]

        assert (
            "import_cursor/v1: was published and has changed; make a new version instead" in found
        )

    def test_an_example_whose_bytes_were_edited_is_found(self, folder: Path) -> None:
        path = folder / "examples/command/v1/minimal.json"
        path.write_text(path.read_text().replace('"why": "seen"', '"why": "Seen"'))

        assert [str(one) for one in release_violations()] == [
            "examples/command/v1/minimal.json: is stale; run `waybill schemas publish`"
        ]
        assert publish() == [path]
        assert release_violations() == []


def _forget() -> None:
    for cached in (schema_versions, foreign_fingerprints, examples):
        cached.cache_clear()
