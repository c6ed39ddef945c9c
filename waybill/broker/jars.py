"""The jars of Apache Kafka: resolved by Maven once, then kept in a cache folder."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import waybill
from waybill.broker.errors import BrokerError

_MAVEN_S = 900.0  # 54 MB and a first run of Maven: 10 s on a good line, minutes on a bad one
_LOG_LINES = 20
_PACKAGE = Path(waybill.__file__).parent


def deploy_dir() -> Path:
    """Return the folder of pom.xml, server.properties and log4j2.xml, packaged or in a checkout."""
    packaged = _PACKAGE / "_data" / "deploy" / "kafka"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "deploy" / "kafka"


def jars_dir() -> Path:
    """Return where the jars of the present pom.xml are kept, whether they are there yet or not.

    A checkout keeps them in its own .cache, an installed package in the user's cache folder.
    """
    pom = (deploy_dir() / "pom.xml").read_bytes()
    return _cache_dir() / hashlib.sha256(pom).hexdigest()[:16]


def ensure_jars() -> Path:
    """Return the folder with every jar that pom.xml names, asking Maven if it is not there yet.

    The folder appears complete or not at all, so that a killed download leaves nothing that
    would be taken for the jars. Two downloads at once do no harm.

    Raises:
        BrokerError: Maven is missing, or failed.
    """
    jars = jars_dir()
    if not jars.is_dir():
        _download(jars)
    return jars


def _cache_dir() -> Path:
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".cache" / "kafka"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waybill" / "kafka"


def _download(jars: Path) -> None:
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=jars.parent) as scratch:
        fresh = Path(scratch) / "jars"
        _run_maven(fresh)
        try:
            fresh.rename(jars)
        except OSError:
            if not jars.is_dir():  # if it is: another download was faster, with the same jars
                raise


def _run_maven(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerError(
            "Maven (`mvn`) is needed once, to fetch Kafka's jars: `apt-get install maven` or "
            "`brew install maven`; or use a container: `docker compose -f deploy/compose.yaml up`."
        )
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    pom = str(deploy_dir() / "pom.xml")
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            [maven, "-B", "-q", "-f", pom, "dependency:copy-dependencies", *options],
            capture_output=True,
            text=True,
            timeout=_MAVEN_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        tail = "\n".join((error.stdout + error.stderr).splitlines()[-_LOG_LINES:])
        raise BrokerError(f"Maven could not fetch Kafka's jars:\n{tail}") from error
    except subprocess.TimeoutExpired as error:
        raise BrokerError(f"Maven did not fetch Kafka's jars in {_MAVEN_S:.0f} s.") from error
