"""What the repository says about itself is true."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def declared_dependencies() -> set[str]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [re.match(r"[\w.-]+(\[[\w,-]+\])?", one) for group in groups for one in group]
    return {name[0] for name in found if name}


def test_every_dependency_has_its_reason_and_every_reason_a_dependency() -> None:
    page = (ROOT / "docs/decisions/0002-dependencies.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([\w.\[\]-]+)` \|", page, re.MULTILINE))

    assert explained - {"uv"} == declared_dependencies()


def test_every_target_of_the_makefile_is_explained_and_phony() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z0-9-]*):.*## ", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)

    assert phony is not None
    assert explained == targets
    assert set(phony[1].replace("\\", " ").split()) == targets


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.name
)
def test_a_decision_has_all_its_parts(page: Path) -> None:
    text = page.read_text("utf-8")
    parts = ["Context", "Decision", "Consequences", "Rejected"]

    assert re.match(rf"# {int(page.name[:4])}\. \S", text)
    assert re.search(r"^\*\*Status:\*\* (proposed|accepted|superseded by \S+)", text, re.MULTILINE)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == parts


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs"])
def test_links_within_the_repository_lead_somewhere(name: str) -> None:
    path = ROOT / name
    pages = sorted(path.rglob("*.md")) if path.is_dir() else [path]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    broken = [(page, target) for page, target in links if not (page.parent / target).exists()]

    assert broken == []
