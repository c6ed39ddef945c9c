"""What may be changed of a store, written as `name=value`. Pure, but for the file of a logo."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from waybill.cli.errors import InputError
from waybill.cli.store_logo import logo_of
from waybill.contracts import Store

PLAIN = (
    "name",
    "mode",
    "paused",
    "ship_from",
    "partial_policy",
    "resend_policy",
    "verify_first",
    "time_zone",
    "notify_delay_min",
    "notify_window",
    "buyer_mail",
    "slip_pictures",
    "rate_per_s",
    "import_from",
)
"""Settings that are one value; an empty value means none."""
MAPS = {"carrier": "carrier_map", "status": "status_map"}
"""`carrier.fedex=FEDEX` sets one entry of the map, `carrier.fedex=` takes it out."""
BRANDING: dict[str, Callable[[str], object]] = {
    "name": str,
    "address_lines": lambda text: tuple(part.strip() for part in text.split("|") if part.strip()),
    "phone": str,
    "show_cost": str,
    "logo": logo_of,
    "paper": str.upper,
    "third_language": str.lower,
    "address_mismatch": str.lower,
}
"""`branding.name=…` and how each is read; address lines are separated by `|`, a logo is `@file`."""


def known_settings() -> str:
    """For help texts and errors."""
    maps = [f"{name}.<code>" for name in MAPS]
    return ", ".join([*PLAIN, *maps, *(f"branding.{name}" for name in BRANDING)])


def changed(store: Store, assignments: Iterable[str]) -> Store:
    """The store with these changes and the next revision; raises InputError naming what is wrong."""
    values = store.model_dump()
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"{assignment!r}: want name=value with one of {known_settings()}")
        _assign(values, name.strip(), value.strip())
    values["revision"] = store.revision + 1
    return checked(values)


def switched(store: Store, **settings: Any) -> Store:
    """The store with these settings and the next revision; itself when it stands so already."""
    if all(getattr(store, name) == value for name, value in settings.items()):
        return store
    return checked(store.model_dump() | settings | {"revision": store.revision + 1})


def _assign(values: dict[str, Any], name: str, value: str) -> None:
    group, _, inner = name.partition(".")
    if name in PLAIN:
        values[name] = value or None
    elif group in MAPS and inner:
        _put(values[MAPS[group]], inner.lower() if group == "carrier" else inner, value)
    elif group == "branding" and inner in BRANDING:
        values["branding"][inner] = BRANDING[inner](value) if value else None
    else:
        raise InputError(f"{name}: no such setting; there are {known_settings()}")


def _put(entries: dict[str, str], name: str, value: str) -> None:
    if value:
        entries[name] = value
    else:
        entries.pop(name, None)


def checked(values: Mapping[str, Any]) -> Store:
    """The record, checked; raises InputError with field and reason, never the value."""
    check_zone(values.get("time_zone"))
    try:
        return Store.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
        told = told.replace("'UNRECOGNISED', ", "").replace("Value error, ", "")
        raise InputError(told) from error


def check_zone(name: object) -> None:
    """Raise InputError for a time zone that this machine does not know."""
    try:
        ZoneInfo(str(name or "UTC"))
    except (LookupError, ValueError, OSError) as error:
        raise InputError(
            "time_zone: no such zone; want an IANA name such as Asia/Shanghai"
        ) from error


def carriers(entries: Iterable[str]) -> dict[str, str]:
    """`fedex=FEDEX` … as a carrier map."""
    found: dict[str, str] = {}
    for entry in entries:
        ours, equals, theirs = entry.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise InputError(f"--carrier {entry!r}: want ours=theirs, e.g. fedex=FEDEX")
        found[ours.strip().lower()] = theirs.strip()
    return found


def store_id_of(site: str, seller_id: str) -> str:
    """Derived from the seller's identity, so that connecting again is a reconnect."""
    return f"{site}-{seller_id}"


def connected(
    site: str,
    seller_id: str,
    name: str | None,
    now: datetime,
    former: Store | None = None,
    *,
    live: bool = False,
) -> Store:
    """The store as connecting it leaves it: a new one in dry run, or the former with new tokens.

    Without a name a new store is called by its id, and a former one as before. The name of a new store
    is the issuer's on its proofs, too.
    """
    mode = {"mode": "live"} if live else {}
    if former is None:
        return checked(
            {
                "store_id": store_id_of(site, seller_id),
                "site": site,
                "seller_id": seller_id,
                "name": name or store_id_of(site, seller_id),
                "revision": 1,
                "connected_at": now,
                "ship_from": now,
                "branding": {"name": name},
                **mode,
            }
        )
    again = {
        "name": name or former.name,
        "revision": former.revision + 1,
        "token_generation": former.token_generation + 1,
        "disconnected": False,
        **mode,
    }
    return checked(former.model_dump() | again)
