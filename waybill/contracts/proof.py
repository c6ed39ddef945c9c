"""Claim: the request for a proof of shipment. Proof: its answer, an image or a refusal."""

from typing import Annotated

from pydantic import Field, StringConstraints

from waybill.contracts.base import Id, LogisticsType, OpenEnum, Record, Sha256, Text, Timestamp


class PaperSize(OpenEnum):
    """The sheets that a proof can be printed on."""

    UNRECOGNISED = "UNRECOGNISED"
    A4 = "A4"
    LETTER = "LETTER"


class Language(OpenEnum):
    """The languages, ISO 639-1, in which a proof can label its facts beside English and Chinese."""

    UNRECOGNISED = "UNRECOGNISED"
    DE = "de"
    ES = "es"
    FR = "fr"
    IT = "it"
    JA = "ja"
    KO = "ko"
    NL = "nl"
    PL = "pl"
    PT = "pt"
    RU = "ru"


class AddressMismatch(OpenEnum):
    """What becomes of a proof when the label's address is not the order's."""

    UNRECOGNISED = "UNRECOGNISED"
    WARN = "warn"
    REFUSE = "refuse"


class Branding(Record):
    """How the store appears on the proof."""

    name: Text | None = Field(None, description="Store or company name.")
    address_lines: tuple[Text, ...] = Field(
        (), description="Sender's address, one line each.", max_length=8
    )
    phone: Text | None = Field(None, description="Sender's phone.")
    show_cost: bool = Field(True, description="Whether the carrier's charge is printed.")
    logo: Annotated[bytes, Field(max_length=200_000)] | None = Field(
        None,
        description="PNG file printed at the top of the proof, at most 200,000 bytes; keep it small, every claim carries it.",
        repr=False,
    )
    paper: PaperSize = Field(
        PaperSize.A4, description="A4 or LETTER; a size that the renderer does not know is A4."
    )
    third_language: Language | None = Field(
        None,
        description="Language of the labels beside English and Chinese; null for those two alone, as for one that the renderer does not know.",
    )
    address_mismatch: AddressMismatch = Field(
        AddressMismatch.WARN,
        description="When the label's address is not the order's: warn draws the proof, which says so; refuse draws none. A word that the renderer does not know is refuse.",
    )


class Claim(Record):
    """All that a proof needs. The same claim id always carries the same facts, so asking twice gives the same bytes."""

    claim_id: Id = Field(
        description="Derived from shipment revision, order content and store branding."
    )
    order_key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    store_id: Id = Field(description="The store.")
    shipment: bytes = Field(description="The Shipment as published: single-object Avro or JSON.")
    order: bytes = Field(description="The Order as published: single-object Avro.")
    parts: tuple[bytes, ...] = Field(
        (), description="Further shipments of the order, when parts are collected.", max_length=64
    )
    carrier_code: Text = Field(description="Alibaba's code of the carrier, as it will be declared.")
    logistics_type: LogisticsType = Field(description="EXPRESS or POST, as it will be declared.")
    branding: Branding = Field(default_factory=Branding, description="How the store appears.")
    time_zone: Text = Field("UTC", description="IANA zone of the store.")
    issued_at: Timestamp = Field(
        description="Time printed on the proof: when the order was claimed, UTC milliseconds."
    )


class ProofPage(Record):
    """One page of a proof."""

    image: bytes = Field(description="The image file.")
    media_type: Annotated[str, StringConstraints(pattern=r"^image/(png|jpeg)$")] = Field(
        description="image/png or image/jpeg."
    )
    sha256: Sha256 = Field(description="Hash of the image file.")


class Proof(Record):
    """The answer to a claim: pages, or the reason why there are none."""

    claim_id: Id = Field(description="The claim that this answers.")
    order_key: Id = Field(description="Order key <site>:<trade_id>; equals the record key.")
    store_id: Id = Field(description="The store.")
    shipment_id: Id | None = Field(
        None, description="The shipment shown; null when the claim was unreadable."
    )
    pages: tuple[ProofPage, ...] = Field(
        (), description="The pages; empty when refused.", max_length=20
    )
    refusal: Text | None = Field(
        None, description="Why there is no proof: a code of the renderer's closed list."
    )
    refusal_detail: Text | None = Field(
        None, description="The field and what is wrong with it; no personal data."
    )
    template_version: Text = Field(description="Layout that drew it.")
    payload_sha256: Sha256 | None = Field(
        None, description="Hash of the facts shown; its start is printed on the page."
    )
    warnings: tuple[Text, ...] = Field(
        (),
        description="What the page could not show as given, e.g. a glyph no font has.",
        max_length=100,
    )
