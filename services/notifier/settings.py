"""Settings of the notifier."""

from pydantic import Field

from waybill.settings import Settings, SiteSettings


class NotifierSettings(Settings):
    """What the notifier needs beside the common settings; times with their reasons."""

    group: str = Field("waybill-notifier", description="Consumer group; one per installation.")
    sites: dict[str, SiteSettings] = Field(
        default_factory=dict, description="Site name to its application and API settings, as JSON."
    )
    calls_per_store_max: int = Field(
        64,
        ge=1,
        description="Calls to Alibaba at once for one store, so that none holds up another.",
    )
    works_per_store_max: int = Field(
        128,
        ge=1,
        description="Claims out, images in memory and calls of one store; twice its calls.",
    )
    works_max: int = Field(512, ge=1, description="The same over all stores; bounds memory.")
    lookups_max: int = Field(
        16, ge=1, description="Look-ups at once: reads must not crowd out calls."
    )
    call_start_s: float = Field(
        5, gt=0, description="A call starts so soon after its record was sent, or never."
    )
    call_horizon_s: int = Field(
        900,
        ge=0,
        description="Assumption: no call acts at Alibaba later than this after it ended here.",
    )
    lookup_gap_s: int = Field(120, ge=0, description="Two answers 'none' count only so far apart.")
    lookup_first_s: int = Field(5, ge=1, description="Pause after the first look-up; doubles.")
    claim_timeout_s: float = Field(60, gt=0, description="A proof is asked for again after this.")
    proof_asks_max: int = Field(5, ge=1, description="Then a person has to look.")
    retry_first_s: int = Field(
        2, ge=1, description="Pause after the first harmless failure; doubles."
    )
    retry_max_s: int = Field(300, ge=1, description="Longest such pause.")
    hint_first_s: int = Field(
        30, ge=1, description="Pause after the first hint for an unknown order."
    )
