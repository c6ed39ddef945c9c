"""Where packing slips are written: a PNG file a page, or one PDF file of all."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from services.proofgen import pdf
from waybill.cli.errors import CommandError, InputError

_PDF, _PNG = ".pdf", ".png"


def check_target(target: Path, *, slips: int, as_pdf: bool) -> None:
    """Raise InputError for a target that cannot take so many slips in that form."""
    if _is_folder(target):
        return
    if target.suffix.lower() not in (_PDF, _PNG):
        raise InputError(f"--out {target}: want a folder, or a file that ends in .png or .pdf")
    if target.suffix.lower() == _PDF:
        return
    if as_pdf:
        raise InputError(f"--out {target}: with --pdf want a folder, or a file that ends in .pdf")
    if slips > 1:
        raise InputError(
            f"--out {target}: several orders want a folder, or a file that ends in .pdf"
        )


def files_of(
    slips: Mapping[str, Sequence[bytes]], target: Path, *, as_pdf: bool
) -> dict[Path, bytes]:
    """What to write, from the pages of each order's slip; the target was checked."""
    if as_pdf or target.suffix.lower() == _PDF:
        only = _name(next(iter(slips))) if len(slips) == 1 else "packing-slips"
        file = target / f"{only}{_PDF}" if _is_folder(target) else target
        return {file: pdf.encode(page for pages in slips.values() for page in pages)}
    files: dict[Path, bytes] = {}
    for key, pages in slips.items():
        first = target / f"{_name(key)}{_PNG}" if _is_folder(target) else target
        for number, page in enumerate(pages, start=1):
            name = first if number == 1 else first.with_stem(f"{first.stem}-{number}")
            files[name] = page
    return files


def write(files: Mapping[Path, bytes]) -> None:
    """Write them, with the folders they need; raises CommandError."""
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error


def _is_folder(target: Path) -> bool:
    return target.is_dir() or not target.suffix


def _name(key: str) -> str:
    return f"packing-slip_{key.replace(':', '_')}"
