"""The journal keeps what was appended, cuts off a torn end and refuses damage."""

import os
from pathlib import Path

import pytest

from sandbox.events import Attachment, OrderChanged, Shipment, TokensEnded, TokensIssued, Upload
from sandbox.journal import Journal, JournalError

ENDED = TokensEnded(at_ms=1, seller="s", access=True, refresh=False)
SHIPMENT = Shipment(
    at_ms=2,
    seller="s",
    trade_id="255201166001024316",
    service_provider="DHL",
    logistics_type="EXPRESS",
    tracking_number="ΤΡ-1 \n ü",
    contact_mobile=None,
    attachments=(Attachment(file_path="/p", file_name="p.png", sha256="00"),),
    voucher_id=3,
    request_id="r",
    shipment_of_order=1,
    late=False,
)
UPLOAD = Upload(
    at_ms=3,
    seller="s",
    file_path="/p",
    file_name="p.png",
    media_type="image/png",
    bytes=4,
    sha256="00",
    request_id="r",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def fill(path: Path) -> None:
    journal = Journal(path)
    assert list(journal.replay()) == []
    assert [journal.append(event) for event in (ENDED, SHIPMENT, UPLOAD)] == [1, 2, 3]
    journal.close()


def test_events_come_back_as_they_were(path: Path) -> None:
    fill(path)
    journal = Journal(path)
    assert list(journal.replay()) == [ENDED, SHIPMENT, UPLOAD]
    assert journal.append(ENDED) == 4
    assert [entry["seq"] for entry in journal.read(after=2, limit=10)] == [3, 4]
    assert [entry["seq"] for entry in journal.read(0, 10, kind="tokens_ended")] == [1, 4]
    assert journal.read(0, 1, kind="shipment")[0]["tracking_number"] == SHIPMENT.tracking_number
    assert journal.read(after=4, limit=10) == []
    journal.close()


def test_a_torn_last_line_is_cut_off_and_writing_goes_on(path: Path) -> None:
    fill(path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq":4,"kind":"upl')
    journal = Journal(path)
    assert len(list(journal.replay())) == 3
    assert path.read_bytes() == whole
    assert journal.append(ENDED) == 4
    journal.close()
    assert len(path.read_bytes().splitlines()) == 4


@pytest.mark.parametrize(
    ("damage", "entry"),
    [
        (lambda lines: [lines[0], b"not json\n", lines[2]], "entry 2 cannot be read"),
        (lambda lines: [b'{"seq":1,"kind":"unknown"}\n', *lines[1:]], "entry 1 cannot be read"),
        (lambda lines: [lines[0], lines[2]], "entry 3 follows entry 1"),
    ],
)
def test_damage_is_an_error_that_names_the_entry(path: Path, damage: object, entry: str) -> None:
    fill(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(damage(lines)))  # type: ignore[operator] # a lambda above
    journal = Journal(path)
    with pytest.raises(JournalError, match=entry):
        list(journal.replay())
    journal.close()


def test_one_process_holds_the_journal(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(JournalError, match="belongs to a running sandbox"):
        Journal(path)
    journal.close()
    Journal(path).close()


def test_a_line_the_disk_does_not_take_leaves_no_trace(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    assert list(journal.replay()) == []
    journal.append(ENDED)
    whole = path.read_bytes()
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real_write(file, data[:10]))
    with pytest.raises(OSError, match="disk full"):
        journal.append(UPLOAD)
    monkeypatch.undo()
    assert path.read_bytes() == whole
    assert journal.append(UPLOAD) == 2
    journal.close()
    assert len(list(Journal(path).replay())) == 2


def test_a_journal_of_an_earlier_version_is_read(path: Path) -> None:
    path.write_text(
        '{"seq":1,"kind":"tokens_issued","at_ms":1,"seller":"s","access_token":"a",'
        '"access_ends_ms":2,"refresh_token":"r","refresh_ends_ms":3,"authorisation_ends_ms":4,'
        '"code":null,"replaces":null}\n'
        '{"seq":2,"kind":"tokens_ended","at_ms":1,"seller":"s","access":true,"refresh":false}\n'
        '{"seq":3,"kind":"order_changed","at_ms":1,"trade_id":"1","status":"frozen",'
        '"payload":null,"shipped_elsewhere":null}\n'
    )
    journal = Journal(path)
    issued, ended, changed = journal.replay()
    journal.close()
    assert isinstance(issued, TokensIssued)
    assert issued.old_access_ends_ms is None
    assert ended == ENDED
    assert isinstance(changed, OrderChanged)
    assert not changed.keep_modified
