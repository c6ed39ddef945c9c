"""Command: what an operator decides about one order."""

from pydantic import Field

from waybill.contracts.base import Id, OpenEnum, Record, Text, Timestamp


class CommandKind(OpenEnum):
    """What the operator wants."""

    UNRECOGNISED = "UNRECOGNISED"
    RELEASE = "release"
    RESEND = "resend"
    CANCEL = "cancel"
    ACKNOWLEDGE = "acknowledge"


class Command(Record):
    """Applies only to the entry revision that the operator saw; read again later, it does nothing."""

    command_id: Id = Field(description="Unique.")
    order_key: Id = Field(description="Order key; the record key.")
    kind: CommandKind = Field(description="release, resend, cancel or acknowledge.")
    entry_revision: int = Field(description="Ledger revision that the operator saw.")
    who: Text = Field(description="Who decided.")
    why: Text = Field(description="The reason, in words.")
    issued_at: Timestamp = Field(description="When, UTC milliseconds.")
