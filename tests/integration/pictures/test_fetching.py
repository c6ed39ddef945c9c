"""Pictures from real HTTPS servers, the good and the bad."""

import asyncio
import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from ssl import SSLSocket
from time import monotonic

import pytest
from PIL import Image

from tests.integration.pictures.picture_host import (
    NAME,
    Answer,
    Authority,
    PictureHost,
    moved,
    picture,
    whole,
)
from waybill.pictures.addresses import is_public
from waybill.pictures.download import BYTES_MAX
from waybill.pictures.fetching import Fetched, Limits, Missing, fetch_pictures
from waybill.pictures.network import Network
from waybill.pictures.reasons import Reason

HOSTS = ("alicdn.com",)
SOON = Limits(total_s=3.0, each_s=1.0)
LOOPBACK = "127.0.0.1"
NOBODY = "127.0.0.9"
"""Nothing listens there."""


class Lookups:
    """A resolver that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def loopback(address: str) -> bool:
    """What is not public stays refused, but for the addresses of the test."""
    return address in {LOOPBACK, NOBODY} or is_public(address)


@pytest.fixture
def fetch(host: PictureHost, authority: Authority) -> Callable[..., Fetched]:
    def one(
        path: str = "/a.jpg",
        answer: Answer | None = None,
        *,
        lookups: Lookups | None = None,
        name: str = NAME,
        limits: Limits = SOON,
    ) -> Fetched:
        if answer is not None:
            host.answers[path] = answer
        resolve = lookups or Lookups([LOOPBACK])
        network = Network(resolve, loopback, authority.client, host.port)
        url = f"https://{name}{path}"
        return fetch_pictures([url], HOSTS, network=network, limits=limits)[url]

    return one


Fetch = Callable[..., Fetched]


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp; x=1"),
        ("JPEG", "image/jpg"),
    ],
)
def test_a_picture_comes_small_and_grey(fetch: Fetch, form: str, media_type: str) -> None:
    found = fetch("/a.jpg?x=1", whole(picture(900, form), media_type))

    assert isinstance(found, bytes)
    with Image.open(BytesIO(found)) as small:
        assert (small.format, small.mode, small.size) == ("PNG", "L", (240, 240))


def test_the_request_says_no_more_than_it_must(
    fetch: Fetch, host: PictureHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    cookie = whole(
        picture(), "image/png", "200 OK", f"Content-Length: {len(picture())}", "Set-Cookie: a=b"
    )

    assert isinstance(fetch("/1?q=1", cookie), bytes)
    assert isinstance(fetch("/2", cookie), bytes)

    first, second = ([*head.strip().split("\r\n")] for head in host.requests)
    names = {line.split(":")[0] for line in second[1:]}
    assert first[0] == "GET /1?q=1 HTTP/1.1"
    assert f"Host: {NAME}" in first
    assert names <= {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.2",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "::ffff:8.8.8.8",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_a_host_that_leads_inside_is_never_reached(
    fetch: Fetch, host: PictureHost, address: str
) -> None:
    for answer in ([address], [LOOPBACK, address]):
        found = fetch("/a.jpg", whole(picture()), lookups=Lookups(answer))

        assert found == Missing(Reason.ADDRESS_NOT_PUBLIC, NAME)
    assert host.requests == []


def test_a_resolver_that_changes_its_mind_is_asked_once(fetch: Fetch, host: PictureHost) -> None:
    lookups = Lookups([LOOPBACK], ["169.254.169.254"])

    assert isinstance(fetch("/a.jpg", whole(picture()), lookups=lookups), bytes)

    assert lookups.asked == [NAME]
    assert len(host.requests) == 1


def test_a_resolver_that_changes_its_mind_before_a_redirect_is_caught(
    fetch: Fetch, host: PictureHost
) -> None:
    lookups = Lookups([LOOPBACK], ["169.254.169.254"])

    found = fetch("/a.jpg", moved(f"https://{NAME}/b.jpg"), lookups=lookups)

    assert found == Missing(Reason.ADDRESS_NOT_PUBLIC, NAME)
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://127.0.0.1/latest", Reason.BAD_URL),
        ("https://169.254.169.254/latest/meta-data", Reason.BAD_URL),
        ("http://s.alicdn.com/b.jpg", Reason.BAD_URL),
        ("https://s.alicdn.com:8443/b.jpg", Reason.BAD_URL),
        ("https://user@s.alicdn.com/b.jpg", Reason.BAD_URL),
        ("file:///etc/passwd", Reason.BAD_URL),
        ("//evil.example/b.jpg", Reason.HOST_NOT_ALLOWED),
        ("https://localhost/b.jpg", Reason.BAD_URL),
        ("https://[::1]/b.jpg", Reason.BAD_URL),
        ("https://[::1", Reason.BAD_URL),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(
    fetch: Fetch, host: PictureHost, location: str, reason: Reason
) -> None:
    found = fetch("/a.jpg", moved(location))

    assert isinstance(found, Missing)
    assert found.reason is reason
    assert len(host.requests) == 1


def test_redirects_are_followed_a_few_times(fetch: Fetch, host: PictureHost) -> None:
    host.answers |= {"/1": moved("/2"), "/2": moved("//s.alicdn.com/3"), "/3": whole(picture())}

    assert isinstance(fetch("/1"), bytes)
    assert fetch("/a", moved("/a")) == Missing(Reason.TOO_MANY_REDIRECTS, NAME)
    assert len(host.requests) == 3 + 4


def _drip(host: PictureHost) -> Answer:
    def drip(connection: SSLSocket) -> None:
        whole(picture()[:20], "image/png", "200 OK", "Content-Length: 2000")(connection)
        while not host.stopping.wait(0.05):
            connection.sendall(b"x")

    return drip


def _drip_head(host: PictureHost) -> Answer:
    def drip(connection: SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not host.stopping.wait(0.05):
            connection.sendall(b"x")

    return drip


@pytest.mark.parametrize("answer", [_drip, _drip_head])
def test_a_server_that_drips_is_given_up_in_time(
    fetch: Fetch, host: PictureHost, answer: Callable[[PictureHost], Answer]
) -> None:
    started_s = monotonic()

    assert fetch("/a.jpg", answer(host)) == Missing(Reason.TOO_SLOW, NAME)
    assert monotonic() - started_s < SOON.total_s


def test_a_resolver_that_hangs_is_given_up_in_time(fetch: Fetch, host: PictureHost) -> None:
    class Hanging(Lookups):
        async def __call__(self, host_name: str) -> Sequence[str]:
            await asyncio.sleep(60)
            return await super().__call__(host_name)

    assert fetch(lookups=Hanging([LOOPBACK])) == Missing(Reason.TOO_SLOW, NAME)


def test_a_body_without_end_is_cut_off(fetch: Fetch, host: PictureHost) -> None:
    sent = 0

    def endless(connection: SSLSocket) -> None:
        nonlocal sent
        whole(picture(), "image/png", "200 OK", "Connection: close")(connection)
        while not host.stopping.is_set():
            connection.sendall(bytes(65_536))
            sent += 65_536

    assert fetch("/a.jpg", endless, limits=Limits(each_s=20)) == Missing(Reason.TOO_LARGE, NAME)
    assert sent < 16 * BYTES_MAX  # what the buffers in between take


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (str(BYTES_MAX + 1), Reason.TOO_LARGE),
        ("9" * 19, Reason.TOO_LARGE),
        ("9" * 5_000, Reason.UNREACHABLE),  # not even HTTP
        ("-1", Reason.UNREACHABLE),
        ("100", Reason.UNREADABLE),  # there is more: what is counted is a damaged file
        ("100000", Reason.UNREACHABLE),  # there is less: it broke off
    ],
)
def test_a_length_that_is_a_lie_is_no_use(fetch: Fetch, length: str, reason: Reason) -> None:
    answer = whole(picture(500), "image/png", "200 OK", f"Content-Length: {length}")

    assert fetch("/a.jpg", answer) == Missing(reason, NAME)


def _bomb(width: int, height: int) -> bytes:
    """A small PNG file of a huge picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(3_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side_px", [4_001, 10_000, 60_000])
def test_a_small_file_of_a_huge_picture_is_not_decoded(fetch: Fetch, side_px: int) -> None:
    assert fetch("/a.jpg", whole(_bomb(side_px, side_px))) == Missing(Reason.TOO_MANY_PIXELS, NAME)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(b"<html>", "text/html"), Reason.WRONG_TYPE),
        (whole(picture(), "application/octet-stream"), Reason.WRONG_TYPE),
        (whole(picture(form="GIF"), "image/png"), Reason.WRONG_TYPE),
        (whole(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png"), Reason.WRONG_TYPE),
        (whole(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"), Reason.WRONG_TYPE),
        (whole(picture()[:200]), Reason.UNREADABLE),
        (whole(b""), Reason.WRONG_TYPE),
        (whole(picture(), status="404 Not Found"), Reason.NOT_FOUND),
        (whole(picture(), status="206 Partial Content"), Reason.NOT_FOUND),
        (whole(picture(), "image/png", "200 OK", "Content-Encoding: gzip"), Reason.WRONG_TYPE),
        (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), Reason.UNREACHABLE),
        (lambda connection: connection.close(), Reason.UNREACHABLE),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_left_out_with_its_reason(
    fetch: Fetch, answer: Answer, reason: Reason
) -> None:
    assert fetch("/a.jpg", answer) == Missing(reason, NAME)


def test_a_host_has_to_prove_its_own_name(fetch: Fetch, host: PictureHost) -> None:
    found = fetch("/a.jpg", whole(picture()), name="img.alicdn.com")

    assert found == Missing(Reason.TLS_FAILED, "img.alicdn.com")
    assert host.requests == []


def test_a_connection_that_proved_one_name_serves_no_other(
    host: PictureHost, authority: Authority
) -> None:
    host.keep_alive = True
    host.answers |= {"/1": whole(picture()), "/2": whole(picture())}
    good, other = f"https://{NAME}/1", "https://img.alicdn.com/2"
    network = Network(Lookups([LOOPBACK]), loopback, authority.client, host.port)

    found = fetch_pictures([good, other], HOSTS, network=network, limits=Limits(at_once_max=1))

    assert isinstance(found[good], bytes)
    assert found[other] == Missing(Reason.TLS_FAILED, "img.alicdn.com")
    assert len(host.requests) == 1


def test_a_certificate_of_an_unknown_authority_is_refused(host: PictureHost) -> None:
    host.answers["/a.jpg"] = whole(picture())
    url = f"https://{NAME}/a.jpg"
    network = Network(Lookups([LOOPBACK]), loopback, port=host.port)

    assert fetch_pictures([url], HOSTS, network=network)[url] == Missing(Reason.TLS_FAILED, NAME)


def test_the_second_address_is_tried(fetch: Fetch) -> None:
    lookups = Lookups([NOBODY, LOOPBACK])

    assert isinstance(fetch("/a.jpg", whole(picture()), lookups=lookups), bytes)
    assert fetch(lookups=Lookups([NOBODY, NOBODY])) == Missing(Reason.UNREACHABLE, NAME)


def test_production_refuses_loopback_whatever_is_set(
    host: PictureHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def to_loopback(_host: str) -> Sequence[str]:
        return [LOOPBACK]

    url = f"https://{NAME}/a.jpg"
    network = Network(resolve=to_loopback)

    assert fetch_pictures([url], HOSTS, network=network)[url] == Missing(
        Reason.ADDRESS_NOT_PUBLIC, NAME
    )
    assert host.requests == []


def test_a_name_without_address_is_told(fetch: Fetch) -> None:
    class Failing(Lookups):
        async def __call__(self, host_name: str) -> Sequence[str]:
            raise OSError(host_name)

    assert fetch(lookups=Failing([])) == Missing(Reason.UNRESOLVED, NAME)
    assert fetch(lookups=Lookups([])) == Missing(Reason.UNRESOLVED, NAME)


def test_many_pictures_keep_to_the_limits(host: PictureHost, authority: Authority) -> None:
    def slowly(connection: SSLSocket) -> None:
        host.stopping.wait(0.1)
        whole(picture())(connection)

    host.answers |= {f"/{number}": slowly for number in range(12)}
    urls = [f"https://{NAME}/{number}" for number in range(12)]
    network = Network(Lookups([LOOPBACK]), loopback, authority.client, host.port)

    found = fetch_pictures(
        [*urls, *urls], HOSTS, network=network, limits=Limits(pictures_max=9, at_once_max=3)
    )

    assert [isinstance(found[url], bytes) for url in urls] == [True] * 9 + [False] * 3
    assert found[urls[-1]] == Missing(Reason.TOO_MANY_PICTURES, None)
    assert len(host.requests) == 9
    assert host.at_once_max <= 3


def test_the_total_limit_ends_all_that_is_under_way(
    host: PictureHost, authority: Authority
) -> None:
    host.answers |= {f"/{number}": _drip(host) for number in range(9)}
    urls = [f"https://{NAME}/{number}" for number in range(9)]
    network = Network(Lookups([LOOPBACK]), loopback, authority.client, host.port)
    started_s = monotonic()

    found = fetch_pictures(
        urls, HOSTS, network=network, limits=Limits(total_s=1.0, each_s=30, at_once_max=2)
    )

    assert set(found.values()) == {Missing(Reason.TOO_SLOW, NAME)}
    assert monotonic() - started_s < 5
