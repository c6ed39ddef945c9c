"""Ready means: a client has produced a record and the broker has acknowledged it."""

import socket

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

CHECK_TOPIC = "__waybill_ready"
"""The topic that readiness checks write to; two underscores mark it as internal, as in Kafka's."""

_CONNECT_S = 0.5  # on the loopback interface an open port answers in under a millisecond
_ONE_TRY_S = 3.0  # a broker that is up answers in some ten milliseconds; else it is asked again
_RETENTION_MS = 3_600_000

_Settings = dict[str, str | int | float | bool]


def check(host: str, port: int) -> str | None:
    """Try once to create the check topic and to produce to it; return what failed, or None."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError as error:
        return f"nobody listens on {host}:{port} ({error.strerror or error})"
    settings: _Settings = {
        "bootstrap.servers": f"{host}:{port}",
        "client.id": "waybill-ready",
        "log_level": 0,  # failing for a while is what a check is for
    }
    try:
        _create_topic(AdminClient(settings))
    except (KafkaException, TimeoutError) as error:
        return f"the topic {CHECK_TOPIC} could not be created ({error})"
    return _produce(settings)


def _create_topic(admin: AdminClient) -> None:
    topic = NewTopic(CHECK_TOPIC, 1, 1, config={"retention.ms": str(_RETENTION_MS)})
    created = admin.create_topics([topic], request_timeout=_ONE_TRY_S)
    try:
        created[CHECK_TOPIC].result(_ONE_TRY_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _produce(settings: _Settings) -> str | None:
    answers: list[KafkaError | None] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        answers.append(error)

    limit_ms = int(_ONE_TRY_S * 1000)
    producer = Producer({**settings, "acks": "all", "message.timeout.ms": limit_ms})
    producer.produce(CHECK_TOPIC, b"ready", on_delivery=delivered)
    producer.flush(_ONE_TRY_S + 1)
    if not answers:
        return "a produced record was not answered"
    return None if answers[0] is None else f"a produced record failed ({answers[0]})"
