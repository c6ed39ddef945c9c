"""What can be chosen about importing, with units, limits and reasons."""

from pydantic import BaseModel, ConfigDict, Field


class ImporterSettings(BaseModel):
    """When stores are polled, how much is asked for at once, how failures are waited out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    poll_interval_s: float = Field(
        60,
        gt=0,
        le=86_400,
        description="Pause between two polls of a store. One list call a minute is 1,440 of the "
        "million calls a day that a seller's application was seen to have.",
    )
    poll_jitter: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the pause by which it is lengthened at most, at random, so that many "
        "stores spread out instead of being polled in one burst.",
    )
    backoff_first_s: float = Field(
        5, gt=0, le=3_600, description="Wait after the first failure of a store; doubles each time."
    )
    backoff_max_s: float = Field(
        900,
        gt=0,
        le=86_400,
        description="Longest wait after failures. A store is never given up: a quarter of an hour "
        "after the cause is gone its import goes on by itself.",
    )
    window_overlap_s: float = Field(
        600,
        ge=0,
        le=86_400,
        description="How far a window reaches back behind the cursor: longer than the site may "
        "take to list a change under the time at which it was made.",
    )
    clock_skew_s: float = Field(
        900,
        ge=0,
        le=7_200,
        description="How far this machine's clock and the site's may lie apart. Windows reach so "
        "far into the future, and the cursor stays so far behind now. The site refuses calls "
        "from 7,200 s on.",
    )
    window_max_s: float = Field(
        86_400,
        ge=120,
        le=31 * 86_400,
        description="Longest step of the cursor: after an outage, or on the first import, history "
        "is caught up in such steps, so that a crash repeats one step and not all of it.",
    )
    window_min_s: float = Field(
        60,
        ge=1,
        le=86_400,
        description="A window that cannot be read to its end is halved until its step is this short.",
    )
    first_import_days: float = Field(
        30,
        ge=0,
        le=3_650,
        description="How far back the first import of a store reaches that names no time itself.",
    )
    passes_max: int = Field(
        5,
        ge=1,
        le=100,
        description="How often a window's pages are read again while orders move between them; "
        "then the window is halved.",
    )
    pages_max: int = Field(
        400,
        ge=1,
        le=100_000,
        description="Pages of one pass, 20,000 orders with 50 a page; then the window is halved. "
        "Deep pages are slow on any server, and a server that never ends its list is stopped.",
    )
    settle_s: float = Field(
        30,
        ge=1,
        le=3_600,
        description="An order that is listed unchanged is not read again once two readings, so far "
        "apart, have shown it: the site's times may be whole seconds, in which it can change twice.",
    )
    readings_max: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Orders whose last readings are remembered, about 300 bytes each; one that "
        "falls out costs a detail call.",
    )
    hint_age_s_max: float = Field(
        600,
        gt=0,
        le=86_400,
        description="Older hints are ignored: after a restart the topic is replayed, and polling "
        "has found those orders by then.",
    )
    hints_max: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Hints waiting per store; more are dropped, which costs time and no order.",
    )
    rereads_max: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Orders of a store waiting to be read again, e.g. after a change of mapping.",
    )
    read_batch: int = Field(
        20,
        ge=1,
        le=1_000,
        description="Orders of one reading task: at 10 calls a second and two calls an order it "
        "takes 4 s, after which a waiting poll has its turn.",
    )
    owed_retry_s: float = Field(
        3_600,
        ge=1,
        le=7 * 86_400,
        description="How often orders are tried again that the site lists and does not give.",
    )
    backfill_window_max_s: float = Field(
        31 * 86_400,
        ge=120,
        le=366 * 86_400,
        description="Longest step through history that is read once more, reached by doubling where "
        "there are no orders; where there are some, `window_max_s` holds.",
    )
    read_tries_max: int = Field(
        5,
        ge=1,
        le=1_000,
        description="Failed tries after which a hinted order is let go: one order that always fails "
        "must not hold up its store.",
    )
