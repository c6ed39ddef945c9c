"""Everything about a sandbox that can be chosen, with its unit, default and limit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ORDERS_MAX = 1_000_000
"""Orders kept in memory at once (about 300 bytes each), all stores together."""
DAY_S = 86_400


class Settings(BaseModel):
    """Options of one sandbox; the first start in a data directory fixes those of generation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)
    """0: the system picks a free port; the ready line tells which."""

    # generation
    seed: int = 1
    stores: int = Field(default=2, ge=1, le=100)
    orders_per_store: int = Field(default=100, ge=0)
    all_shippable: bool = False
    """Every generated order waits for shipment and has an address: what a benchmark wants."""
    epoch_ms: int | None = Field(default=None, ge=0)
    """The moment orders were made "before", in epoch milliseconds. None: the first start."""

    # rules
    lenient: bool = False
    """Accept a shipment whatever the order's status, a second one too."""
    attachments_required: bool = True
    """Refuse a shipment without an uploaded proof."""
    upload_bytes_max: int = Field(default=5_000_000, ge=1, le=100_000_000)
    """Alibaba says 5 MB; this is the stricter reading."""
    timestamp_skew_s: int = Field(default=7_200, ge=1)
    code_s: int = Field(default=1_800, ge=1)
    access_token_s: int = Field(default=10 * DAY_S, ge=1)
    refresh_token_s: int = Field(default=60 * DAY_S, ge=1)
    callbacks: tuple[str, ...] = ()
    """Registered callback addresses, compared byte by byte. Empty: any http(s) address."""

    # shape of what Alibaba's documents leave open
    channels_path: str = Field(default="/alibaba/order/shipping/channels", pattern=r"^/")
    business_errors: Literal["top", "result"] = "top"
    """Where 402/403/404/500 stand: in ``code``, or in ``result`` of an answer with code "0"."""
    voucher_in: Literal["top", "result", "value"] = "top"
    """Where the shipping answer carries ``voucher_id``."""

    # behaviour of the server
    latency_ms: float = Field(default=0, ge=0, le=600_000)
    jitter_ms: float = Field(default=0, ge=0, le=600_000)
    keep_files: bool = False
    """Write uploaded files to ``<data_dir>/files/<sha256>.<extension>``."""
    journal_entries_max: int = Field(default=5_000_000, ge=1)
    """Writes beyond it are refused with a SYSTEM error: a forgotten run must not fill the disk."""
    push_url: str | None = Field(default=None, pattern=r"^https?://")

    @model_validator(mode="after")
    def _orders_fit_in_memory(self) -> Settings:
        if self.stores * self.orders_per_store > ORDERS_MAX:
            raise ValueError(
                f"{self.stores} stores with {self.orders_per_store} orders each are more than "
                f"{ORDERS_MAX:,} orders; choose fewer stores or orders"
            )
        return self
