"""The registry of generated pages: what `waybill docs write` writes and `waybill docs check` compares.

A new page is one line here.
"""

from collections.abc import Callable
from pathlib import Path

from waybill.docs import asyncapi, contracts_page, metrics_page, settings_page, topics_page

PAGES: dict[str, Callable[[], str]] = {
    "topics.md": topics_page.render,
    "contracts.md": contracts_page.render,
    "asyncapi.yaml": asyncapi.render,
    "metrics.md": metrics_page.render,
    "settings.md": settings_page.render,
}
"""Path below `docs/` to the function that returns the page's text."""


def stale_pages(folder: Path) -> list[str]:
    """The pages whose file is not what the code says, or is missing."""
    return [name for name, render in PAGES.items() if _read(folder / name) != render()]


def write_pages(folder: Path) -> list[str]:
    """Write the pages that are stale; returns their paths below the folder."""
    stale = stale_pages(folder)
    for name in stale:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGES[name]())
    return stale


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
