"""A page needs nothing of the machine: no system fonts, no font configuration, no network."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.proofgen.document import ProofDocument, RenderedProof
from services.proofgen.render import render

ROOT = Path(__file__).parents[3]
WATCHED = """
import hashlib, json, sys
opened, talked = [], []
def watch(event, args):
    if event == "open":
        opened.append(str(args[0]))
    elif event.startswith("socket."):
        talked.append(event)
sys.addaudithook(watch)
from conftest import further_scripts
from services.proofgen.render import render, warm_up
warm_up()
pages = render(further_scripts.__wrapped__()).pages
mapped = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line}
print(json.dumps({"opened": opened, "talked": talked, "mapped": sorted(mapped),
                  "sha256": hashlib.sha256(b"".join(pages)).hexdigest()}))
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="tells what is mapped on Linux")
def test_nothing_outside_of_the_packages_is_opened(further_scripts: ProofDocument) -> None:
    bare = {"HOME": "/nowhere", "FONTCONFIG_PATH": "/nowhere", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(  # noqa: S603  # our own script in our own interpreter
        [sys.executable, "-c", WATCHED],
        env=bare,
        cwd=Path(__file__).parent,
        check=True,
        capture_output=True,
        text=True,
    )
    seen = json.loads(ran.stdout)
    ours = render(further_scripts)

    assert isinstance(ours, RenderedProof)
    assert seen["sha256"] == hashlib.sha256(b"".join(ours.pages)).hexdigest()
    assert seen["talked"] == []
    allowed = (sys.prefix, sys.base_prefix, str(ROOT), "/proc/self/maps")
    assert [
        path for path in seen["opened"] if path[0] == "/" and not path.startswith(allowed)
    ] == []
    fonts = [path for path in seen["mapped"] if path.endswith((".ttf", ".otf", ".ttc"))]
    assert len(fonts) > 5
    assert all(path.startswith(sys.prefix) for path in fonts)
    assert not any("fontconfig" in path for path in seen["mapped"])
