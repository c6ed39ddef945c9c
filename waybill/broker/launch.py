"""Starting the Java process of a broker."""

import base64
import subprocess
import uuid

import psutil

from waybill.broker import jars, java, process
from waybill.broker.errors import BrokerError
from waybill.broker.files import BrokerFiles, BrokerState
from waybill.broker.ports import HOST

JAVA_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Small and quick to start: 2.5 s until the first record, 210 MB resident."""

_TOOL_S = 60.0  # a Java program that writes one small file: 1 s


def launch(files: BrokerFiles, state: BrokerState) -> psutil.Process:
    """Start the broker and write its process id into the state; does not wait until it is ready.

    Raises:
        BrokerError: no Java, no jars, or Kafka could not prepare its data folder.
    """
    base = (jars.deploy_dir() / "server.properties").read_text("utf-8")
    files.properties.write_text(server_properties(base, files, state), encoding="ascii")
    files.write_state(state)
    command = java_command(*broker_options(files))
    if not (files.data / "meta.properties").is_file():
        _format(files, command)
    files.log.unlink(missing_ok=True)
    pid = process.spawn([*command, "kafka.Kafka", str(files.properties)], output=files.console)
    files.write_state(state.model_copy(update={"pid": pid}))
    return psutil.Process(pid)


def java_command(*options: str) -> list[str]:
    """Return a command line with Kafka's jars, up to the name of the Java class to run."""
    jars_path = f"{jars.ensure_jars()}/*"
    return [str(java.find_java()), *JAVA_OPTIONS, *options, "-cp", jars_path]


def broker_options(files: BrokerFiles) -> list[str]:
    """Return the Java options that the broker of this folder has alone: its mark, its log."""
    log_settings = (jars.deploy_dir() / "log4j2.xml").as_uri()
    return [
        process.marker(files.root),
        f"-Dwaybill.broker.log={files.log}",
        f"-Dlog4j2.configurationFile={log_settings}",
    ]


def server_properties(base: str, files: BrokerFiles, state: BrokerState) -> str:
    """Return `base` followed by what belongs to this one broker, in Java's ASCII notation."""
    broker, controller = f"{HOST}:{state.port}", f"{HOST}:{state.controller_port}"
    own = {
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "controller.quorum.bootstrap.servers": controller,
        "log.dirs": str(files.data),
    }
    return base + "\n" + "".join(f"{name}={_escaped(value)}\n" for name, value in own.items())


def cluster_id() -> str:
    """Return a new id as Kafka makes them: 16 random bytes, base64url, with no leading hyphen."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
        if not text.startswith("-"):  # a command line would take it for an option
            return text


def _format(files: BrokerFiles, command: list[str]) -> None:
    options = ["-t", cluster_id(), "-c", str(files.properties), "--standalone"]
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            [*command, "kafka.tools.StorageTool", "format", *options, "--ignore-formatted"],
            capture_output=True,
            text=True,
            timeout=_TOOL_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        told = (error.stdout + error.stderr).strip()
        raise BrokerError(f"Kafka could not prepare {files.data}:\n{told}") from error
    except subprocess.TimeoutExpired as error:
        raise BrokerError(f"Kafka did not prepare {files.data} in {_TOOL_S:.0f} s.") from error


def _escaped(value: str) -> str:
    """Return the value in Java's properties notation: UTF-16 units above ASCII as \\uXXXX."""
    units = memoryview(value.replace("\\", "\\\\").encode("utf-16-le")).cast("H")
    return "".join(chr(unit) if unit < 128 else f"\\u{unit:04x}" for unit in units)
