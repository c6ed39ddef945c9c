"""Store: a seller's connected shop with its settings. StoreTokens: its sealed tokens, on a topic of their own."""

from typing import Annotated

from pydantic import Field, StringConstraints

from waybill.contracts.base import Id, Label, OpenEnum, Record, Text, Timestamp
from waybill.contracts.proof import Branding


class StoreMode(OpenEnum):
    """Whether the store's shipments are declared at Alibaba."""

    UNRECOGNISED = "UNRECOGNISED"
    DRY_RUN = "dry_run"
    LIVE = "live"


class PartialPolicy(OpenEnum):
    """What to do with a shipment that covers a part of the order."""

    UNRECOGNISED = "UNRECOGNISED"
    REFUSE = "refuse"
    COLLECT = "collect"


class ResendPolicy(OpenEnum):
    """What to do when two look-ups found no shipment after an unclear call."""

    UNRECOGNISED = "UNRECOGNISED"
    RESEND = "resend"
    ASK_OPERATOR = "ask_operator"


DailyWindow = Annotated[
    str,
    StringConstraints(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
    ),
]
"""HH:MM-HH:MM, of 24 hours; from a time to the same time is the whole day."""


class Store(Record):
    """Settings of one store; readers take the last record of a key. Writers compare the revision first."""

    store_id: Id = Field(
        description="Derived from the seller's identity, so connecting again is a reconnect; the record key."
    )
    site: Id = Field(description="alibaba or sandbox.")
    seller_id: Id = Field(description="The seller's id at the site.")
    name: Text = Field(description="Name that people read.")
    revision: int = Field(description="Grows with each change; a writer names the one it saw.")
    mode: StoreMode = Field(
        StoreMode.DRY_RUN, description="dry_run shows request and proof and sends nothing."
    )
    paused: bool = Field(
        False, description="True: nothing is imported or sent until it is resumed."
    )
    connected_at: Timestamp = Field(description="When it was first connected, UTC milliseconds.")
    ship_from: Timestamp = Field(
        description="Shipments that left earlier are refused, UTC milliseconds; default connected_at."
    )
    token_generation: int = Field(
        1, description="Generation of the tokens in use; connecting again raises it."
    )
    status_map: dict[Label, Text] = Field(
        default_factory=dict,
        max_length=200,
        description="Raw status code to mapped status, over the default table.",
    )
    carrier_map: dict[Label, Text] = Field(
        default_factory=dict,
        max_length=2_000,
        description="Carrier code or name of the shipping system, lower case, to Alibaba's code.",
    )
    partial_policy: PartialPolicy = Field(PartialPolicy.REFUSE, description="refuse or collect.")
    resend_policy: ResendPolicy = Field(ResendPolicy.RESEND, description="resend or ask_operator.")
    verify_first: bool = Field(
        False, description="True: look every order up before its first call."
    )
    branding: Branding = Field(
        default_factory=Branding, description="How the store appears on the proof."
    )
    time_zone: Text = Field("UTC", description="IANA zone of the store.")
    notify_delay_min: int = Field(
        0,
        description="Minutes that a shipment which may go waits before its call; until then "
        "corrections and voids are in time.",
        ge=0,
        le=10_080,
    )
    notify_window: DailyWindow | None = Field(
        None,
        description="Daily window in the store's zone in which shipments go, e.g. 08:00-20:00; "
        "22:00-06:00 goes over midnight.",
    )
    buyer_mail: bool = Field(
        False,
        description="Whether confirmations ask a mailer to tell the buyer (mail_buyer of the notification).",
    )
    slip_pictures: bool = Field(
        False,
        description="Whether packing slips show the items' pictures, which are fetched from the web for them.",
    )
    rate_per_s: int | None = Field(
        None,
        description="Calls per second that the rate limiter starts with; null for the site's setting.",
        ge=1,
        le=1_000,
    )
    import_from: Timestamp | None = Field(
        None,
        description="Import orders changed since then, UTC milliseconds; default connected_at less a month.",
    )
    backfill: int = Field(
        0, description="Grows with each request to read the store's history once more."
    )
    backfill_from: Timestamp | None = Field(
        None,
        description="Where that reading begins, UTC milliseconds; null for the very beginning.",
    )
    disconnected: bool = Field(
        False, description="True after disconnecting: kept for its name and history."
    )


class StoreTokens(Record):
    """Sealed tokens of one connection. Connecting writes a new generation; after that only the importer rewrites it."""

    store_id: Id = Field(description="The store; the record key is store_id:generation.")
    generation: int = Field(description="1 for the first connection, then one more each time.")
    key_id: Id = Field(description="Which key sealed it.")
    nonce: bytes = Field(description="AES-GCM nonce, 12 bytes.")
    sealed: bytes = Field(
        description="AES-256-GCM of the tokens; store id, generation and key id are bound in."
    )
    expires_at: Timestamp | None = Field(
        None, description="When the access token ends, UTC milliseconds."
    )
    refresh_expires_at: Timestamp | None = Field(
        None, description="When the refresh token ends, UTC milliseconds."
    )
    authorised_until: Timestamp | None = Field(
        None, description="End of the chosen authorisation, UTC milliseconds."
    )
    authorisation: Label | None = Field(
        None, description="The length that was chosen when connecting: 1m, 3m or 6m."
    )
    issued_at: Timestamp | None = Field(
        None,
        description="When Alibaba gave these tokens, UTC milliseconds; null stands for written_at.",
    )
    refresh_sent_at: Timestamp | None = Field(
        None,
        description="When the last refresh with these tokens was announced, before its first byte, UTC "
        "milliseconds; null before the first.",
    )
    ended_at: Timestamp | None = Field(
        None,
        description="When the importer found that these tokens open nothing any more, UTC milliseconds; "
        "null while they do.",
    )
    ended_reason: Label | None = Field(
        None,
        description="Why they ended: authorisation_over, refresh_refused, access_expired or "
        "access_refused; connecting again is the way on.",
    )
    written_at: Timestamp = Field(description="When this was sealed, UTC milliseconds.")
