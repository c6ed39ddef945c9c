"""Puts a stopped group back to the first shipment: one try, in a process of its own.

librdkafka can abort its whole process when a broker goes away while an admin request about a group is under
way (its issue 4605, open as of 2.16), and here brokers go away all the time.

    python -m tests.fire.rewinding BOOTSTRAP GROUP TOPIC keep|drop
"""

import sys

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

ADMIN_S = 5.0
"""Longest wait for each of the two answers."""
NOT_TAKEN = 75
"""Exit code: the broker is away, or the group's last member has not been missed yet."""


def main() -> int:
    """0 when all positions are at the start, or when there are none."""
    bootstrap, group, topic, note = sys.argv[1:]
    try:
        return 0 if rewound(bootstrap, group, topic, keep_note=note == "keep") else NOT_TAKEN
    except (KafkaException, TimeoutError):
        return NOT_TAKEN


def rewound(bootstrap: str, group: str, topic: str, *, keep_note: bool) -> bool:
    """Set the group's positions on the topic to 0, with or without the text that was committed with them."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    asked = admin.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group)], request_timeout=ADMIN_S
    )
    places = asked[group].result(ADMIN_S).topic_partitions or []
    back = [
        TopicPartition(topic, place.partition, 0, place.metadata or "" if keep_note else "")
        for place in places
        if place.topic == topic
    ]
    if not back:
        return True
    wanted = ConsumerGroupTopicPartitions(group, back)
    answer = admin.alter_consumer_group_offsets([wanted], request_timeout=ADMIN_S)[group]
    changed = answer.result(ADMIN_S).topic_partitions or []
    return all(place.error is None for place in changed)


if __name__ == "__main__":
    sys.exit(main())
