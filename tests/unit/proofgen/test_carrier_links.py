"""Only https pages of known carriers become a QR code."""

import pytest

from services.proofgen.carrier_links import CARRIER_HOSTS, carrier_host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.dhl.com/track?id=1", "www.dhl.com"),
        ("https://dhl.com", "dhl.com"),
        ("https://DHL.com:443/x", "dhl.com"),
        ("https://tools.usps.com/go/TrackConfirmAction?tLabels=94", "tools.usps.com"),
        ("https://global.cainiao.com/detail.htm?mailNoList=LP1", "global.cainiao.com"),
    ],
)
def test_a_carriers_page_is_known_by_its_domain(url: str, host: str) -> None:
    assert host == carrier_host(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://www.dhl.com/track",
        "https://dhl.com.evil.example/track",
        "https://evildhl.com/",
        "https://evil.example/?u=https://dhl.com",
        "https://dhl.com@evil.example/",
        "https://user:pass@dhl.com/",
        "https://dhl.com:8443/",
        "https://dhl.com\\@evil.example/",
        "https://dhl.com/with space",
        "https://dhl.com/\nnext",
        "https://dhḷ.com/",
        "https://[::1/",
        "https://dhl.com:99999/",
        "javascript:alert(1)",
        "",
        "com",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    assert carrier_host(url) is None


def test_the_list_holds_domains_only() -> None:
    assert all(host == host.lower() and "." in host and "/" not in host for host in CARRIER_HOSTS)
