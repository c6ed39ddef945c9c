"""The scenes of the gallery: `scenes.yaml` as claims, with what has to come out of each."""

import io
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageDraw
from pydantic import BaseModel, ConfigDict, Field

from tests.gallery.claims import CLAIM, SHIPMENT, claim_bytes

FILE = Path(__file__).with_name("scenes.yaml")


class Expectation(BaseModel):
    """What a scene gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pages: int = 1
    warnings: tuple[str, ...] = ()
    refusal: str | None = None
    bars: bool = True
    qr: bool = True


class Scene(BaseModel):
    """One claim; facts are changes of the everyday order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z0-9-]+$")
    about: str
    order: dict[str, Any] = Field(default_factory=dict)
    shipment: dict[str, Any] = Field(default_factory=dict)
    claim: dict[str, Any] = Field(default_factory=dict)
    branding: dict[str, Any] = Field(default_factory=dict)
    parts: tuple[dict[str, Any], ...] = ()
    logo: str | None = None
    absent: tuple[str, ...] = ()
    """Texts that must not stand on the page."""
    expect: Expectation = Expectation()

    @property
    def tracking_number(self) -> str | None:
        """What the bar code reads as."""
        number: str | None = self.shipment.get("tracking_number", SHIPMENT["tracking_number"])
        return number

    def claim_bytes(self) -> bytes:
        """The framed claim."""
        branding = {**CLAIM["branding"], **self.branding}
        if self.logo is not None:
            branding["logo"] = _logo(self.logo).hex()
        return claim_bytes(
            order=_repeated(self.order),
            shipment=_repeated(self.shipment),
            claim={**self.claim, "branding": branding},
            parts=[{**_repeated(self.shipment), **part} for part in self.parts],
        )


@cache
def scenes() -> tuple[Scene, ...]:
    """All of them, in the order of the file."""
    return tuple(Scene.model_validate(one) for one in yaml.safe_load(FILE.read_text("utf-8")))


def _repeated(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [*_lines(value, name)] if isinstance(value, list) else value
        for name, value in facts.items()
    }


def _lines(lines: list[Any], name: str) -> Iterator[Any]:
    """Each as often as its `repeat` says; those of items numbered."""
    for line in lines:
        for number in range(1, line.get("repeat", 1) + 1) if isinstance(line, dict) else (0,):
            if number and "repeat" in line:
                own = {key: value for key, value in line.items() if key != "repeat"}
                yield own | {"line_id": f"{number}"} if name == "items" else own
            else:
                yield line


def _logo(kind: str) -> bytes:
    if kind == "broken":
        return b"\x89PNG\r\n\x1a\nno picture"
    size = {"wide": (500, 160), "tall": (300, 700)}[kind]
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    drawing = ImageDraw.Draw(picture)
    width, height = size
    side = min(size) - 1
    drawing.ellipse((0, 0, side, side), fill=(20, 60, 140, 255))
    drawing.rectangle((width - side, height - side, *size), fill=(200, 30, 30, 128))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
