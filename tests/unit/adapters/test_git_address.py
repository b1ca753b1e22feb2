"""Repository URLs: what is read, what is refused, and which hosts are out of bounds."""

from __future__ import annotations

import socket

import pytest
from git.cmd import Git as GitPython
from git.exc import UnsafeProtocolError
from hypothesis import example, given, reject
from hypothesis import strategies as st

from gitops_workers.adapters.git.address import HostGuard, parse_address, rewrite
from gitops_workers.adapters.git.listing import parse_listing, valid_ref
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.core.errors import SourceUnavailable, UnsafeContent

ALL = ("https", "http", "ssh", "file")
STRICT = GitSettings()


@pytest.mark.parametrize(
    ("url", "scheme", "user", "host", "port", "shown"),
    [
        ("https://git.test/a/b.git", "https", "", "git.test", 443, "https://git.test/a/b.git"),
        ("https://git.test:8443/a", "https", "", "git.test", 8443, "https://git.test:8443/a"),
        ("https://bot:secret@git.test/a", "https", "", "git.test", 443, "https://git.test/a"),
        ("https://dev.azure.com/o/p%20x/_git/r", "https", "", "dev.azure.com", 443, None),
        ("https://[2001:db8::1]:444/a", "https", "", "2001:db8::1", 444, None),
        ("ssh://git@git.test/a", "ssh", "git", "git.test", 22, None),
        ("ssh://git.test:2222/a", "ssh", "git", "git.test", 2222, "ssh://git@git.test:2222/a"),
        ("ssh://git.test/~me/a", "ssh", "git", "git.test", 22, "ssh://git@git.test/~me/a"),
        ("git@git.test:team/a.git", "ssh", "git", "git.test", 22, "git@git.test:team/a.git"),
        ("file:///srv/a.git", "file", "", "", 0, None),
    ],
)
def test_the_usual_spellings(url: str, scheme: str, user: str, host: str, port: int, shown: str | None) -> None:
    address = parse_address(url, ALL)
    assert (address.scheme, address.user, address.host, address.port) == (scheme, user, host, port)
    assert address.url == (shown or url)
    assert "secret" not in repr(address)


def test_userinfo_of_a_url_becomes_a_credential_decoded() -> None:
    assert parse_address("https://bot:p%40ss@git.test/a", ALL).userinfo == ("bot", "p@ss")


@given(st.from_regex(r"[A-Za-z0-9+.-]{0,8}(::|:|://)[A-Za-z0-9 :/@.-]{0,12}", fullmatch=True))
@example("ext::sh -c id")
@example("ext://host/path")
@example("::host/path")
def test_what_gitpython_calls_an_unsafe_transport_is_refused_whatever_schemes_are_allowed(url: str) -> None:
    try:
        GitPython.check_unsafe_protocols(url)
    except UnsafeProtocolError:
        with pytest.raises(UnsafeContent, match="transport helpers"):
            parse_address(url, (*ALL, "ext", url.partition(":")[0]))
    else:
        reject()  # what GitPython lets pass says nothing here


@pytest.mark.parametrize("sign", ["#", "?", "#token:x", "?a=b:x"])
def test_a_host_in_front_of_another_one_is_refused(sign: str) -> None:
    # A look-up by `urlsplit` would choose the credential of github.test, and git would send it to thief.test.
    with pytest.raises(UnsafeContent, match="the host is not a name or address"):
        parse_address(f"https://github.test{sign}@thief.test/a", ALL)


def test_a_scheme_out_of_the_list_names_the_setting() -> None:
    with pytest.raises(UnsafeContent, match=r"'http' is not allowed; use https or ssh.*GITOPS_GIT_SCHEMES"):
        parse_address("http://git.test/a", STRICT.schemes)


def test_the_longest_mirror_prefix_wins() -> None:
    mirrors = (("https://github.com/", "https://m.test/gh/"), ("https://github.com/org/", "https://m.test/org/"))
    assert rewrite("https://github.com/org/app", mirrors) == ("https://m.test/org/app", True)
    assert rewrite("https://github.com/other/app", mirrors) == ("https://m.test/gh/other/app", True)
    assert rewrite("https://gitlab.com/org/app", mirrors) == ("https://gitlab.com/org/app", False)


@pytest.mark.parametrize(
    ("prefix", "target", "url", "rewritten"),
    [
        ("https://github.com", "https://m.test", "https://github.com/a/b", "https://m.test/a/b"),
        ("https://github.com", "https://m.test", "https://github.com.thief.test/a", None),
        ("https://github.com", "https://m.test", "https://github.com@169.254.169.254/a", None),
        (
            "https://github.com/",
            "https://m.test",
            "https://github.com/@169.254.169.254/a",
            "https://m.test/@169.254.169.254/a",
        ),
        ("https://github.com/org", "https://m.test/org", "https://github.com/org-of-others/a", None),
        (
            "https://github.com/org/app",
            "https://m.test/app",
            "https://github.com/org/app.git",
            "https://m.test/app.git",
        ),
        ("git@github.com:", "git@m.test:", "git@github.com:org/app", "git@m.test:org/app"),
    ],
)
def test_nobody_chooses_the_host_of_a_mirror(prefix: str, target: str, url: str, rewritten: str | None) -> None:
    assert rewrite(url, ((prefix, target),)) == (rewritten or url, rewritten is not None)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.8.8.8", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost"),
        *("169.254.169.254", "[::1]", "[::]", "[fe80::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]"),
        *("[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "224.0.0.1"),
    ],
)
@pytest.mark.parametrize("scheme", ["https", "ssh"])
def test_ourselves_and_metadata_services_are_refused(scheme: str, host: str) -> None:
    address = parse_address(f"{scheme}://{host}/a", ALL)
    with pytest.raises(UnsafeContent, match="GITOPS_GIT_PRIVATE_HOSTS"):
        HostGuard(STRICT, proxied=False).check(address)


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.1.1", "172.16.0.1", "8.8.8.8", "[fd12::1]", "[64:ff9b::808:808]"]
)
def test_a_companys_own_network_is_allowed_and_pinned(host: str) -> None:
    assert HostGuard(STRICT, proxied=False).check(parse_address(f"https://{host}/a", ALL)) == (host.strip("[]"),)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (GitSettings(private_hosts=frozenset({"localhost"})), "https://localhost/a"),
        (GitSettings(allow_private=True), "https://127.0.0.1/a"),
        (GitSettings(schemes=frozenset({"https", "http"})), "https://127.0.0.1/a"),
    ],
)
def test_an_operator_can_allow_a_host(settings: GitSettings, url: str) -> None:
    assert HostGuard(settings, proxied=False).check(parse_address(url, ALL)) == ()


def test_a_name_that_resolves_to_loopback_is_refused_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(UnsafeContent, match=r"rebind\.test is 127\.0\.0\.1"):
        HostGuard(STRICT, proxied=False).check(parse_address("https://rebind.test/a", ALL))


def test_a_name_without_an_address_is_tried_again_later() -> None:
    with pytest.raises(SourceUnavailable, match="has no address"):
        HostGuard(STRICT, proxied=False).check(parse_address("https://none.invalid/a", ALL))


def test_behind_a_proxy_only_literal_addresses_are_judged() -> None:
    guard = HostGuard(STRICT, proxied=True)
    assert guard.check(parse_address("https://none.invalid/a", ALL)) == ()
    for host in ("localhost", "127.0.0.1", "x.localhost"):
        with pytest.raises(UnsafeContent):
            guard.check(parse_address(f"https://{host}/a", ALL))


def test_a_listing_is_read_with_its_default_branch_and_peeled_tags() -> None:
    one, two, three = ("1" * 40, "2" * 40, "3" * 40)
    lines = ["ref: refs/heads/main\tHEAD", f"{one}\tHEAD", f"{one}\trefs/heads/main"]
    lines += [f"{two}\trefs/tags/v1", f"{three}\trefs/tags/v1^{{}}", ""]
    refs = parse_listing("\n".join(lines).encode(), 5.0)
    assert refs.refs == {"HEAD": one, "refs/heads/main": one, "refs/tags/v1": three}
    assert (refs.head, refs.listed_at) == ("refs/heads/main", 5.0)


@pytest.mark.parametrize(
    "output",
    [
        b"<html>sign in</html>\n",
        b"1234\trefs/heads/main\n",
        b"1" * 40 + b" refs/heads/main\n",
        b"1" * 40 + b"\tnonsense\n",
        b"1" * 40 + b"\trefs/heads/a..b\n",
        b"1" * 40 + b"\trefs/heads/x.lock\n",
        b"1" * 20,
        b"\xff\xfe\n",
    ],
)
def test_an_answer_that_is_no_listing_is_unknown_and_never_empty(output: bytes) -> None:
    with pytest.raises(SourceUnavailable, match="not one"):
        parse_listing(output, 0)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("refs/heads/main", True),
        ("refs/heads/a/b-c_d.e", True),
        ("refs/heads/caf\u00e9", True),
        ("HEAD", True),
        ("main", False),
        ("refs/heads/a b", False),
        ("refs/heads/a~1", False),
        ("refs/heads/.a", False),
        ("refs/heads/a/", False),
        ("refs/heads/a@{1}", False),
        ("refs/heads/a\n", False),
        ("refs/heads/a*", False),
    ],
)
def test_ref_names_follow_gits_grammar(name: str, valid: bool) -> None:
    assert valid_ref(name) is valid
