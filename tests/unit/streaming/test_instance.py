"""Which of a host's processes this is: a slot that is free again however its owner ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from waybill import instance
from waybill.instance import InstanceSlot

HOLDER = """
import sys, time
from pathlib import Path
from waybill.instance import InstanceSlot

slot = InstanceSlot(Path(sys.argv[1]), "notifier")
print(slot.folder.name, flush=True)
time.sleep(600)
"""


def _hold(data_dir: Path) -> tuple["subprocess.Popen[str]", str]:
    """Another process that holds a slot, and its folder."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", HOLDER, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = process.stdout.readline().strip()
    process.stdout.close()
    return process, folder


def test_processes_of_a_host_take_one_slot_after_the_other(tmp_path: Path) -> None:
    slots = [InstanceSlot(tmp_path, "notifier") for _ in range(3)]

    assert [slot.folder.name for slot in slots] == ["slot-0", "slot-1", "slot-2"]
    assert len({slot.folder for slot in slots}) == 3
    for slot in slots:
        slot.release()


def test_services_do_not_share_slots(tmp_path: Path) -> None:
    notifier, importer = InstanceSlot(tmp_path, "notifier"), InstanceSlot(tmp_path, "importer")

    assert notifier.folder.name == importer.folder.name == "slot-0"
    assert notifier.folder != importer.folder
    notifier.release()
    importer.release()


def test_a_slot_that_was_given_back_is_taken_again_with_its_content(tmp_path: Path) -> None:
    first = InstanceSlot(tmp_path, "notifier")
    (first.folder / "p0").mkdir()
    first.release()

    again = InstanceSlot(tmp_path, "notifier")

    assert again.folder == first.folder
    assert (again.folder / "p0").is_dir()
    again.release()


def test_a_slot_is_free_after_kill_9(tmp_path: Path) -> None:
    process, folder = _hold(tmp_path)
    other = InstanceSlot(tmp_path, "notifier")
    assert (folder, other.folder.name) == ("slot-0", "slot-1")

    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    again = InstanceSlot(tmp_path, "notifier")

    assert again.folder.name == "slot-0"
    again.release()
    other.release()


def test_a_suspended_process_keeps_its_slot(tmp_path: Path) -> None:
    """It may wake, and two processes must never write one view."""
    process, _ = _hold(tmp_path)
    os.kill(process.pid, signal.SIGSTOP)

    other = InstanceSlot(tmp_path, "notifier")

    assert other.folder.name == "slot-1"
    other.release()
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)


def test_too_many_processes_are_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "_SLOTS_MAX", 2)
    slots = [InstanceSlot(tmp_path, "notifier") for _ in range(2)]

    with pytest.raises(RuntimeError, match="data_dir"):
        InstanceSlot(tmp_path, "notifier")

    for slot in slots:
        slot.release()
