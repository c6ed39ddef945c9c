"""How fast proofs are drawn, beside the other ways to get the same page; images per second of one core.

    proofgen        claim bytes -> framed proof: decoded, laid out, drawn, signed, codes read from final bytes
    plain Pillow    the same page by `ImageDraw`, `Image.save`, and a look at its codes with default options
    browser         the same page made into HTML, its picture by a headless browser that stays open
    Pillow's PNG    saving the finished picture of the page, and nothing else

The last two read no codes back, and all but proofgen are given the finished layout. The first three take
turns, so that they meet the same machine. Numbers are medians of processor time; the browser's is that of
all its processes and of its driver, from the laid-out page to the file; its start, and a first round of
pages, do not count. Ratios mean something on a busy machine, the digits do not. Then the pool of worker
processes as proofgen runs it, with one and with two workers, by the clock. Exit code 1 when proofgen is not
3 times as fast as the plain script, or not 10 times as fast as the browser.

`python -m benchmarks.proof_rate [--rounds 5] [--pages 20] [--no-browser]`
"""

import argparse
import io
import multiprocessing
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from PIL import Image
from pydantic import SecretStr

from benchmarks.html_proof import Browser, browser, page_html, running_browser
from benchmarks.plain_proof import plain_proof
from services.proofgen import canvas
from services.proofgen.captions import Captions
from services.proofgen.claims import document_of
from services.proofgen.document import ProofDocument
from services.proofgen.grid import DPI
from services.proofgen.pages import Page, lay_out
from services.proofgen.proving import Proved, Prover, prove
from services.proofgen.render import warm_up
from services.proofgen.signing import SigningKeys
from services.proofgen.start import _start_worker
from services.proofgen.typesetter import Typesetter
from tests.gallery.claims import ORDER, SHIPMENT, STORE_ID, claim_bytes
from waybill.contracts import Claim, Order, Proof, Shipment
from waybill.contracts.codec import Codec, SchemaBook
from waybill.installation_keys import new_key

PLAIN_RATIO_MIN = 3.0
BROWSER_RATIO_MIN = 10.0
BATCH_PER_WORKER = 2
"""Claims that proofgen hands to the pool at once."""

CHINESE_ITEM = {
    "line_id": "3",
    "sku": "AL-PRO-2M",
    "name": "电源适配器 24V 6A 带欧规插头",
    "quantity": "12.5",
    "unit": "Metres",
}

T = TypeVar("T")
Work = Callable[[], object]


def document(claim_value: bytes) -> ProofDocument:
    """What the page of a claim shows."""
    book = SchemaBook()
    claim = Codec(Claim, "claim", book).decode(claim_value)
    shipment = Codec(Shipment, "shipment", book).decode(claim.shipment)
    return document_of(claim, shipment, Codec(Order, "order", book).decode(claim.order))


def laid_out(facts: ProofDocument) -> Page:
    return lay_out(facts, facts.payload_sha256(), Typesetter(Captions(facts.third_language)))[0]


def claims(pages: int) -> list[bytes]:
    """Each of another parcel, so that nobody draws the same page twice."""
    numbers = [str(776705370628 + n) for n in range(pages)]
    link = "https://www.fedex.com/fedextrack/?trknbr="
    return [
        claim_bytes(
            order={"items": [*ORDER["items"], CHINESE_ITEM]},
            shipment={
                "tracking_number": number,
                "tracking_url": link + number,
                "packages": [*SHIPMENT["packages"], *SHIPMENT["packages"]],
                "note_to_buyer": "Two cartons; please check the seals before signing.",
            },
        )
        for number in numbers
    ]


def cpu_ms(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def cpu_ms_each(work: Callable[[T], object], things: Sequence[T]) -> list[float]:
    return [cpu_ms(partial(work, thing)) for thing in things]


def browser_ms(tab: Browser, pages: Sequence[Page]) -> list[float]:
    """Of the browser's processes and of this one, which makes the HTML and takes the file.

    The clock of processes ticks too coarsely for one page: the mean of all.
    """
    before_s = tab.cpu_s() + time.process_time()
    for page in pages:
        tab.picture(page_html(page))
    return [(tab.cpu_s() + time.process_time() - before_s) * 1000 / len(pages)]


def take_turns(ways: dict[str, Callable[[], list[float]]], rounds: int) -> dict[str, float]:
    """Median milliseconds a page of each way, after a round that counts for nothing."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, measure in ways.items():
            taken[name] += measure() if number else measure()[:0]
    return {name: statistics.median(times) for name, times in taken.items()}


def stages(facts: ProofDocument, key: SecretStr) -> Iterator[tuple[str, Work]]:
    page, payload = laid_out(facts), facts.payload_sha256()
    sheet = canvas.draw(page)
    file, signer = canvas.encode(sheet), SigningKeys(key).signer(STORE_ID)
    picture = Image.open(io.BytesIO(file)).convert("L")
    yield "hash of the facts", facts.payload_sha256
    yield "layout and codes", lambda: lay_out(facts, payload, Typesetter(Captions(None)))
    yield "drawing", lambda: canvas.draw(page)
    yield "PNG", lambda: canvas.encode(sheet)
    yield "signature", lambda: signer.signed(file)
    yield "reading back", lambda: canvas.codes_are_readable(file, page)
    yield "Pillow's PNG alone", lambda: picture.save(io.BytesIO(), "PNG", dpi=(DPI, DPI))


def pool_rate(workers: int, asked: Sequence[bytes], key: SecretStr, pages: int) -> float:
    """Proofs a second by the clock, batch after batch as proofgen takes them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (key,)) as pool:
        list(pool.map(prove, asked))  # not before all of them have started
        batch, started, done = BATCH_PER_WORKER * workers, time.monotonic(), 0
        while done < pages:
            for future in [pool.submit(prove, claim) for claim in asked[:batch]]:
                future.result()
            done += batch
        return done / (time.monotonic() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time the drawing of proofs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=20, help="pages a round of each")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    warm_up()
    asked, key = claims(options.pages), SecretStr(new_key())
    prover, pages = Prover(key), [laid_out(document(claim)) for claim in asked]
    ways: dict[str, Callable[[], list[float]]] = {
        "proofgen": lambda: cpu_ms_each(prover.prove, asked),
        "plain Pillow": lambda: cpu_ms_each(plain_proof, pages),
    }
    tell_machine(prover, asked[0])
    with ExitStack() as stack:
        path = None if options.no_browser else browser()
        if path is None:
            print("browser: SKIPPED, this machine has none (Debian: apt-get install chromium)")
        else:
            tab = stack.enter_context(running_browser(path))
            tab.open_tab(pages[0].paper.width_px, pages[0].paper.height_px)
            ways["browser"] = lambda: browser_ms(tab, pages)
        medians = take_turns(ways, options.rounds)
    tell(medians)
    print("\nproofgen's stages, ms a page, and Pillow's PNG file of the same picture:")
    for name, work in stages(document(asked[0]), key):
        taken = [cpu_ms(work) for _ in range(options.pages)]
        print(f"  {name:20} {statistics.median(taken):6.2f}")
    one, two = (pool_rate(workers, asked, key, 10 * options.pages) for workers in (1, 2))
    print(
        f"\nworker processes, by the clock: one {one:.1f}/s, two {two:.1f}/s: {two / one:.2f} times as many"
    )
    return verdict(medians)


def tell_machine(prover: Prover, claim: bytes) -> None:
    proved = prover.prove(claim)
    if not isinstance(proved, Proved):
        raise TypeError(f"the claim cannot be read: {proved.detail}")
    (page,) = Codec(Proof, "proof", SchemaBook()).decode(proved.value).pages
    python = f"Python {platform.python_version()}, {platform.machine()}"
    print(f"{python}, {multiprocessing.cpu_count()} cores; a page has {len(page.image):,} bytes\n")


def tell(medians: dict[str, float]) -> None:
    ours = medians["proofgen"]
    for name, median in medians.items():
        ratio = f"   proofgen is {median / ours:4.1f} times as fast" if name != "proofgen" else ""
        print(f"{name:14} {median:7.1f} ms a page  {1000 / median:6.1f} images/s a core{ratio}")


def verdict(medians: dict[str, float]) -> int:
    """The exit code: 1 when it is not as fast as it has to be."""
    wanted = {"plain Pillow": PLAIN_RATIO_MIN, "browser": BROWSER_RATIO_MIN}
    code = 0
    for name, least in wanted.items():
        if name in medians and medians[name] / medians["proofgen"] < least:
            print(f"TOO SLOW: less than {least:.0f} times as fast as {name}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
