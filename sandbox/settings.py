"""Everything about a sandbox that can be chosen, with its unit, default and limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

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
    refresh_prolongs: bool = False
    """A refresh begins the chosen authorisation length anew."""
    refresh_grace_s: int = Field(default=0, ge=0)
    """So long after a refresh its refresh token answers the same new tokens again."""
    old_access_token_s: int = Field(default=0, ge=0)
    """A replaced access token works this much longer, if it would have."""
    reauthorising_ends_older: bool = False
    """A new authorisation of a store ends the tokens of its older ones."""
    token_error: Literal["IllegalAccessToken", "InvalidAccessToken"] = "IllegalAccessToken"  # noqa: S105 - the code of an error
    token_answer_extra: bool = False
    """Token answers carry the fields other platforms of the family add."""
    clock_offset_ms: int = Field(default=0, ge=-366 * DAY_S * 1000, le=366 * DAY_S * 1000)
    """How far the sandbox's clock is ahead of the machine's."""

    unknown_parameters: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a call with a parameter nobody documented; Alibaba probably ignores it."""

    # order and shape of what Alibaba's documents leave open
    list_order: Literal["newest", "oldest"] = "newest"
    """Which end of the order list comes first."""
    list_by: Literal["window", "created"] = "window"
    """What the order list is sorted by: the date its window is about, or always the creation."""
    page_size_max: int = Field(default=100, ge=1, le=100)
    mask_trade_ids: bool = False
    """Order lists of the dotted methods hide the middle of trade ids, as one tenant saw."""
    channels_path: str = Field(default="/alibaba/order/shipping/channels", pattern=r"^/")
    business_errors: Literal["top", "result"] = "top"
    """Where 402/403/404/500 stand: in ``code``, or in ``result`` of an answer with code "0"."""
    business_error_names: Literal["error", "msg", "result"] = "error"
    """``error_code`` and ``error_message``, ``msg_code`` and ``msg``, or ``result_code`` …"""
    error_http_status: Literal["200", "4xx"] = "200"
    """HTTP status of errors: always 200, or 400, 401, 403, 404, 429 and 503 as they mean."""
    voucher_in: Literal["top", "result", "value"] = "top"
    """Where the shipping answer carries ``voucher_id``."""
    simplified_root: bool = True
    """``simplify=true`` keeps the ``…_response`` object around an answer of a dotted method."""

    # behaviour of the server
    latency_ms: float = Field(default=0, ge=0, le=600_000)
    jitter_ms: float = Field(default=0, ge=0, le=600_000)
    keep_files: bool = False
    """Write uploaded files to ``<data_dir>/files/<sha256>.<extension>``."""
    journal_entries_max: int = Field(default=5_000_000, ge=1)
    """Writes beyond it are refused with a SYSTEM error: a forgotten run must not fill the disk."""
    push_url: str | None = Field(default=None, pattern=r"^https?://")

    def changed(self, changes: dict[str, Any]) -> Settings:
        """These settings with some replaced.

        Raises pydantic's ValidationError for a value that does not fit.
        """
        return Settings.model_validate({**self.model_dump(), **changes})

    @model_validator(mode="after")
    def _orders_fit_in_memory(self) -> Settings:
        if self.stores * self.orders_per_store > ORDERS_MAX:
            raise ValueError(
                f"{self.stores} stores with {self.orders_per_store} orders each are more than "
                f"{ORDERS_MAX:,} orders; choose fewer stores or orders"
            )
        return self


LIVE = frozenset(
    {
        *("code_s", "access_token_s", "refresh_token_s", "refresh_prolongs", "refresh_grace_s"),
        *("old_access_token_s", "reauthorising_ends_older", "token_error", "token_answer_extra"),
        *("callbacks", "clock_offset_ms", "timestamp_skew_s", "attachments_required"),
        "unknown_parameters",
        *("list_order", "list_by", "page_size_max", "mask_trade_ids", "voucher_in"),
        *("business_errors", "business_error_names", "error_http_status", "simplified_root"),
    }
)
"""Settings that can be changed while the sandbox runs; a restart forgets such changes."""
