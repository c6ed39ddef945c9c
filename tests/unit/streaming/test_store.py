"""The local view on disk: what was written together is there together, whatever kills the process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from waybill.streaming.store import Changes, RocksStore

Open = Callable[..., RocksStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Open:
    def start(identity: str = "topic-1/12") -> RocksStore:
        return RocksStore(tmp_path / "p0", identity)

    return start


def _changes(puts: dict[bytes, bytes] | None = None, deletes: tuple[bytes, ...] = ()) -> Changes:
    changes = Changes()
    for key, value in (puts or {}).items():
        changes.put(key, value)
    for key in deletes:
        changes.delete(key)
    return changes


def test_the_latest_change_of_a_key_counts() -> None:
    changes = Changes()
    changes.put(b"a", b"1")
    changes.delete(b"a")
    changes.delete(b"b")
    changes.put(b"b", b"2")

    assert (changes.puts, changes.deletes) == ({b"b": b"2"}, {b"a"})


def test_values_come_in_the_order_asked_for(open_store: Open) -> None:
    store = open_store()
    store.apply(_changes({b"a": b"1", b"b": b"", b"c": b"3"}), {})

    assert store.get_many([b"c", b"missing", b"a", b"b", b"c"]) == [b"3", None, b"1", b"", b"3"]
    assert store.get_many([]) == []


def test_changes_replace_and_remove(open_store: Open) -> None:
    store = open_store()
    store.apply(_changes({b"a": b"1", b"b": b"2"}), {})
    store.apply(_changes({b"a": b"new"}, (b"b", b"never there")), {})

    assert store.get_many([b"a", b"b"]) == [b"new", None]


def test_positions_belong_to_their_topic(open_store: Open) -> None:
    store = open_store()
    assert store.position("ledger") is None

    store.apply(Changes(), {"ledger": 0, "orders": 2**40})
    store.apply(Changes(), {"ledger": 7})

    assert (store.position("ledger"), store.position("orders")) == (7, 2**40)
    assert store.position("led") is None


def test_a_scan_gives_its_prefix_in_key_order_and_nothing_else(open_store: Open) -> None:
    store = open_store()
    inside = {b"q/a\x00" + bytes([n]): bytes([n]) for n in (200, 3, 0, 255, 7)}
    around = {b"q/a": b"", b"q/a\x01": b"", b"q/b\x00": b"", b"p": b"", b"\xff": b""}
    store.apply(_changes(inside | around), {"ledger": 1})

    assert store.scan(b"q/a\x00", 100) == sorted(inside.items())
    assert store.scan(b"nothing", 100) == []


def test_a_scan_goes_on_behind_a_key_whether_it_is_still_there_or_not(open_store: Open) -> None:
    store = open_store()
    keys = [b"q/%03d" % number for number in range(10)]
    store.apply(_changes(dict.fromkeys(keys, b"")), {})

    first = [key for key, _ in store.scan(b"q/", 4)]
    store.apply(_changes(deletes=(first[-1],)), {})
    rest = [key for key, _ in store.scan(b"q/", 100, after=first[-1])]

    assert (first, rest) == (keys[:4], keys[4:])
    assert store.scan(b"q/", 0) == []


def test_a_scan_sees_no_positions_and_no_identity(open_store: Open) -> None:
    store = open_store()
    store.apply(_changes({b"a": b"1"}), {"ledger": 1})

    assert [key for key, _ in store.scan(b"", 100) if not key.startswith(b"\x00")] == [b"a"]


def test_what_was_closed_is_there_when_it_is_opened_again(open_store: Open) -> None:
    with closing(open_store()) as store:
        store.apply(_changes({b"a": b"1"}), {"ledger": 3})

    again = open_store()

    assert again.get_many([b"a"]) == [b"1"]
    assert again.position("ledger") == 3


def test_a_view_of_other_topics_or_of_another_format_is_wiped(open_store: Open) -> None:
    with closing(open_store("topic-1/12")) as store:
        store.apply(_changes({b"a": b"1"}), {"ledger": 3})

    with closing(open_store("topic-2/12")) as other:
        assert other.get_many([b"a"]) == [None]
        assert other.position("ledger") is None
        other.apply(_changes({b"b": b"2"}), {"ledger": 1})

    with closing(open_store("topic-2/12")) as again:
        assert again.get_many([b"b"]) == [b"2"]
        assert again.position("ledger") == 1


def test_wiping_forgets_everything_and_the_store_goes_on(open_store: Open) -> None:
    with closing(open_store()) as store:
        store.apply(_changes({b"a": b"1"}), {"ledger": 3})
        store.wipe()
        assert store.get_many([b"a"]) == [None]
        assert store.position("ledger") is None
        store.apply(_changes({b"b": b"2"}), {"ledger": 1})

    assert open_store().get_many([b"a", b"b"]) == [None, b"2"]


def test_a_folder_that_another_store_has_open_is_not_touched(open_store: Open) -> None:
    store = open_store()
    store.apply(_changes({b"a": b"1"}), {"ledger": 3})

    with pytest.raises(Exception, match=r"(?i)lock"):
        open_store()

    assert store.get_many([b"a"]) == [b"1"]


@pytest.mark.parametrize("victim", ["CURRENT", "MANIFEST*", "*.sst"])
def test_a_damaged_view_is_made_anew(open_store: Open, tmp_path: Path, victim: str) -> None:
    """Losing the disk costs a re-read: a broken file must not keep the process from starting."""
    with closing(open_store()) as store:
        store.apply(_changes({b"a": b"1"}), {"ledger": 3})
    for file in (tmp_path / "p0").glob(victim):
        file.write_bytes(b"\xffnonsense\xff" * 10)

    with closing(open_store()) as again:
        assert again.get_many([b"a"]) == [None]
        assert again.position("ledger") is None
        again.apply(_changes({b"b": b"2"}), {"ledger": 1})
    assert open_store().get_many([b"b"]) == [b"2"]


WRITER = """
import sys
from pathlib import Path
from waybill.streaming.store import Changes, RocksStore

store = RocksStore(Path(sys.argv[1]), "topic-1/12")
number = store.position("ledger") or 0
while True:
    changes = Changes()
    changes.put(b"e/%08d" % number, b"x" * 20_000)
    changes.put(b"last", b"%d" % number)
    changes.delete(b"q/%08d" % (number - 1))
    changes.put(b"q/%08d" % number, b"")
    number += 1
    store.apply(changes, {"ledger": number, "orders": 2 * number})
    print(number, flush=True)
"""


def _written_until_killed(folder: Path, writes: int) -> int:
    """Let another process write until so many writes are told, then kill it; the last one told."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = 0
    with process.stdout:
        for line in islice(process.stdout, writes):
            told = int(line)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    return told


def test_a_killed_process_leaves_an_older_view_whose_data_and_positions_fit(
    tmp_path: Path,
) -> None:
    folder, kept = tmp_path / "p0", 0
    for _ in range(2):
        told = _written_until_killed(folder, 600)  # 12 MB: some were flushed, the last were not
        with closing(RocksStore(folder, "topic-1/12")) as store:
            position = store.position("ledger") or 0
            entries = [key for key, _ in store.scan(b"e/", 1_000_000)]
            queue = [key for key, _ in store.scan(b"q/", 1_000_000)]
            (last,) = store.get_many([b"last"])

        assert kept < position <= told + 1
        assert entries == [b"e/%08d" % number for number in range(position)]
        assert last == b"%d" % (position - 1)
        assert queue == [b"q/%08d" % (position - 1)]
        kept = position
