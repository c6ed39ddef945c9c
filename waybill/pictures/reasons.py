"""Why there is no picture."""

from enum import StrEnum


class Reason(StrEnum):
    """A closed list; each is also the end of a sentence that begins with "left out, because"."""

    BAD_URL = "its address is no https URL without user name and port"
    HOST_NOT_ALLOWED = "its host is not among WAYBILL_PICTURE_HOSTS"
    UNRESOLVED = "its host has no address"
    ADDRESS_NOT_PUBLIC = "its host leads to an address that is not public"
    UNREACHABLE = "its host does not answer, or breaks off"
    TLS_FAILED = "its host cannot prove its name by TLS"
    TOO_SLOW = "it took too long"
    TOO_MANY_REDIRECTS = "it was passed on too often"
    NOT_FOUND = "its host answers with something other than 200"
    TOO_LARGE = "it has too many bytes"
    WRONG_TYPE = "it is no PNG, JPEG or WebP file"
    TOO_MANY_PIXELS = "it has too many pixels"
    UNREADABLE = "it is damaged"
    TOO_MANY_PICTURES = "there are too many pictures"


class PictureError(Exception):
    """There is no picture, and why; carries nothing of the address but its host."""

    def __init__(self, reason: Reason, host: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.host = host
