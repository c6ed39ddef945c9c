"""`python -m tests.gallery [FOLDER]`: draws every scene at full and half size, and a page that shows all."""

import argparse
import html
import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from services.proofgen.proving import Proved, Prover
from tests.gallery.scenes import Scene, scenes
from waybill.contracts import Proof
from waybill.contracts.codec import Codec, SchemaBook

FOLDER = Path(".run/gallery")
_STYLE = """
body { font: 15px/1.4 sans-serif; margin: 2em; background: #ddd }
section { margin-bottom: 2.5em } h2 { margin: 0 } img { background: #fff; box-shadow: 0 1px 4px #0006 }
"""


def main() -> None:
    """Write the gallery; the same scenes give the same files."""
    parser = argparse.ArgumentParser(description="Draw the gallery of proofs.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder: Path = parser.parse_args().folder
    (folder / "half").mkdir(parents=True, exist_ok=True)
    for old in (folder / "half").glob("*.png"):  # of scenes that are no more
        old.unlink()
        (folder / old.name).unlink(missing_ok=True)
    prover, codec = Prover(), Codec(Proof, "proof", SchemaBook())
    sections = []
    for scene in scenes():
        answer = prover.prove(scene.claim_bytes())
        if not isinstance(answer, Proved):
            raise TypeError(f"{scene.name}: its claim cannot be read: {answer.detail}")
        proof = codec.decode(answer.value)
        sections.append(_section(scene, proof, list(_saved(folder, scene, proof))))
    index = f"<!doctype html><meta charset=utf-8><title>Gallery</title><style>{_STYLE}</style>"
    (folder / "index.html").write_text(index + "".join(sections), "utf-8")
    print(f"{len(sections)} scenes: {folder / 'index.html'}")  # noqa: T201 - what it is for


def _saved(folder: Path, scene: Scene, proof: Proof) -> Iterator[str]:
    """The names of the scene's files; each is there twice, the smaller one grey at half size."""
    for number, page in enumerate(proof.pages, 1):
        name = f"{scene.name}-{number}.png"
        (folder / name).write_bytes(page.image)
        with Image.open(io.BytesIO(page.image)) as image:
            size = (image.width // 2, image.height // 2)
            image.convert("L").resize(size, Image.Resampling.BICUBIC).save(folder / "half" / name)
        yield name


def _section(scene: Scene, proof: Proof, names: list[str]) -> str:
    told = [scene.about]
    if proof.refusal:
        told.append(f"Refused: {proof.refusal}: {proof.refusal_detail}")
    if proof.warnings:
        told.append(f"Warnings: {', '.join(proof.warnings)}")
    images = "".join(
        f'<a href="{name}"><img src="half/{name}" alt="" loading="lazy"></a> ' for name in names
    )
    words = "".join(f"<p>{html.escape(line)}</p>" for line in told)
    return f'<section id="{scene.name}"><h2>{scene.name}</h2>{words}{images}</section>'


if __name__ == "__main__":
    main()
