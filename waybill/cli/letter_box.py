"""The dead letters of an installation, and which of them were redriven already."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from waybill.cli.cluster import Cluster
from waybill.cli.connection import settings
from waybill.cli.errors import CommandError
from waybill.cli.orders import learnt
from waybill.cli.segments import TopicReader
from waybill.contracts import RECORDS
from waybill.contracts.base import from_millis
from waybill.contracts.codec import Codec, DecodeError
from waybill.contracts.identity import check_key
from waybill.contracts.topics import topics
from waybill.reprocessing.letters import Letter, Unreadable, Wanted, letter_of
from waybill.reprocessing.stamps import letters_named
from waybill.reprocessing.topics import WRITTEN_AGAIN
from waybill.streaming.errors import FatalError
from waybill.streaming.records import Inbound
from waybill.streaming.registry import schema_lookup

_SKEW = timedelta(hours=2)
"""Clocks of the machines that write letters and redriven records may lie so far apart."""


class LetterBox:
    """Reads the dead letters; keeps none of them."""

    def __init__(self, cluster: Cluster) -> None:
        """Raises CommandError when the topic, or the cluster, is away."""
        self._cluster = cluster
        self._reader = TopicReader(cluster, "dead-letters")

    def letters(self, wanted: Wanted) -> Iterator[tuple[Inbound, Letter]]:
        """The letters that are meant, up to the end the topic has now; in order per partition."""
        for record in self._reader.read(self._reader.from_beginning()):
            letter = letter_of(record)
            if wanted.matches(record, letter):
                yield record, letter

    def at(self, partition: int, offset: int) -> Inbound:
        """One letter; raises CommandError when there is none."""
        if partition < self._reader.partitions:
            for record in self._reader.read(self._reader.from_offsets({partition: offset})):
                if record.offset == offset:
                    return record
                break
        raise CommandError(
            f"there is no dead letter {partition}:{offset}: see `waybill dead-letters list`"
        )

    def sent_before(self, oldest_ms: int) -> set[str]:
        """Positions of the letters that went back since; a redriven record outlives its letter."""
        found: set[str] = set()
        for topic in sorted(WRITTEN_AGAIN):
            reader = TopicReader(self._cluster, topic)
            for record in reader.read(reader.from_time(from_millis(oldest_ms) - _SKEW)):
                found.update(letters_named(record))
        return found


def reading_check(cluster: Cluster, bootstrap: str | None, topic_prefix: str | None) -> Unreadable:
    """Tells why a letter cannot be read even now: with this release, the schemas learnt and the registry."""
    book = learnt(cluster)
    url = settings(bootstrap, topic_prefix).registry_url
    if url is not None:
        try:
            book.use_registry(schema_lookup(url))
        except FatalError as error:
            raise CommandError(str(error)) from error
    checks = {topic: _check(topic, Codec(RECORDS[name], name, book)) for topic, name in _records()}

    def unreadable(record: Inbound) -> str | None:
        return checks[letter_of(record).topic](record)

    return unreadable


def _records() -> list[tuple[str, str]]:
    return [(topic, topics()[topic].record or "") for topic in sorted(WRITTEN_AGAIN)]


def _check(topic: str, codec: Codec[Any]) -> Callable[[Inbound], str | None]:
    def check(record: Inbound) -> str | None:
        try:
            decoded = codec.decode(record.value, allow_json=topics()[topic].json_allowed)
            check_key(record.key, decoded)
        except DecodeError as error:
            return f"{error.reason}: {error.detail}"
        except FatalError as error:
            raise CommandError(str(error)) from error
        return None

    return check
