"""Pages of proofs as files: written for people, and read back, whatever may stand in them."""

from pathlib import Path

from services.proofgen.render import PAGE_BYTES_MAX
from waybill.cli.errors import CommandError, InputError
from waybill.contracts import Proof


def save_pages(proof: Proof, file: Path) -> list[Path]:
    """Write the pages of a proof: `proof.png`, or `proof-1.png`, `proof-2.png` …; returns the files."""
    written = []
    for number, page in enumerate(proof.pages, 1):
        suffix = file.suffix or f".{page.media_type.removeprefix('image/')}"
        path = file.with_name(f"{file.stem}{f'-{number}' if len(proof.pages) > 1 else ''}{suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(page.image)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        written.append(path)
    return written


def read_bounded(file: Path, bytes_max: int = PAGE_BYTES_MAX) -> bytes | None:
    """The file's bytes, or None when there are more than `bytes_max`.

    No more than that is ever read, and nothing that is no plain file: a pipe could keep us for ever.
    Raises InputError for what cannot be read.
    """
    try:
        if file.exists() and not file.is_file():
            raise InputError(f"{file}: not a file")
        with file.open("rb") as opened:
            content = opened.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    return content if len(content) <= bytes_max else None
