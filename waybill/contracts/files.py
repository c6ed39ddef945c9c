"""Where the contract files lie, and what is in them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def schemas_dir() -> Path:
    """The folder `schemas/`: beside the source tree, or inside the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / "schemas", package.parent / "schemas"):
        if (folder / "topics").is_dir():
            return folder
    raise FileNotFoundError(f"no folder schemas/ beside {package}: the installation is incomplete")


def _version(path: Path) -> int:
    return int(path.stem.removeprefix("v"))


@cache
def schema_versions() -> dict[str, list[dict[str, Any]]]:
    """Record name to its published schemas, oldest first."""
    folders = sorted(path for path in (schemas_dir() / "avro").iterdir() if path.is_dir())
    return {
        folder.name: [
            json.loads(path.read_text()) for path in sorted(folder.glob("v*.avsc"), key=_version)
        ]
        for folder in folders
    }


@cache
def topic_files() -> list[dict[str, Any]]:
    """The contents of `schemas/topics/*.yaml`."""
    return [
        yaml.safe_load(path.read_text())
        for path in sorted((schemas_dir() / "topics").glob("*.yaml"))
    ]


@cache
def foreign_fingerprints() -> dict[str, dict[str, str]]:
    """Fingerprints that other libraries get wrong, to the library, record and right header; made by `waybill schemas`."""
    path = schemas_dir() / "foreign-fingerprints.json"
    loaded: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return loaded
