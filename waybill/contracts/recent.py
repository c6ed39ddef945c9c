"""Records that were decoded lately, so that an order in the works is decoded once and not at each step."""

from functools import lru_cache
from typing import Generic, TypeVar

from waybill.contracts.base import Record
from waybill.contracts.codec import Codec

R = TypeVar("R", bound=Record)


class RecentlyDecoded(Generic[R]):
    """Decodes like its codec; the same bytes give the same record, which is safe since records are frozen.

    Bounded by `records_max` and, since a decoded record takes some ten times its bytes, by
    `record_bytes_max`: a larger one is decoded each time. What cannot be decoded is never remembered: its
    schema may be learnt later.
    """

    def __init__(
        self,
        codec: Codec[R],
        *,
        records_max: int = 1_024,
        record_bytes_max: int = 4_096,
        allow_json: bool = False,
    ) -> None:
        self._codec = codec
        self._allow_json = allow_json
        self._record_bytes_max = record_bytes_max
        self._remembered = lru_cache(records_max)(self._decode)

    def _decode(self, framed: bytes) -> R:
        return self._codec.decode(framed, allow_json=self._allow_json)

    def decode(self, framed: bytes | None) -> R:
        """The record in framed bytes; raises DecodeError as `Codec.decode` does."""
        if framed is None or len(framed) > self._record_bytes_max:
            return self._codec.decode(framed, allow_json=self._allow_json)
        return self._remembered(framed)
