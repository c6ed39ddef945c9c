"""Command: what an operator decides about one order, or about a ledger that lost records."""

from pydantic import Field

from waybill.contracts.base import Id, OpenEnum, Record, Text, Timestamp

_LOSS_KEY = "ledger:"


def loss_key(partition: int) -> str:
    """The key of an accept_loss; it belongs to the partition it lies on, whatever it hashes to."""
    return f"{_LOSS_KEY}{partition}"


def is_loss_key(key: bytes) -> bool:
    """Whether a record's key is that of an accept_loss: no site is called `ledger`."""
    return key.startswith(_LOSS_KEY.encode())


class CommandKind(OpenEnum):
    """What the operator wants."""

    UNRECOGNISED = "UNRECOGNISED"
    RELEASE = "release"
    RESEND = "resend"
    CANCEL = "cancel"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT_LOSS = "accept_loss"


class Command(Record):
    """Applies only to the entry revision that the operator saw; read again later, it does nothing."""

    command_id: Id = Field(description="Unique.")
    order_key: Id = Field(
        description="Order key; the record key. `ledger:<partition>` for accept_loss, written to that partition."
    )
    kind: CommandKind = Field(
        description="release, resend, cancel or acknowledge; accept_loss for a whole partition."
    )
    entry_revision: int = Field(
        description="Ledger revision that the operator saw; 0 for accept_loss."
    )
    loss_id: Id | None = Field(
        None, description="For accept_loss: the very loss that the operator saw."
    )
    who: Text = Field(description="Who decided.")
    why: Text = Field(description="The reason, in words.")
    issued_at: Timestamp = Field(description="When, UTC milliseconds.")
