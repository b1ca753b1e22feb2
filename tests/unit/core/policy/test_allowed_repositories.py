"""`sourceRepos`: what Argo CD's own tables say, and that no spelling of a denied repository is admitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.policy.allowed_repositories import allows

GITHUB = "https://github.com/argoproj/test.git"


@pytest.mark.parametrize(
    ("rules", "url", "admitted"),
    [
        # Argo CD 3.5, types_test: IsSourcePermitted and IsNegatedSourcePermitted.
        (["*"], GITHUB, True),
        ([GITHUB], GITHUB, True),
        (["ssh://git@GITHUB.com:argoproj/test"], "ssh://git@github.com:argoproj/test", True),
        (["https://github.com/argoproj/*"], "https://github.com/argoproj/argoproj.git", True),
        (["https://github.com/test1/test.git", "https://github.com/test2/test.git"], GITHUB, False),
        (["https://github.com/argoproj/test1.git"], "https://github.com/argoproj/test2.git", False),
        (["https://github.com/argoproj/*.git"], "https://github.com/argoproj1/test2.git", False),
        (["https://github.com/argoproj/foo"], "https://github.com/argoproj/foo1", False),
        (["https://gitlab.com/group/*"], "https://gitlab.com/group/repo/owner", False),
        (["https://gitlab.com/group/*/*"], "https://gitlab.com/group/repo/owner", True),
        (["https://gitlab.com/group/*/*/*"], "https://gitlab.com/group/sub-group/repo/owner", True),
        (["https://gitlab.com/group/**"], "https://gitlab.com/group/sub-group/repo/owner", True),
        (["!" + GITHUB], GITHUB, False),
        (["!ssh://git@GITHUB.com:argoproj/test"], "ssh://git@github.com:argoproj/test", False),
        (["!https://github.com/argoproj/*"], "https://github.com/argoproj/argoproj.git", False),
        (["!https://github.com/argoproj/foo*"], "https://github.com/argoproj/foo1", False),
        (["!https://gitlab.com/group/**"], "https://gitlab.com/group/sub-group/repo/owner", False),
        (["https://github.com/argoproj/test1.git", "*"], "https://github.com/argoproj/test2.git", True),
        (["!https://github.com/argoproj/*.git", "*"], "https://github.com/argoproj1/test2.git", True),
        # Its form: case, `.git`, scp and ssh are one; scheme and port are not.
        (["https://GITHUB.com/ArgoProj/*"], "https://github.com/argoproj/test", True),
        (["git@github.com:argoproj/*"], "ssh://git@github.com/argoproj/test.git", True),
        (["git@github.com:argoproj/*"], "ssh://git@github.com:22/argoproj/test.git", True),
        (["ssh://git@github.com/argoproj/test"], "git@github.com:argoproj/test", True),
        (["https://git.example.com/team/app.git"], "https://git.example.com:443/team/app/", True),
        (["https://git.example.com/team/app.git"], "https://git.example.com:8443/team/app.git", False),
        (["https://git.example.com/team/app.git"], "http://git.example.com/team/app.git", False),
        (["https://git.example.com/team/app.git"], "git@git.example.com:team/app.git", False),
        (["https://git.example.com:8443/team/*"], "https://git.example.com:8443/team/app.git", True),
        (["http://git.example.com/*/*"], "https://git.example.com/team/app", False),
        (["git@github.com:argoproj/*"], "alice@github.com:argoproj/test", False),
        (["https://dev.azure.com/org/my%20project/_git/*"], "https://dev.azure.com/org/my%20project/_git/app", True),
        (["file:///srv/git/*"], "file:///srv/git/app.git", True),
        (["file:///srv/git/*"], "file:///srv/other/app.git", False),
        # A star between others, and `**` within a name.
        (["https://git**"], GITHUB, True),
        (["https://{github,gitlab}.com/argo*/t?st"], GITHUB, True),
        (["*", "!https://github.com/argo**"], GITHUB, False),
        (["*", "!**/argoproj/**"], "git@github.com:argoproj/test", False),
        (["*", "!https://*:8443/**"], "https://git.example.com:8443/team/app", False),
        (["*", "!https://*:*/**"], "https://git.example.com:443/team/app", False),
        # To deny one scheme is to demand the other.
        (["*", "!http://git.example.com/**"], "https://git.example.com/team/app", True),
        # Nobody knows which repository this is.
        (["https://github.com/argoproj/**"], "https://github.com/argoproj/../secret/app", False),
        (["https://github.com/argoproj/**"], "https://github.com/argoproj/%2e%2e/secret/app", False),
        (["*", "!https://github.com/secret/*"], "https://github.com/argoproj/../secret/app", False),
        (["https://github.com/argoproj/**"], "https://evil.test#@github.com/argoproj/app", False),
        (["*", "!https://github.com/secret/*"], "https://github.com?@evil.test/secret/app", False),
        (["*", "!https://github.com/secret/*"], "https://git\u00adhub.com/secret/app", False),
        ([], GITHUB, False),
    ],
)
def test_rules_admit_what_argocds_code_admits(rules, url, admitted):
    assert allows(rules, url) is admitted


def _case(draw: st.DrawFn, text: str) -> str:
    return "".join(draw(st.sampled_from([char, char.upper(), char.lower()])) for char in text)


def _escaped(draw: st.DrawFn, text: str) -> str:
    return "".join(f"%{ord(char):02x}" if draw(st.integers(0, 5)) == 0 else char for char in text)


@st.composite
def spellings(draw: st.DrawFn, host: str, path: str, *, ssh: bool) -> str:
    """One way to write the repository that any Git server would take for it."""
    dot = draw(st.sampled_from(["", "."]))
    place = _case(draw, host) + dot
    slashes = draw(st.sampled_from(["/", "//", "/./"]))
    ways = _escaped(draw, _case(draw, path)).replace("/", slashes)
    ways += draw(st.sampled_from(["", "/", ".git", ".git/", ".GIT"]))
    login = draw(st.sampled_from(["git@", "Git@", "alice@"] if ssh else ["", "user@", "user:secret@"]))
    if ssh and draw(st.booleans()):
        return f"{login}{place}:{draw(st.sampled_from(['', '/']))}{ways}"
    scheme = _case(draw, "ssh" if ssh else "https")
    port = draw(st.sampled_from(["", ":22", ":0022"] if ssh else ["", ":443", ":00443"]))
    tail = draw(st.sampled_from(["", "?a=b", "#a"])) if not ssh else ""
    return f"{scheme}://{login}{place}{port}/{ways}{tail}"


@pytest.mark.parametrize("ssh", [False, True])
@pytest.mark.parametrize("ending", ["secret-org/*", "secret-org/repo", "secret**", "Secret-Org/{repo,x}.git"])
@given(data=st.data())
def test_no_spelling_of_a_denied_repository_is_admitted(ssh, ending, data):
    url = data.draw(spellings("github.com", "secret-org/repo", ssh=ssh))
    base = data.draw(
        st.sampled_from(
            ["git@github.com:", "ssh://git@GitHub.com/", "ssh://git@github.com:22/", "ssh://github.com./"]
            if ssh
            else ["https://GitHub.com/", "https://github.com:443/", "HTTPS://github.com./", "https://u@github.com/"]
        )
    )

    assert not allows(["*", f"!{base}{ending}"], url)


@pytest.mark.parametrize("ssh", [False, True])
@given(data=st.data())
def test_a_spelling_of_another_repository_is_not_denied(ssh, data):
    url = data.draw(spellings("github.com", "open-org/repo", ssh=ssh))

    assert allows(["*", "!https://github.com/secret-org/*", "!git@github.com:secret-org/*"], url)


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("https://10.0.0.1/**", "https://0x0a.1/team/app"),
        ("https://10.0.0.1/**", "https://167772161/team/app"),
        ("https://10.0.0.1/**", "https://[::ffff:10.0.0.1]/team/app"),
        ("https://[2001:db8::1]/**", "https://[2001:DB8:0:0::1]/team/app"),
        ("git@github.com:secret/*", "ssh://git@ssh.github.com:443/secret/app"),
        ("git@github.com:secret/*", "ssh://git@github.com/~/secret/app"),
        ("git@github.com:secret/*", "ssh://alice@github.com/~alice/secret/app"),
        ("https://github.com/secret/app", "https://github.com/secret/app.git.git"),
        ("https://github.com/secret/app", "https://github.com/secret/app/.git"),
    ],
)
def test_no_other_way_to_the_same_host_or_folder_is_admitted(rule, url):
    assert not allows(["*", f"!{rule}"], url)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_rule_and_its_denial_never_admit_anything(rule, url):
    plain = rule.replace("{", "").removeprefix("!")

    assert not allows([plain, f"!{plain}"], url)
