"""Settings: environment variables `WAYBILL_…` (nested with `__`), or a file named by `WAYBILL_ENV_FILE`.

What is out of bounds stops the start, with the variable, what was found and what is allowed.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from waybill.alibaba.settings import AlibabaSettings, AppCredentials
from waybill.contracts.topics import PARTITIONS_DEFAULT
from waybill.pictures.links import is_host

_KEY_FILE_CHARS_MAX = 65_536
"""A key has 44; a wrong file should not be read whole."""

SESSION_TIMEOUT_MS_MAX = 10_000
"""An evicted member hears of it a session and a beat later at most. That has to be over before a partition
that was shut out counts as still its own, 12 s after: it would shut out its successor in turn."""


def within(least: float, most: float, unit: str) -> AfterValidator:
    """Bounds of a number whose refusal says what was found; numbers are no secrets."""

    def check(found: float) -> float:
        if not least <= found <= most:
            raise ValueError(f"{found:,} {unit} found; allowed is {least:,} to {most:,} {unit}")
        return found

    return AfterValidator(check)


class KafkaSettings(BaseModel):
    """How to reach the cluster; any Apache Kafka from 2.5 on, with TLS and SASL if wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = Field("localhost:9092", description="host:port, several with commas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Transport and authentication."
    )
    sasl_mechanism: str | None = Field(None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 …")
    sasl_username: str | None = Field(None, description="User name for SASL.")
    sasl_password: SecretStr | None = Field(None, description="Password for SASL.")
    ssl_ca_location: Path | None = Field(None, description="File with the CA certificates.")
    ssl_certificate_location: Path | None = Field(None, description="Client certificate.")
    ssl_key_location: Path | None = Field(None, description="Client key.")
    topic_prefix: str = Field("", description="Put before every topic name, e.g. staging- .")
    partitions: int = Field(
        PARTITIONS_DEFAULT,
        ge=1,
        description="Partitions of every topic; fixed when the installation is made.",
    )
    replication: int = Field(
        1, ge=1, description="Replicas when topics are created; 3 on a cluster."
    )
    session_timeout_ms: Annotated[int, within(1_000, SESSION_TIMEOUT_MS_MAX, "ms")] = Field(
        6_000,
        description="A process that says nothing for so long loses its partitions; short, so that "
        "another one is at work within 10 s of a crash. 6 s is the least that brokers allow by default, "
        "10 s the most: a process must learn that it lost a partition before it would open it again.",
    )
    transaction_timeout_ms: Annotated[int, within(1_000, 900_000, "ms")] = Field(
        15_000,
        description="The broker aborts a transaction that is open for so long; a crash then holds "
        "readers back no longer than this. Brokers allow 15 minutes at most by default.",
    )

    def client_config(self) -> dict[str, str | int]:
        """librdkafka's settings for the connection alone."""
        named: dict[str, object] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.sasl_username,
            "sasl.password": self.sasl_password and self.sasl_password.get_secret_value(),
            "ssl.ca.location": self.ssl_ca_location,
            "ssl.certificate.location": self.ssl_certificate_location,
            "ssl.key.location": self.ssl_key_location,
        }
        return {name: str(value) for name, value in named.items() if value is not None}

    def physical(self, topic: str) -> str:
        """The topic's name on the cluster."""
        return self.topic_prefix + topic


class HttpSettings(BaseModel):
    """Where a service answers /metrics, /livez and /readyz."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: int = Field(0, ge=0, le=65_535, description="0 takes a free port and logs it.")


class Settings(BaseSettings):
    """What every service needs; each service adds its own."""

    model_config = SettingsConfigDict(
        env_prefix="WAYBILL_",
        env_nested_delimiter="__",
        env_file=os.environ.get("WAYBILL_ENV_FILE"),
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # secrets stand beside whatever is wrong
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings, description="The cluster.")
    http: HttpSettings = Field(default_factory=HttpSettings, description="Metrics and health.")
    data_dir: Path = Field(
        Path(".run"), description="Folder for local views; losing it costs a re-read, never data."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level."
    )
    log_format: Literal["json", "console"] = Field("json", description="json for machines.")
    stop_s: Annotated[float, within(0.1, 600, "s")] = Field(
        8.0,
        description="How long a stop waits for calls under way; supervisors kill after 10 s.",
    )
    seal_key_file: Path | None = Field(
        None, description="File with the seal keys, one a line, instead of WAYBILL_SEAL_KEY."
    )
    seal_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="Key that seals the stores' tokens: 32 bytes in base64. Several with commas while "
        "one follows another: the first seals, all open.",
    )
    registry_url: str | None = Field(
        None, description="Schema Registry, to read the Confluent wire format on public topics."
    )
    picture_hosts: str = Field(
        "alicdn.com,aliimg.com",
        description="Hosts whose pictures of goods may be fetched for packing slips, with all names below "
        "them; several with commas. Only over https, only at public addresses, and only for stores "
        "with `slip_pictures`.",
    )

    @field_validator("picture_hosts")
    @classmethod
    def _host_names(cls, hosts: str) -> str:
        bad = sum(not is_host(name) for name in hosts.split(",") if hosts)
        if bad:
            raise ValueError(f"{bad} of them are no host names such as alicdn.com")
        return hosts

    @field_validator("seal_key", mode="before")
    @classmethod
    def _from_file(cls, key: object, info: ValidationInfo) -> object:
        return key_or_file(key, info.data.get("seal_key_file"), "WAYBILL_SEAL_KEY")


def key_or_file(key: object, file: Path | None, variable: str) -> object:
    """The keys of the file when one is named: a file shows in no list of processes or containers.

    `variable` is what the keys themselves would be set by. Raises ValueError when both are set, or the file
    cannot be read.
    """
    if file is None:
        return key
    if key:
        raise ValueError(f"is set, and {variable}_FILE too: set one of them")
    try:
        return SecretStr(file.read_text("utf-8")[:_KEY_FILE_CHARS_MAX])
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}_FILE cannot be read: {type(error).__name__}") from None


class SiteSettings(BaseModel):
    """The application at one site: its key and secret, and how its API is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app: AppCredentials = Field(description="Key and secret of the registered application.")
    api: AlibabaSettings = Field(
        default_factory=AlibabaSettings, description="Hosts, paths, limits of the API."
    )
