"""Secret keys of an installation as its settings hold them: 32 bytes in base64, the present one first."""

import base64
import os

from pydantic import SecretStr

KEY_BYTES = 32
KEYS_MAX = 16
"""More than anybody replaces in a lifetime of records."""


class KeyFormError(ValueError):
    """A setting that holds no such keys; the message names the setting, what is wrong and what to do."""


def new_key() -> str:
    """A fresh key, from the system's source of randomness."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def parsed_keys(keys: SecretStr, variable: str, made_by: str) -> list[bytes]:
    """The keys of a setting, separated by commas or white space; raises KeyFormError.

    `variable` is the setting's name and `made_by` the command that makes a key, for the message.
    """
    raw = [_bytes_of(one) for one in keys.get_secret_value().replace(",", " ").split()]
    bad = [str(number) for number, one in enumerate(raw, 1) if len(one) != KEY_BYTES]
    if raw and not bad and len(raw) <= KEYS_MAX:
        return raw
    which = f"key {', '.join(bad[:KEYS_MAX])} of {len(raw)}: " if len(raw) > 1 and bad else ""
    many = f", at most {KEYS_MAX} of them" if len(raw) > KEYS_MAX else ""
    raise KeyFormError(
        f"{variable}: {which}want {KEY_BYTES} bytes in base64{many}; make one with `{made_by}`"
    )


def _bytes_of(key: str) -> bytes:
    try:
        return base64.b64decode(key, validate=True)
    except ValueError:  # not base64, or not even ASCII
        return b""
