"""The broker's Java process: started on its own, recognised again, ended."""

import os
from pathlib import Path

import psutil

_KILL_S = 10.0  # what a system may need to free a killed process that is busy with its disk


def marker(data_dir: Path) -> str:
    """Return the Java option by which the broker of this data folder is recognised."""
    return f"-Dwaybill.broker.data={data_dir}"


def spawn(command: list[str], *, output: Path) -> int:
    """Start `command` in a session of its own and return its process id.

    It outlives the process that started it, and a Ctrl-C in that terminal. What it prints (Java's
    own complaints; Kafka logs elsewhere) replaces the content of `output`.
    """
    replace = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), replace, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)


def find(pid: int, data_dir: Path) -> psutil.Process | None:
    """Return the process if it runs and is the broker of this data folder.

    The process id alone proves nothing: after a crash or a reboot another program may have it.
    """
    try:
        process = psutil.Process(pid)
        ours = marker(data_dir) in process.cmdline()
    except psutil.Error:  # gone, or another user's: not ours in either case
        return None
    return process if ours and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Tell whether this very process still runs.

    Unlike `find` this is right from the first moment: a process that has just been spawned has for
    an instant no command line to be recognised by.
    """
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(process: psutil.Process, *, grace_s: float) -> None:
    """Ask the process to end, and kill it when it has not within `grace_s`."""
    try:
        process.terminate()
        process.wait(grace_s)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        kill(process)


def kill(process: psutil.Process) -> None:
    """Kill the process at once (SIGKILL) and wait until it is gone."""
    try:
        process.kill()
        process.wait(_KILL_S)
    except psutil.NoSuchProcess:
        return
