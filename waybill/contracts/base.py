"""Building blocks of every record: frozen models, exact numbers, UTC times.

A record class is the reader's view of its newest Avro schema version; `waybill.contracts.schema`
derives that schema from the class, so each field needs a description that names its unit.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


class DecimalType(NamedTuple):
    """Avro decimal of at most `precision` digits, `scale` of them after the point."""

    precision: int
    scale: int


class Record(BaseModel):
    """Base of all records: immutable; unknown fields are ignored, so newer writers can be read."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="hex", val_json_bytes="hex"
    )


class OpenEnum(StrEnum):
    """Base of all enums: symbols a reader does not know become `UNRECOGNISED`: hands off, alert."""


def _utc_millis(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time without an offset; write it like 2026-11-23T15:50:00Z")
    try:
        utc = value.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 with an offset
        raise ValueError("a time before year 1 or after year 9999 in UTC") from None
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


Timestamp = Annotated[datetime, AfterValidator(_utc_millis)]
"""A point in time with its offset; kept in UTC, cut to milliseconds (Avro `timestamp-millis`)."""

Long = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits, as Avro's `long` holds it; JSON could carry larger ones."""

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=4), DecimalType(18, 4)]
"""An exact number with up to 14 digits before and 4 after the point; never a float."""

Text = Annotated[str, StringConstraints(max_length=10_000)]
"""Free text; longer ones are refused at the border, so that no record outgrows its topic."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""The key of a map: a tag, a code, a field path."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x20\x7f]+$")]
"""An identifier as its issuer prints it: text, no spaces, no control characters."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""


def millis(value: datetime) -> int:
    """Epoch milliseconds of a `Timestamp`; exact, without a float in between."""
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_millis(value_ms: int) -> datetime:
    """The `Timestamp` of epoch milliseconds."""
    return datetime.fromtimestamp(value_ms // 1000, UTC).replace(microsecond=value_ms % 1000 * 1000)


class Money(Record):
    """An amount of money with its currency."""

    amount: Amount = Field(description="Exact amount in units of the currency, e.g. 12.50.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="ISO 4217 code, e.g. USD."
    )


class WeightUnit(OpenEnum):
    """Units of weight."""

    UNRECOGNISED = "UNRECOGNISED"
    G = "g"
    KG = "kg"
    OZ = "oz"
    LB = "lb"


class Weight(Record):
    """A weight with its unit."""

    value: Amount = Field(description="Exact value in the unit beside it.")
    unit: WeightUnit = Field(description="Unit of the value.")


class LogisticsType(OpenEnum):
    """The two ways that Alibaba knows."""

    UNRECOGNISED = "UNRECOGNISED"
    EXPRESS = "EXPRESS"
    POST = "POST"


class Address(Record):
    """A postal address in its original script; every part may be absent, a postal code often is."""

    name: Text | None = Field(None, description="Person.")
    company: Text | None = Field(None, description="Company.")
    phone: Text | None = Field(
        None, description="Phone number as given, with country code if known."
    )
    email: Text | None = Field(None, description="E-mail address.")
    lines: tuple[Text, ...] = Field(
        (), description="Street lines, most specific first.", max_length=6
    )
    district: Text | None = Field(None, description="District or suburb.")
    city: Text | None = Field(None, description="City.")
    state: Text | None = Field(None, description="State or province, its name.")
    state_code: Text | None = Field(None, description="State or province, its code if known.")
    postal_code: Text | None = Field(None, description="Postal code; many addresses have none.")
    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        None, description="ISO 3166 code of two letters, e.g. GB."
    )
    country: Text | None = Field(None, description="Country name as given.")
    latin: tuple[Text, ...] = Field(
        (), description="The address in Latin letters, if there is one.", max_length=8
    )


class Option(Record):
    """A chosen option of an item, such as its colour."""

    name: Text = Field(description="What is chosen, e.g. Color.")
    value: Text = Field(description="The choice, e.g. red.")
