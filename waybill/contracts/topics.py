"""The topics, as `schemas/topics/*.yaml` declares them: the one source for creation, checks, docs and tests."""

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from waybill.contracts.files import topic_files

PARTITIONS_DEFAULT = 12
"""Partitions of every order-keyed topic; fixed when an installation is made."""


class Topic(BaseModel):
    """One topic: what lies on it, how long, who writes and who reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str
    record: str | None = Field(
        None, description="Record name; null where the value is no record of ours."
    )
    key: str
    keyed_by: Literal["order", "store", "store_partition", "fingerprint", "origin"]
    visibility: Literal["public", "private"]
    json_allowed: bool = False
    cleanup: Literal["compact", "delete", "compact,delete"]
    retention_ms: int | None = Field(None, description="Null keeps records for ever.")
    bytes_max: int
    owner: str
    readers: tuple[str, ...]
    config: dict[str, str] = Field(
        default_factory=dict, description="Further topic settings of Kafka."
    )

    @property
    def logical(self) -> str:
        """Short name used in code, settings and metrics: `orders` for `waybill.orders.v1`."""
        return self.name.removeprefix("waybill.").rsplit(".", 1)[0]

    def kafka_config(self) -> dict[str, str]:
        """The topic's settings as Kafka names them."""
        retention = {"retention.ms": str(-1 if self.retention_ms is None else self.retention_ms)}
        limits = {"cleanup.policy": self.cleanup, "max.message.bytes": str(self.bytes_max)}
        return {**limits, **retention, **self.config}


@cache
def topics() -> dict[str, Topic]:
    """Logical name to topic."""
    declared = [Topic.model_validate(content) for content in topic_files()]
    return {topic.logical: topic for topic in declared}
