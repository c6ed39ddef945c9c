"""docs/topics.md, from `schemas/topics/*.yaml`."""

from waybill.contracts.topics import PARTITIONS_DEFAULT, Topic, topics
from waybill.docs.markdown import page, plain, table

_DAY_MS = 86_400_000
_KEYED_BY = {
    "order": "the order key",
    "store": "the store id",
    "store_partition": "the store id (the key is an order key)",
    "fingerprint": "the fingerprint",
    "origin": "the partition it came from",
}


def render() -> str:
    """The page."""
    ordered = sorted(
        topics().values(), key=lambda topic: (topic.visibility != "public", topic.name)
    )
    return page(
        "Topics", _INTRO, _overview(ordered), _RULES, *(_section(topic) for topic in ordered)
    )


_INTRO = """\
Declared in `schemas/topics/`; `waybill topics apply` makes them, `waybill topics check` compares a cluster
with them. A name on the cluster is the name below with the installation's prefix before it. Fields:
[contracts](contracts.md). How to publish shipments from any language: [publishing](publishing.md)."""

_RULES = f"""\
## Rules for all topics

- **Partitions.** Every topic has the same count, by default {PARTITIONS_DEFAULT}, fixed when the installation
  is made. A key keeps its partition for ever; a live count that differs stops the services.
- **Partitioner.** murmur2 of the key, as in Java: `(murmur2(key) & 0x7fffffff) % partitions`. Clients built
  on librdkafka need `partitioner=murmur2_random`; their default is another one. A public record on the wrong
  partition is forwarded once to the right one (header `wb-rerouted`) and then counts as if published there;
  the second time it is a dead letter.
- **Private topics** are written by their owner alone, to an explicit partition. Set ACLs: nobody else may
  write there.
- **Reading.** Writers use transactions. Read with `isolation.level=read_committed`: Java clients default to
  `read_uncommitted` and would see what was aborted.
- **Framing.** Public topics: Avro single-object encoding, or the Confluent wire format where a registry is
  set; readers take both. `shipments` takes JSON too. Private topics: always single-object encoding.
- **Sizes** rise along the way, so that whatever can be consumed can be dead-lettered. A shipment above
  256 KiB is refused with `too_large`.
- **Several brokers.** `waybill topics apply --replication 3`: three replicas, a write is acknowledged by two,
  no unclean election. `waybill topics check` insists on it for the ledger."""


def _overview(ordered: list[Topic]) -> str:
    rows = (
        [
            f"[`{topic.name}`](#{_anchor(topic)})",
            topic.visibility,
            topic.record or "–",
            topic.cleanup,
            _retention(topic),
            _size(topic),
        ]
        for topic in ordered
    )
    return table(["topic", "for", "record", "cleanup", "kept", "largest record"], rows)


def _anchor(topic: Topic) -> str:
    return topic.name.replace(".", "")


def _retention(topic: Topic) -> str:
    if topic.retention_ms is None:
        return "for ever, the last of each key"
    return f"{topic.retention_ms // _DAY_MS} days"


def _size(topic: Topic) -> str:
    return f"{topic.bytes_max // 1_048_576} MiB"


def _section(topic: Topic) -> str:
    record = f"[{topic.record}](contracts.md#{topic.record})" if topic.record else "none of ours"
    facts = table(
        ["", ""],
        [
            ["record", record],
            ["key", topic.key],
            ["partition decided by", _KEYED_BY[topic.keyed_by]],
            ["written by", topic.owner],
            ["read by", ", ".join(topic.readers)],
            ["JSON", "accepted" if topic.json_allowed else "no"],
        ],
    )
    settings = table(
        ["topic setting", "value"],
        [[f"`{name}`", f"`{value}`"] for name, value in topic.kafka_config().items()],
    )
    return f"## {topic.name}\n\n{plain(topic.about)}\n\n{facts}\n\n{settings}"
