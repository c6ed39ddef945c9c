"""The sandbox's application and its stores, derived from the seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sandbox.goods import STORE_NAMES
from sandbox.protocol import App


@dataclass(frozen=True, slots=True)
class Seller:
    """One store with the identity Alibaba shows to an application it authorised."""

    number: int
    id: str
    """``seller_id`` of the token answer, and the name of the store in every admin call."""
    store: str
    login_id: str
    email: str
    account_id: str | None
    """Missing for every third store, as Alibaba's documents allow."""
    user_id: str
    eid: str
    """``immutable_eid`` of order payloads."""
    country: str = "cn"
    account_platform: str = "seller_center"


def digits(count: int, *parts: object) -> str:
    """``count`` digits (at most 18) that depend on nothing but ``parts``; the first is never 0."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    low = 10 ** (count - 1)
    return str(low + int.from_bytes(digest[:8], "big") % (9 * low))


def hexadecimal(count: int, *parts: object) -> str:
    """``count`` hex digits (at most 64) that depend on nothing but ``parts``."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:count]


def make_app(seed: int) -> App:
    """The application of a sandbox: six digits and 32 characters, like Alibaba's."""
    return App(key=digits(6, seed, "app"), secret=hexadecimal(32, seed, "secret"))


def make_sellers(seed: int, count: int) -> dict[str, Seller]:
    """The stores of a sandbox by their id, in order of their number."""
    sellers = (_seller(seed, number) for number in range(count))
    return {seller.id: seller for seller in sellers}


def _seller(seed: int, number: int) -> Seller:
    name = STORE_NAMES[number % len(STORE_NAMES)]
    if number >= len(STORE_NAMES):
        name = f"{name} (No. {number + 1})"
    login = f"cn1{digits(9, seed, 'login', number)}"
    return Seller(
        number=number,
        # The number in front keeps ids of one sandbox apart whatever the digits are.
        id=f"2{number:02d}{digits(7, seed, 'seller', number)}",
        store=name,
        login_id=login,
        email=f"sales@{login}.example",
        account_id=None if number % 3 == 2 else digits(12, seed, "account", number),
        user_id=digits(11, seed, "user", number),
        eid=f"MC1{hexadecimal(24, seed, 'eid', number)}",
    )
