"""Which web addresses are followed."""

import pytest

from waybill.pictures.links import Link, is_host, link_of, next_link
from waybill.pictures.reasons import PictureError, Reason

HOSTS = ("alicdn.com", "pictures.example.org")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://s.alicdn.com/kf/a.jpg", Link("s.alicdn.com", "/kf/a.jpg")),
        ("//sc04.alicdn.com/kf/a.jpg?x=1&y=2#z", Link("sc04.alicdn.com", "/kf/a.jpg?x=1&y=2")),
        ("HTTPS://ALICDN.com:443", Link("alicdn.com", "/")),
        ("https://pictures.example.org//a/../b%20c", Link("pictures.example.org", "//a/../b%20c")),
    ],
)
def test_https_pages_of_allowed_hosts_are_followed(url: str, link: Link) -> None:
    assert link == link_of(url, HOSTS)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://s.alicdn.com/a.jpg", Reason.BAD_URL),
        ("ftp://s.alicdn.com/a.jpg", Reason.BAD_URL),
        ("data:image/png;base64,AAAA", Reason.BAD_URL),
        ("/kf/a.jpg", Reason.BAD_URL),
        ("", Reason.BAD_URL),
        ("https://", Reason.BAD_URL),
        ("https://s.alicdn.com:8443/", Reason.BAD_URL),
        ("https://s.alicdn.com:99999/", Reason.BAD_URL),
        ("https://user:word@s.alicdn.com/", Reason.BAD_URL),
        ("https://evil.example\\@s.alicdn.com/", Reason.BAD_URL),
        ("https://evil.example#@s.alicdn.com/", Reason.HOST_NOT_ALLOWED),
        ("https://s.alicdn.com/a b", Reason.BAD_URL),
        ("https://s.alicdn.com/a\n", Reason.BAD_URL),
        ("https://s.alicdn.com/图", Reason.BAD_URL),
        ("https://ѕ.alicdn.com/", Reason.BAD_URL),
        ("https://127.0.0.1/", Reason.BAD_URL),
        ("https://[::1]/", Reason.BAD_URL),
        ("https://[::1/", Reason.BAD_URL),
        ("https://2130706433/", Reason.BAD_URL),
        ("https://s.alicdn.com./", Reason.BAD_URL),
        ("https://-.alicdn.com/", Reason.BAD_URL),
        ("https://evilalicdn.com/", Reason.HOST_NOT_ALLOWED),
        ("https://alicdn.com.evil.example/", Reason.HOST_NOT_ALLOWED),
        ("https://example.org/", Reason.HOST_NOT_ALLOWED),
        ("https://s.alicdn.com/" + "a" * 2_000, Reason.BAD_URL),
    ],
)
def test_others_are_not(url: str, reason: Reason) -> None:
    with pytest.raises(PictureError) as refused:
        link_of(url, HOSTS)

    assert reason is refused.value.reason


def test_a_refusal_names_the_host_and_nothing_more() -> None:
    with pytest.raises(PictureError) as refused:
        link_of("https://evil.example/secret?token=secret", HOSTS)

    assert refused.value.host == "evil.example"
    assert "secret" not in str(refused.value)


def test_a_redirect_may_be_relative() -> None:
    link = Link("s.alicdn.com", "/kf/a.jpg?x=1")

    assert next_link(link, "b.jpg", HOSTS) == Link("s.alicdn.com", "/kf/b.jpg")
    assert next_link(link, "", HOSTS) == link


def test_hosts_of_a_setting_are_names() -> None:
    good = ("alicdn.com", "a.b.c.example.org", "x1-y.io")
    bad = ("", "com", "127.0.0.1", "a..b", "*.alicdn.com", "Alicdn.com", "alicdn.com/", "[::1]")

    assert [is_host(name) for name in good] == [True] * 3
    assert [is_host(name) for name in bad] == [False] * 8
