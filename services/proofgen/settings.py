"""The settings of proofgen."""

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from services.proofgen.signing import SigningKeys
from waybill.settings import Settings, key_or_file


class ProofgenSettings(Settings):
    """What proofgen needs beside the common settings."""

    group: str = Field("waybill-proofgen", description="Consumer group; one per installation.")
    workers: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 2) // 2),
        ge=1,
        description="Processes that draw; half of the cores, the others serve the rest.",
    )
    signing_key_file: Path | None = Field(
        None, description="File with the signing keys, one a line, instead of WAYBILL_SIGNING_KEY."
    )
    signing_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="Key from which each store's signing key is derived: 32 bytes in base64. Several with "
        "commas after a change: the first signs, all have public keys. Without it proofs are unsigned.",
    )

    @field_validator("signing_key", mode="before")
    @classmethod
    def _from_file(cls, key: object, info: ValidationInfo) -> object:
        return key_or_file(key or None, info.data.get("signing_key_file"), "WAYBILL_SIGNING_KEY")

    @field_validator("signing_key")
    @classmethod
    def _holds_keys(cls, key: SecretStr | None) -> SecretStr | None:
        """Checked at the start: a page that was drawn unsigned stays so."""
        if key is not None:
            SigningKeys(key)
        return key
