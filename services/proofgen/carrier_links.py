"""Which tracking pages may become a QR code: https pages of carriers; a URL in an event is not trusted."""

from urllib.parse import urlsplit

URL_CHARS_MAX = 200
"""Fits into QR version 10 at level M, whose modules still get 4 pixels."""

# fmt: off
CARRIER_HOSTS = frozenset(
    {
        "4px.com", "anpost.com", "aramex.com", "auspost.com.au", "bpost.be", "bring.com",
        "cainiao.com", "canadapost-postescanada.ca", "canadapost.ca", "chronopost.fr",
        "colissimo.fr", "correos.es", "ctt.pt", "deppon.com", "deutschepost.de", "dhl.com",
        "dhl.de", "dpd.co.uk", "dpd.com", "dpd.de", "dpdgroup.com", "ems.com.cn", "ems.post",
        "epost.go.kr", "estafeta.com", "evri.com", "fedex.com", "geodis.com", "gls-group.com",
        "gls-group.eu", "hongkongpost.hk", "indiapost.gov.in", "japanpost.jp",
        "jtexpress.com", "kuronekoyamato.co.jp", "laposte.fr", "ninjavan.co", "nzpost.co.nz",
        "omniva.ee", "ontrac.com", "parcelforce.com", "poczta-polska.pl", "pos.com.my",
        "post.at", "post.ch", "poste.it", "posten.no", "posti.fi", "postnl.nl", "postnl.post",
        "postnord.com", "ptt.gov.tr", "purolator.com", "royalmail.com", "sagawa-exp.co.jp",
        "sf-express.com", "sf-international.com", "singpost.com", "smsaexpress.com",
        "speedpost.com.sg", "sto.cn", "swisspost.ch", "thailandpost.co.th", "tnt.com",
        "ups.com", "usps.com", "vnpost.vn", "yanwen.com", "yodel.co.uk", "yto.net.cn",
        "yundaex.com", "yunexpress.com", "yuntrack.com", "yw56.com.cn", "zto.com",
    }
)
# fmt: on
"""Registered domains of carriers; their subdomains count too."""


def carrier_host(url: str) -> str | None:
    """The host of a carrier's https page; None for any other URL, and for one that could mislead a reader.

    Refused as well: what is too long for a QR code, user names, other ports, characters outside ASCII.
    """
    if (
        len(url) > URL_CHARS_MAX
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or "\\" in url
    ):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme != "https" or "@" in parts.netloc or port not in {None, 443}:
        return None
    labels = host.split(".")
    allowed = any(".".join(labels[start:]) in CARRIER_HOSTS for start in range(len(labels) - 1))
    return host if allowed else None
