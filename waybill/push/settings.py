"""What can be chosen about the push endpoint."""

from pydantic import BaseModel, ConfigDict, Field


class PushSettings(BaseModel):
    """Where Alibaba's push messages arrive; without a port they do not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Where POST /push/<site> answers; off without it, 0 takes a free port and logs it. "
        "Alibaba wants HTTPS with a certificate of OV or EV level: a proxy in front of it.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    body_bytes_max: int = Field(
        65_536,
        ge=1_024,
        le=1_048_576,
        description="Longer messages are refused with 413; Alibaba's have some 400 bytes.",
    )
    ack_s: float = Field(
        0.35,
        gt=0,
        le=10,
        description="How long Kafka may take to keep a hint; then 503, and Alibaba repeats. Alibaba "
        "takes an answer after 500 ms for none.",
    )
    waiting_max: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Hints on their way to Kafka at once; beyond it 503, and Alibaba repeats.",
    )
    requests_max: int = Field(
        256, ge=1, le=10_000, description="Connections at once; beyond it 503."
    )
