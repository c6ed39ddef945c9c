"""Operators' commands on a real cluster: what is shown, what is written, and what is said of the answer."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from services.notifier.view import Card
from tests.integration.cli.command import Command as Waybill
from tests.kafka import TopicSpace
from tests.unit.notifier.rule.test_commands import (
    ask_operator,
    confirmed,
    corrected_too_late,
    proof_refused,
    waiting,
)
from tests.waiting import wait_until
from waybill.cli.cluster import Cluster
from waybill.contracts import Command, LedgerEntry
from waybill.contracts.codec import Codec, SchemaBook
from waybill.contracts.command import CommandKind
from waybill.contracts.headers import LEDGER_ATTENTION, LEDGER_CARD
from waybill.contracts.keys import partition_of
from waybill.settings import KafkaSettings
from waybill.streaming.records import Header, Outbound

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(180)]

WAYS = {
    "sandbox:1": proof_refused,
    "sandbox:2": ask_operator,
    "sandbox:3": confirmed,
    "sandbox:4": corrected_too_late,
    "sandbox:5": waiting,
}
BOOK = SchemaBook()
ENTRIES, COMMANDS = Codec(LedgerEntry, "ledger_entry", BOOK), Codec(Command, "command", BOOK)


class Ledger:
    """The ledger as a notifier writes it, on the topics of one test."""

    def __init__(self, space: TopicSpace) -> None:
        self._cluster = Cluster(
            KafkaSettings(bootstrap_servers=space.bootstrap, topic_prefix=space.prefix)
        )
        self.entries = {
            key: make().entry.model_copy(update={"key": key}) for key, make in WAYS.items()
        }

    def write(self, *entries: LedgerEntry) -> None:
        self._cluster.publish(self._record(entry) for entry in entries)

    @staticmethod
    def _record(entry: LedgerEntry) -> Outbound:
        headers: list[Header] = [(LEDGER_CARD, Card.of(entry).encoded())]
        if entry.attention is not None:
            headers.append((LEDGER_ATTENTION, entry.attention.value.encode()))
        key = entry.key.encode()
        number = partition_of(key, 4)
        return Outbound("ledger", number, key, ENTRIES.encode(entry), tuple(headers))

    def commands(self) -> list[Command]:
        records = list(self._cluster.read(["commands"]))
        assert all(r.partition == partition_of(r.key or b"", 4) for r in records)
        return [COMMANDS.decode(record.value) for record in records]

    def answer(self, key: str, *, applied: bool) -> None:
        """Once a command is there, the entry moves on: because of it, or because of something else."""
        wait_until(lambda: bool(self.commands()), 40, every_s=0.2)
        entry, command = self.entries[key], self.commands()[-1]
        after = {"revision": entry.revision + 1}
        last = {"last_command_id": command.command_id} if applied else {}
        self.write(entry.model_copy(update=after | last))


@pytest.fixture
def ledger(waybill: Waybill, topic_space: TopicSpace) -> Ledger:
    found = Ledger(topic_space)
    found.write(*found.entries.values())
    return found


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_the_list_names_what_needs_a_person_and_what_to_do(
    waybill: Waybill, ledger: Ledger
) -> None:
    listed = waybill("orders", "list", "--needs-operator", "--json")
    rows = {row["order"]: row for row in json.loads(listed.stdout)}

    assert set(rows) == {"sandbox:1", "sandbox:2", "sandbox:4"}
    assert rows["sandbox:4"]["reason"] == "correction_too_late"
    assert "acknowledge" in rows["sandbox:4"]["next"]
    assert "release" in rows["sandbox:2"]["next"]
    assert "3 of 3 orders" in listed.stderr
    table = waybill("orders", "list", "--needs-operator").stdout
    assert "ask_operator" in table
    assert "what to do" in table


def test_the_list_filters_by_state_store_and_reason_and_shows_the_last_entry_of_each(
    waybill: Waybill, ledger: Ledger
) -> None:
    def keys(*options: str) -> list[str]:
        listed = waybill("orders", "list", "--json", *options)
        assert listed.returncode == 0
        return sorted(row["order"] for row in json.loads(listed.stdout))

    assert keys("--state", "confirmed") == ["sandbox:3", "sandbox:4"]
    assert keys("--reason", "correction_too_late") == ["sandbox:4"]
    assert keys("--state", "parked", "--reason", "proof_refused") == ["sandbox:1"]
    assert keys("--state", "parked", "--store", "nobodys") == []
    assert len(keys("--state", "parked", "--limit", "1")) == 1
    dealt_with = {"attention": None, "revision": 9}
    ledger.write(ledger.entries["sandbox:4"].model_copy(update=dealt_with))
    assert keys("--needs-operator") == ["sandbox:1", "sandbox:2"]
    assert waybill("orders", "list", "--state", "parked", "--status", "shipped").returncode == 2


def test_a_command_is_shown_written_and_its_answer_told(
    waybill: Waybill, ledger: Ledger, beside: ThreadPoolExecutor
) -> None:
    answered: Future[None] = beside.submit(ledger.answer, "sandbox:2", applied=True)
    options = ("--reason", "no shipment there", "--who", "Ada", "--wait-s", "40")

    ended = waybill("orders", "release", "sandbox:2", *options)

    answered.result(60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "sandbox:2 is parked (ask_operator)" in ended.stdout
    assert "Alibaba is looked up" in ended.stdout
    assert "done: sandbox:2" in ended.stdout
    (command,) = ledger.commands()
    assert (command.kind, command.who, command.why) == (
        CommandKind.RELEASE,
        "Ada",
        "no shipment there",
    )
    assert command.entry_revision == ledger.entries["sandbox:2"].revision
    assert "operator: release" in waybill("orders", "show", "sandbox:2").stdout


def test_an_entry_that_moved_on_first_is_exit_code_1(
    waybill: Waybill, ledger: Ledger, beside: ThreadPoolExecutor
) -> None:
    answered: Future[None] = beside.submit(ledger.answer, "sandbox:4", applied=False)
    options = ("--reason", "dealt with", "--who", "Ada", "--wait-s", "40", "--json")

    ended = waybill("orders", "acknowledge", "sandbox:4", *options)

    answered.result(60)
    assert ended.returncode == 1
    assert "nothing was done" in ended.stderr
    assert json.loads(ended.stdout)["outcome"] == "not_applied"


def test_without_an_answer_it_says_that_the_command_still_stands(
    waybill: Waybill, ledger: Ledger
) -> None:
    options = ("--reason", "x", "--who", "Ada", "--wait-s", "1")

    ended = waybill("orders", "resend", "sandbox:3", *options)

    assert ended.returncode == 1
    assert "did not answer within 1 s" in ended.stderr
    assert "publish it again with a higher revision" in ended.stdout
    assert len(ledger.commands()) == 1


def test_what_does_not_apply_is_told_and_not_written(waybill: Waybill, ledger: Ledger) -> None:
    answers = {
        ("cancel", "sandbox:3"): "too late: Alibaba has it",
        ("release", "sandbox:5"): "it goes by itself",
        ("resend", "sandbox:99"): "has no entry of sandbox:99",
        ("release", "no-key"): "no-key",
        ("release", "sandbox:1", "--who", " "): "--who is empty",
    }

    for arguments, why in answers.items():
        ended = waybill("orders", *arguments, "--reason", "x")
        assert ended.returncode in (1, 2)
        assert why in ended.stderr

    assert ledger.commands() == []


def test_check_only_says_what_would_happen(waybill: Waybill, ledger: Ledger) -> None:
    ended = waybill("orders", "cancel", "sandbox:1", "--reason", "x", "--check", "--json")

    assert ended.returncode == 0
    assert json.loads(ended.stdout)["outcome"] == "checked"
    assert "taken back" in json.loads(ended.stdout)["plan"]
    assert ledger.commands() == []
