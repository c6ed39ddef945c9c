"""The dict that stands in for the local store does what the real one does."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.notifier.memory import MemoryStore
from waybill.streaming.store import Changes, RocksStore

keys = st.binary(min_size=1, max_size=4).map(lambda key: b"k" + key)
writes = st.lists(st.tuples(keys, st.none() | st.binary(max_size=4)), max_size=12)
scans = st.tuples(st.binary(max_size=2).map(lambda p: b"k" + p), st.integers(0, 9), keys)


@settings(max_examples=25)
@given(batches=st.lists(writes, max_size=5), asked=st.lists(keys, max_size=5), scanned=scans)
def test_both_answer_alike(
    batches: list[list[tuple[bytes, bytes | None]]],
    asked: list[bytes],
    scanned: tuple[bytes, int, bytes],
) -> None:
    with TemporaryDirectory() as folder:
        real = RocksStore(Path(folder) / "p0", "1")
        memory = MemoryStore(Path(folder), "1")
        for number, batch in enumerate(batches):
            changes = Changes()
            for key, value in batch:
                if value is None:
                    changes.delete(key)
                else:
                    changes.put(key, value)
            for store in (real, memory):
                store.apply(changes, {"topic": number})

        prefix, limit, after = scanned
        assert real.get_many(asked) == memory.get_many(asked)
        assert real.scan(prefix, limit) == memory.scan(prefix, limit)
        behind = after if after.startswith(prefix) else prefix + after
        assert real.scan(prefix, limit, behind) == memory.scan(prefix, limit, behind)
        assert real.position("topic") == memory.position("topic")
        real.close()
