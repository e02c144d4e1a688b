"""Whatever way an address or a path is written, it is the address or the path that counts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from caxton_core.agent.policy.check import violations
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import read_policy
from caxton_core.agent.policy.reach import host_of
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent
from caxton_core.reading.wording import message
from tests.core.agent.policy_corpus.corpus import reasons

HOSTS = {
    "http://LOCALHOST./x": "localhost",
    "http://[0:0:0:0:0:0:0:1]:9200/": "[::1]",
    "http://①⑥⑨.254.169.254/": "169.254.169.254",
    "http://metadata。google。internal:80/**": "metadata.google.internal",
    "https://bücher.example/": "xn--bcher-kva.example",
    "*://api.example.org:8443/x": "api.example.org",
    "https://*.example.org/*": "*.example.org",
    "api.example.org:443": "api.example.org",
    "①②⑦.0.0.1": "127.0.0.1",
}
UNSURE = (
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1:80/",
    "http://[::ffff:169.254.169.254]/",
    "https://user:word@example.org:8443/x",
    "https://example.org\\@evil.example/",
    "https://api.example.org*",
    "https://stra\u1e9ee.example/",
    "2130706433",
    "0x7f.1",
    "word@127.0.0.1",
    "127.0.0.1#example.org",
    "127.0.0.1/example.org",
    "*.example.org",
    "*",
    "//one.net/",
    "/a",
)
AGENT = """
name = "clerk"
system_prompt = "You help."
tools = ["fetch.get", "files.read"]
[permissions]
allow = [{}]
"""


@pytest.mark.parametrize(("written", "host"), HOSTS.items())
def test_the_host_of_an_address_is_found(written: str, host: str) -> None:
    assert host_of(written) == host


@pytest.mark.parametrize("written", UNSURE)
def test_a_host_of_which_nobody_is_sure_may_be_any(written: str) -> None:
    assert host_of(written) == "*"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_looking_for_a_host_answers_whatever_is_written(text: str) -> None:
    host_of(text)
    host_of(f"http://{text}")


def found(rule: str) -> frozenset[str]:
    read = read_policy('[access]\ndirectories = ["/srv/a"]\nhosts = ["*.example.org", "one.net"]\n')
    assert isinstance(read, Success), read
    return reasons(AGENT.format(f"'{rule}'"), read.unwrap().policy)


@pytest.mark.parametrize(
    "path", ["/srv/a/*", "/srv/a/b/**", "/srv/a/x.md", "/srv/a", "/srv/a/[a-z]*.md"]
)
def test_a_path_within_the_folders_is_permitted(path: str) -> None:
    assert found(f"files.read:path={path}") == frozenset()


@pytest.mark.parametrize(
    "path", ["/srv/a*", "/srv/ab/*", "/srv/*", "/srv", "a/*", "*", "/srv/a/../b", "?srv/a/b", ""]
)
def test_a_path_that_may_leave_them_is_not(path: str) -> None:
    assert found(f"files.read:path={path}") == {"CX1337"}


@pytest.mark.parametrize(
    "url", ["https://api.example.org/*", "https://*.example.org/v1", "https://one.net"]
)
def test_an_address_at_the_hosts_is_permitted(url: str) -> None:
    assert found(f"fetch.get:url={url}") == frozenset()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/api.example.org/*",
        "https://evil-one.net/",
        "https://one.net.evil.example/",
        "*example.org*",
        "https://*/",
        "//one.net/",
    ],
)
def test_an_address_that_may_be_elsewhere_is_not(url: str) -> None:
    assert found(f"fetch.get:url={url}") == {"CX1338"}


@pytest.mark.parametrize("url", ["https://one.net@evil.example/", "https://one.net*"])
def test_an_address_that_is_none_is_refused_when_it_is_read(url: str) -> None:
    assert found(f"fetch.get:url={url}") == {"CX1102"}


@pytest.mark.parametrize("condition", ["*", "**", "?*", ""])
def test_a_condition_that_says_nothing_is_none(condition: str) -> None:
    rule = f"fetch.delete_all:name={condition}"
    text = AGENT.format(f"'{rule}'").replace("files.read", "fetch.delete_all")
    assert "CX1325" in reasons(text, Policy())


TOOLS = {
    "files.move": frozenset({"source", "destination", "mode"}),
    "web.get": frozenset({"url", "proxy_url", "into_file"}),
}


def unbounded(rule: str) -> set[str]:
    """The arguments that the policy finds free in the only rule of an agent."""
    read = read_policy('[access]\ndirectories = ["/srv/a"]\nhosts = ["*.example.org"]\n')
    agent = read_agent(AGENT.replace("fetch.get", "web.*").format(f"'{rule}'"))
    assert isinstance(read, Success), read
    assert isinstance(agent, Success), agent
    problems = violations(agent.unwrap().config, read.unwrap().policy, Facts(tools=TOOLS))
    words = [message(each.what) for each in problems if each.what.code == "CX1339"]
    return {name for each in words for name in re.findall("`([a-z_]+)`", each)}


@pytest.mark.parametrize(
    ("rule", "free"),
    [
        ("files.move", {"source", "destination"}),
        ("files.move:mode=copy", {"source", "destination"}),
        ("files.move:source=/srv/a/**", {"destination"}),
        ("files.move:source,destination=/srv/a/**", set()),
        ("files.*:source,destination=/srv/a/**", set()),
        ("web.get:url=https://api.example.org/**", {"proxy_url", "into_file"}),
        ("web.get:url,proxy_url=https://api.example.org/**", {"into_file"}),
        ("web.get:into_file=/srv/a/**", {"url", "proxy_url"}),
    ],
)
def test_every_path_and_address_that_a_tool_takes_has_to_be_bounded(
    rule: str, free: set[str]
) -> None:
    assert unbounded(rule) == free


def test_several_arguments_are_judged_by_one_glob() -> None:
    assert found("files.read:mode,path=/etc/*") == {"CX1337"}
    assert found("fetch.get:method,url=https://evil.test/*") == {"CX1338"}
