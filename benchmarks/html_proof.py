"""The way of most web shops: the page as HTML, and a headless browser that takes its picture.

One browser stays open and draws page after page in the same tab, driven over its DevTools pipe.
"""

import base64
import html
import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc
import psutil
import pymupdf_fonts

from services.proofgen.marks import BoxMark, SymbolMark, TextMark
from services.proofgen.pages import Page

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # our own page alone is opened, and containers often run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)
_READY = "Promise.all([document.fonts.ready, ...[...document.images].map(one => one.decode())])"
_CHUNK = 1 << 20
_STYLE = (
    "body { margin: 0; background: #fff; font-family: FiraGO, 'Noto Sans CJK SC', sans-serif }"
    "div { position: absolute; white-space: pre } .bold { font-weight: bold }"
    ".fim { font-family: 'Fira Mono', 'Noto Sans CJK SC', monospace }"
)
_FONTS = ("figo", "figbo", "fimo", "fimbo", "notos")


def browser() -> str | None:
    """The browser of this machine, if there is one."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def page_html(page: Page) -> str:
    """The same lines, rules and codes at the same places, in the same fonts."""
    parts = []
    for y, block in page.placed:
        for mark in block.marks:
            left, top = page.paper.left + mark.x, y + mark.y
            if isinstance(mark, TextMark):
                font = mark.line.glyphs[0][0]
                top -= font.size_px
                text = html.escape(mark.line.text)
                kind = font.typeface.name.removesuffix("bo")
                classes = f"{kind} bold" if font.typeface.name.endswith("bo") else kind
                parts.append(_box(left, top, f"font-size:{font.size_px}px", text, classes))
            elif isinstance(mark, BoxMark):
                size = f"width:{mark.width}px;height:{mark.height}px"
                parts.append(
                    _box(left, top, f"{size};background:rgb({mark.ink} {mark.ink} {mark.ink})")
                )
            elif isinstance(mark, SymbolMark):
                out = io.BytesIO()
                mark.symbol.image.save(out, "PNG")
                source = base64.b64encode(out.getvalue()).decode()
                parts.append(_box(left, top, "", f'<img src="data:image/png;base64,{source}">'))
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{''.join(parts)}"


def _box(left: int, top: int, style: str, content: str = "", classes: str = "") -> str:
    return f'<div class="{classes}" style="left:{left}px;top:{top}px;{style}">{content}</div>'


class Browser:
    """A tab of a running browser."""

    def __init__(self, process: psutil.Process, to_it: int, from_it: int) -> None:
        self._process = process
        self._to_it, self._from_it = to_it, from_it
        self._rest = b""
        self._calls = 0
        self._session: str | None = None

    def open_tab(self, width_px: int, height_px: int) -> None:
        """Make the tab that all pages are drawn in."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        size = {"width": width_px, "height": height_px, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def picture(self, source: str) -> bytes:
        """The PNG file of a page of HTML."""
        self.call("Page.setDocumentContent", frameId=self._frame, html=source)
        self.call("Runtime.evaluate", expression=_READY, awaitPromise=True)
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        family = [self._process, *self._process.children(recursive=True)]
        times = [one.cpu_times() for one in family]
        return sum(one.user + one.system for one in times)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; what the browser tells in between is passed over."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next_message())
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._to_it, data) :]

    def _next_message(self) -> bytes:
        while b"\0" not in self._rest:
            more = os.read(self._from_it, _CHUNK)
            if not more:
                raise RuntimeError("the browser has ended")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return message


def _own_fonts(folder: Path) -> Path:
    """A configuration by which the browser finds the fonts of a proof, and no others."""
    for name in _FONTS:
        (folder / f"{name}.ttf").write_bytes(pymupdf_fonts.fontbuffers[name]())
    (folder / "cjk.ttc").symlink_to(str(noto_cjk_sans_otc.FONT_PATH))
    config = folder / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{folder}</dir><cachedir>{folder}/cache</cachedir></fontconfig>", "utf-8"
    )
    return config


@contextmanager
def running_browser(path: str) -> Iterator[Browser]:
    """Start the browser; it ends with the block."""
    (read_there, write_here), (read_here, write_there) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        fonts = _own_fonts(Path(folder))
        options = [*_OPTIONS, f"--user-data-dir={Path(folder) / 'profile'}"]
        # the browser speaks on descriptors 3 and 4
        script = f'exec "$0" "$@" 3<&{read_there} 4>&{write_there}'
        process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", script, path, *options],
            pass_fds=(read_there, write_there),
            stderr=subprocess.DEVNULL,
            env=os.environ | {"FONTCONFIG_FILE": str(fonts)},
        )
        try:
            os.close(read_there)
            os.close(write_there)
            yield Browser(psutil.Process(process.pid), write_here, read_here)
        finally:
            process.terminate()
            process.wait(30)
            os.close(write_here)
            os.close(read_here)
