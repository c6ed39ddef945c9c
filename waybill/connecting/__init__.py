"""Connecting a store: the seller allows the application to act, for a chosen time.

`begin` makes the link to Alibaba's page, `finish` turns what comes back into a connected store. What lies in
between is the caller's: the command line listens on a port of its own, a web page has a route.
"""

from waybill.connecting.flow import (
    Connected,
    ConnectError,
    ForeignReplyError,
    Pending,
    Wish,
    begin,
    finish,
)
from waybill.connecting.length import Authorisation, authorised_until
from waybill.connecting.standing import Standing, standing

__all__ = [
    "Authorisation",
    "ConnectError",
    "Connected",
    "ForeignReplyError",
    "Pending",
    "Standing",
    "Wish",
    "authorised_until",
    "begin",
    "finish",
    "standing",
]
