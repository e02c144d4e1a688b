"""What a call may reach is what the policy judges, however the permission is written."""

from posixpath import join, normpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caxton_core.agent.policy.primitives import Directory, HostGlob, PathName
from caxton_core.agent.policy.reach import (
    host_of,
    is_below,
    leaves_all_open,
    lies_in,
    may_be,
    may_reach,
)
from caxton_core.primitives.addresses import address_of
from caxton_core.tools.conditions import condition_of

steps = st.sampled_from(
    [
        *(("var", glob) for glob in ("var", "v?r", "[v]ar", "*", "**", "VAR", "[!x]*")),
        *(("etc", glob) for glob in ("etc", "e*", "[e]tc", "?tc", "*", "**")),
        *((name, name) for name in (".", "..", "", "a", "tool")),
        *((name, "*") for name in (".", "..", "", "a")),
    ]
)
calls = st.builds(
    lambda begin, taken, joint: (
        "/".join((*begin, *(name for name, _ in taken))),
        joint.join((*begin, *(glob for _, glob in taken))),
    ),
    st.sampled_from(([""], [""], [])),
    st.lists(steps, min_size=1, max_size=5),
    st.sampled_from(("/", "/", "?", "*")),
)
"""A path, and a permission that may fit it."""
hosts = st.sampled_from(
    ("*", "*.internal", "*.a.internal", "a.internal", "①⑥⑨.254.1.1", "169.254.1.1", "A。internal")
)


@given(calls, st.sampled_from(("/tool", "/tool/var", "/a/b/c")))
@example(("/var/etc/a", "?v*c?a"), "/tool")
def test_no_call_reaches_a_secret_path_that_the_policy_does_not_see(
    call: tuple[str, str], directory: str
) -> None:
    path, glob = call
    led = normpath(join(directory, path)).replace("//", "/", 1)
    if f"{led}/".startswith("/var/etc/") and condition_of(glob).permits(path, {}):
        assert may_reach(glob, PathName("/var/etc"))


@given(calls)
def test_no_call_leaves_a_folder_that_the_policy_takes_for_its_bound(
    call: tuple[str, str],
) -> None:
    path, glob = call
    if lies_in(glob, Directory("/var")) and condition_of(glob).permits(path, {}):
        assert f"{normpath(path)}/".replace("//", "/", 1).startswith("/var/")


@given(hosts, hosts.filter(lambda host: not host.startswith("*")), st.sampled_from(("http", "*")))
def test_no_call_reaches_a_host_that_the_policy_does_not_see(
    glob: str, host: str, scheme: str
) -> None:
    read = address_of(f"http://{host}/x")
    assert read is not None
    written = f"{scheme}://{glob}/**"
    if condition_of(written).permits(f"http://{host}/x", {}):
        listed = HostGlob(read.host if read.host.endswith("internal") else "169.254.*")
        assert may_be(host_of(written), listed)


@pytest.mark.parametrize(
    ("glob", "secret"),
    [
        ("/srv/.env", ".env*"),
        ("/srv/.en[v].local", ".env*"),
        ("/srv/.e*.local", ".env*"),
        ("/srv/*.env.local", ".env*"),
        ("/srv/.*/x", ".ssh"),
        ("/srv/*h/x", ".ssh"),
        ("/srv/.\u017fsh/x", ".ssh"),
        ("/srv/server.pe[m]", "*.pem"),
        ("/srv/?erver.pe[m]", "*.pem"),
        ("docs/.ss[h]", ".ssh"),
        (".ss?", ".ssh"),
        ("docs?.ssh", ".ssh"),
        ("?????x", "/dev"),
        ("/v*/[l]ib/x", "/var/lib"),
        ("/**/lib/x", "/var/lib"),
        ("/var/lib", "/var/lib"),
    ],
)
def test_a_secret_name_is_seen_in_every_spelling(glob: str, secret: str) -> None:
    assert may_reach(glob, PathName(secret))


@pytest.mark.parametrize(
    ("glob", "secret"),
    [
        ("/srv/*.md", ".env*"),
        ("/srv/*.*", ".ssh"),
        ("/srv/[!.]*", "id_rsa*"),
        ("/srv/[a-z]*.md", "id_rsa*"),
        ("/srv/????/x", ".ssh"),
        ("/srv/**", ".ssh"),
        ("/srv/sshd", ".ssh"),
        ("/var/li", "/var/lib"),
        ("/*/lib", "/var/run"),
        ("/srv/var/lib", "/var/lib"),
        ("var/lib/**", "/var/lib"),
        ("report-????-??.md", "/etc"),
    ],
)
def test_a_name_that_only_looks_like_a_secret_one_is_none(glob: str, secret: str) -> None:
    assert not may_reach(glob, PathName(secret))


def test_numbers_stand_before_numbers_only() -> None:
    assert not is_below("10.evil.example", HostGlob("10.*"))
    assert is_below("10.1.2.3", HostGlob("10.*"))
    assert may_be("[::1]", HostGlob("[0:0:0:0:0:0:0:1]"))


@pytest.mark.parametrize(
    "glob",
    [
        *("", "*", "?*", "[!§]*", "[!aZré]*", "[ -~]*", "[a-z]*", "* *", "*#", "*-*", "[;&]*"),
        *("/", "/**", "/*/**", "/./**", "/?*/[!x]*", "*/**", "**/*.*", "/srv/a/../**", ".."),
        *("https://*", "https://*/**", "*://*/*/**", "https://*:8443/./*"),
    ],
)
def test_what_demands_no_letter_leaves_all_open(glob: str) -> None:
    assert leaves_all_open(glob)


@pytest.mark.parametrize(
    "glob",
    [
        *("-", "#", "a*", "*é*", "git *", "[r]m", "[yY]", "[0-9]", "[1-9][0-9]", "[z-a]*"),
        *("/srv/**", "/*/a", "drafts/*", "**/*.md", "./a/**"),
        *("https://*.example.org/**", "https://*/api/**", "*://one.net/**"),
    ],
)
def test_what_demands_a_letter_does_not(glob: str) -> None:
    assert not leaves_all_open(glob)
