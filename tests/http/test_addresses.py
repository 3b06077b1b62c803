"""Web addresses have one spelling, and none of them leads into a private network."""

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe._http.addresses import address, check_url, is_public, normal_url, redirected, shown
from docpipe.errors import Refused


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a/../b/./c", "https://example.com/b/c"),
        ("http://example.com:8080/a/..", "http://example.com:8080/"),
        ("https://example.com./x#part", "https://example.com/x"),
        ("https://bücher.de/ä b".replace(" ", "%20"), "https://xn--bcher-kva.de/%C3%A4%20b"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://例え.テスト。jp/", "https://xn--r8jz45g.xn--zckzah.jp/"),
        ("https://example.com/%7e%41?q=%2f%2F&x=a[]", "https://example.com/~A?q=%2F%2F&x=a%5B%5D"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/%2e%2e/%2e/x", "https://example.com/x"),
        ("https://[2606:4700:0:0::1111]:443/", "https://[2606:4700::1111]/"),
        ("http://0x08080808/", "http://8.8.8.8/"),
        ("http://8.8.2056/", "http://8.8.8.8/"),
        ("  https://example.com/\n", "https://example.com/"),
    ],
)
def test_an_address_has_one_spelling(url: str, normal: str) -> None:
    assert normal_url(url) == normal
    assert normal_url(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://0177.0.0.1/", "http://2130706433/",
        "http://0x7f000001/", "http://１２７。0.0.1/", "http://0/", "http://10.1.2.3/", "http://172.31.255.255/",
        "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/",
        "http://168.63.129.16/", "http://224.0.0.1/", "http://255.255.255.255/", "http://198.18.0.1/",
        "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/",
        "http://[fe80::1]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[fec0::1]/",
        "http://[2002:7f00:1::]/", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[64:ff9b::10.0.0.1]/",
        "http://[64:ff9b:1::1]/", "http://[2001:db8::1]/", "http://[2606:4700::5efe:10.0.0.1]/",
        "http://localhost/", "http://LOCALHOST./", "http://db.internal/", "http://printer.local/", "http://intranet/",
        "http://metadata.google.internal/", "http://router.home.arpa/",
    ],
)  # fmt: skip
def test_private_addresses_are_not_given_away(url: str) -> None:
    with pytest.raises(Refused, match="private") as caught:
        check_url(url)
    assert caught.value.code == "address"
    assert "open internet" in caught.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "", "/etc/passwd", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)",
        "data:text/html,x", "http://", "http:///x", "http://user@example.com/", "http://user:word@example.com/",
        "http://example.com@evil.com/", "http://exam ple.com/", "http://example.com\\@evil.com/", "http://exa\nmple.com/",
        "http://example.com:0/", "http://example.com:99999/", "http://example.com:x/", "http://[::1]evil.com/",
        "http://[fe80::1%25eth0]/", "http://[::1", "http://[1.2.3.4]/", "http://256.1.1.1/", "http://1.2.3.4.5/",
        "http://08.1.1.1/", "http://0xzz/", "http://1.2.3.0x/x/../..", "http://a..b/", "http://-a.com/", "http://a%2eb/",
        "http://" + "a" * 64 + ".com/", "http://example.com/" + "x" * 9000, "http://example.com:22/",
        "http://example.com/\udc80", "http://xn--a.com\u200b/", "http://ex\u00adample\u2024com:25/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    if url == "http://1.2.3.0x/x/../..":
        assert check_url(url).host == "1.2.3.0"  # an empty hexadecimal number is nothing, as browsers read it
        return
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.example.com:8443/a?b=c",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "http://[64:ff9b::8.8.8.8]/",
    ],
)
def test_public_addresses_pass(url: str) -> None:
    assert check_url(url).host


@given(number=st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_as_public_in_every_form(number: int) -> None:
    plain = ip_address(number)
    for form in (f"::ffff:{plain}", f"64:ff9b::{plain}"):
        assert is_public(ip_address(form)) == is_public(plain)
    assert is_public(plain) <= (plain.is_global and not plain.is_multicast)
    for spelling in (str(number), hex(number), oct(number).replace("0o", "0"), str(plain)):
        assert address(f"http://{spelling}/").host == str(plain)


@given(number=st.integers(0, 2**128 - 1))
def test_no_ipv6_address_is_public_that_python_calls_private(number: int) -> None:
    ip = IPv6Address(number)
    assert not is_public(ip) or ip.is_global or ip.ipv4_mapped


@given(text=st.text(alphabet="ab%.2eF/?=&#:@[]0x1ä", max_size=40))
def test_reading_twice_changes_nothing(text: str) -> None:
    try:
        once = address(f"http://{text}")
    except Refused:
        return
    assert address(once.url) == once


def test_a_redirect_is_read_like_any_address() -> None:
    base = address("https://example.com/a/b")
    assert redirected(base, "../c?d#e").url == "https://example.com/c?d"
    assert redirected(base, "//other.example/").url == "https://other.example/"
    for location in ("file:///etc/passwd", "http://[", "javascript:1"):
        with pytest.raises(Refused):
            redirected(base, location)


def test_messages_show_neither_users_nor_queries() -> None:
    assert shown("https://me:secret@example.com/a?token=secret#secret") == "'https://example.com/a'"
    with pytest.raises(Refused) as caught:
        check_url("https://me:secret@example.com/a?token=secret")
    assert "secret" not in str(caught.value)
