"""Settings of the notifier, with the bounds and relations that the one-shipment rule rests on."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from waybill.settings import Settings, SiteSettings, within

_DAY_S = 86_400


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
    call_start_s: Annotated[float, within(0.1, 60, "s")] = Field(
        5, description="A call starts so soon after its record was sent, or never."
    )
    call_horizon_s: Annotated[int, within(1, _DAY_S, "s")] = Field(
        900,
        description="Assumption: no call acts at Alibaba later than this after it ended here.",
    )
    lookup_gap_s: Annotated[int, within(1, _DAY_S, "s")] = Field(
        120, description="Two answers 'none' count only so far apart."
    )
    claim_timeout_s: Annotated[float, within(1, 3_600, "s")] = Field(
        60, description="A proof is asked for again after this."
    )
    proof_asks_max: int = Field(5, ge=1, le=100, description="Then a person has to look.")
    retry_max_s: Annotated[int, within(1, _DAY_S, "s")] = Field(
        300, description="Longest pause after failures."
    )
    retry_first_s: Annotated[int, within(1, _DAY_S, "s")] = Field(
        2,
        description="Pause after the first harmless failure; doubles up to `WAYBILL_RETRY_MAX_S`.",
    )
    lookup_first_s: Annotated[int, within(1, 60, "s")] = Field(
        5,
        description="Pause after the first look-up; doubles, up to `WAYBILL_RETRY_MAX_S` in the end.",
    )
    hint_first_s: Annotated[int, within(1, 3_600, "s")] = Field(
        30, description="Pause after the first hint for an unknown order; doubles up to an hour."
    )

    # of a field and not of the model: a refusal names the variable
    @field_validator("retry_first_s", "lookup_first_s")
    @classmethod
    def _no_first_pause_is_longer_than_the_longest(cls, found: int, info: ValidationInfo) -> int:
        longest = info.data.get("retry_max_s")  # missing when it is wrong itself, which is told
        if longest is not None and found > longest:
            raise ValueError(f"{found} s found; allowed is 1 to WAYBILL_RETRY_MAX_S, {longest} s")
        return found
