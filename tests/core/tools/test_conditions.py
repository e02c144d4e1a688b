"""Arguments against globs: what is not sure is never allowed and always denied."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.primitives import PermissionRule
from caxton_core.problems import Malformed
from caxton_core.tools.conditions import Unclear, compiled, condition_of

EXAMPLE = "https://example.org/docs/**"
BELOW = "https://*.example.org"


def permits(glob: str, value: object) -> bool:
    return compiled(PermissionRule(f"s.t:a={glob}")).permits({"a": value}, {})


def forbids(glob: str, value: object) -> bool:
    return compiled(PermissionRule(f"s.t:a={glob}")).forbids({"a": value}, {})


def refusal(glob: str) -> Malformed:
    read = PermissionRule.parse(f"s.t:a={glob}")
    assert isinstance(read, Failure)
    problem = read.failure()
    assert isinstance(problem, Malformed)
    return problem


@pytest.mark.parametrize(
    ("glob", "value"),
    [
        (EXAMPLE, "https://example.org/docs"),
        (EXAMPLE, "https://EXAMPLE.org./docs/a?b=c#d"),
        (EXAMPLE, "https://example.org:443/docs/a/b"),
        (BELOW, "https://api.example.org"),
        (BELOW, "https://a.b.example.org/x"),
        ("https://bücher.example/**", "https://bücher.example/x"),
        ("https://xn--bcher-kva.example", "https://bücher.example/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x"),
        ("http://[::1]", "http://[::1]/"),
        ("*://example.org", "wss://example.org/x"),
        ("https://*", "https://anything.test/"),
    ],
)
def test_addresses_that_are_meant(glob: str, value: str) -> None:
    assert permits(glob, value)
    assert forbids(glob, value)


@pytest.mark.parametrize(
    ("glob", "value"),
    [
        (EXAMPLE, "https://example.org.evil.test/docs/a"),
        (EXAMPLE, "https://evil.test/example.org/docs/a"),
        (EXAMPLE, "https://example.org/other"),
        (EXAMPLE, "https://example.org/docsx"),
        (EXAMPLE, "http://example.org/docs/a"),
        (BELOW, "https://example.org/"),
        (BELOW, "https://evilexample.org/"),
    ],
)
def test_addresses_that_are_not_meant(glob: str, value: str) -> None:
    assert not permits(glob, value)
    assert not forbids(glob, value)


@pytest.mark.parametrize(
    "value",
    [
        "https://example.org@evil.test/docs/a",
        "https://evil.test\\@example.org/docs/a",
        "https://example.org/docs/../secret",
        "https://example.org/docs/%2e%2e/secret",
        "https://example.org/docs%2fa",
        "https://example.org/docs/..;/a",
        "https://example.org\t/docs/a",
        " https://example.org/docs/a",
        "https:example.org/docs/a",
        "//example.org/docs/a",
        "example.org/docs/a",
        "https://",
        "https://0x7f000001/docs/a",
        "https://2130706433/docs/a",
        "https://127.1/docs/a",
        "https://0177.0.0.1/docs/a",
        "https://exa%6dple.org/docs/a",
        "https://example.org:99999999/docs",
        "https://faß.example/docs",
        "https://fa\u1e9e.example/docs",
        "",
    ],
)
def test_addresses_of_which_nobody_is_sure_are_not_allowed_and_denied(value: str) -> None:
    assert not permits(EXAMPLE, value)
    assert forbids(EXAMPLE, value)


def test_what_is_longer_than_any_path_or_address_is_not_allowed_and_denied() -> None:
    path, address = "/srv/" + "a/" * 40_000, "https://example.org/docs/" + "a/" * 40_000
    assert not permits("/srv/**", path)
    assert forbids("/etc/**", path)
    assert not permits(EXAMPLE, address)
    assert forbids(EXAMPLE, address)


def test_another_port_is_another_service_to_allow_but_not_to_deny() -> None:
    assert not permits(EXAMPLE, "https://example.org:8443/docs/a")
    assert forbids(EXAMPLE, "https://example.org:8443/docs/a")


@pytest.mark.parametrize("value", ["docs/a", "~/a", "/srv/docs/../x", "/srv/docs\\..\\x", "/a\0b"])
def test_paths_of_which_nobody_is_sure_are_not_allowed_and_denied(value: str) -> None:
    assert not permits("/srv/docs/**", value)
    assert forbids("/srv/docs/**", value)


@pytest.mark.parametrize(
    ("glob", "value", "allowed"),
    [
        ("/srv/docs/**", "/srv/docs", True),
        ("/srv/docs/**", "//srv/./docs//a/b", True),
        ("/srv/docs/*", "/srv/docs/a", True),
        ("/srv/docs/*", "/srv/docs/a/b", False),
        ("/srv/*/public/**", "/srv/x/public/a", True),
        ("/srv/**/a.txt", "/srv/1/2/a.txt", True),
        ("/srv/**/a.txt", "/srv/a.txt", True),
        ("/srv/docs", "/srv/docs-evil", False),
        ("/srv/docs/*.md", "/srv/docs/a.MD", False),
    ],
)
def test_globs_over_paths(glob: str, value: str, allowed: bool) -> None:  # noqa: FBT001
    assert permits(glob, value) == allowed


def test_a_condition_reaches_into_lists_and_objects() -> None:
    inside = compiled(PermissionRule("s.t:filter.path=/srv/**"))
    assert inside.permits({"filter": {"path": ["/srv/a", "/srv/b"]}}, {})
    assert not inside.permits({"filter": {"path": ["/srv/a", "/etc/b"]}}, {})
    assert not inside.permits({"filter": {}}, {})
    assert forbids("/etc/**", {"deep": [{"x": "/etc/passwd"}]})
    assert not permits("*", {"x": "anything"})


def test_numbers_and_truths_are_texts_as_json_writes_them() -> None:
    assert permits("true", value=True)
    assert permits("1?", 12)


def test_a_whole_number_is_the_same_however_it_is_written() -> None:
    assert permits("1000", 1000.0)
    assert forbids("1000", 1000.0)
    assert permits("-0.5", -0.5)


def test_every_reading_of_a_dotted_name_has_to_be_allowed_and_one_is_enough_to_deny() -> None:
    inside = compiled(PermissionRule("s.t:filter.path=/srv/**"))
    decoy = {"filter.path": "/srv/x", "filter": {"path": "/etc/passwd"}}
    assert not inside.permits(decoy, {})
    assert compiled(PermissionRule("s.t:filter.path=/etc/**")).forbids(decoy, {})
    assert not inside.permits({"filter.path": "/srv/x", "filter": {"path": None}}, {})
    deeper = compiled(PermissionRule("s.t:a.b.c=/etc/**"))
    assert deeper.forbids({"a.b": {"c": "/etc/x"}}, {})
    assert deeper.forbids({"a": {"b.c": "/etc/x"}}, {})
    assert deeper.forbids({"a": [{"b": [{"c": "/etc/x"}]}]}, {})
    assert not deeper.forbids({"a": {"b": {"c": "/srv/x"}}}, {})


def test_a_condition_reaches_into_the_objects_of_a_list() -> None:
    inside = compiled(PermissionRule("s.t:files.path=/srv/**"))
    assert inside.permits({"files": [{"path": "/srv/a"}, {"path": "/srv/b"}]}, {})
    assert not inside.permits({"files": [{"path": "/srv/a"}, {"path": "/etc/b"}]}, {})
    assert not inside.permits({"files": [{"path": "/srv/a"}, "/etc/b"]}, {})
    assert not inside.permits({"files": [{"path": "/srv/a"}, {"url": "/etc/b"}]}, {})
    assert compiled(PermissionRule("s.t:files.path=/etc/**")).forbids(
        {"files": [{"path": "/srv/a"}, {"path": "/etc/b"}]}, {}
    )


def test_a_condition_on_several_arguments_is_about_each_of_them() -> None:
    both = compiled(PermissionRule("s.t:source,to.path=/srv/**"))
    assert set(both.looks_up({"source": "/a", "to": {"path": "/b"}})) == {"/srv", "/a", "/b"}
    assert both.permits({"source": "/srv/a", "to": {"path": "/srv/b"}}, {})
    assert not both.permits({"source": "/srv/a", "to": {"path": "/etc/b"}}, {})
    assert not both.permits({"source": "/srv/a"}, {})
    assert both.forbids({"source": "/srv/a"}, {})
    assert both.forbids({"source": "/etc/a", "to": {"path": "/srv/b"}}, {})
    assert not both.forbids({"source": "/etc/a", "to": {"path": "/etc/b"}}, {})


def test_names_in_an_object_are_texts_too() -> None:
    assert forbids("/etc/**", {"/etc/passwd": True})
    assert not permits("/srv/**", [{"/etc/passwd": "/srv/x"}])


@pytest.mark.parametrize(
    ("glob", "value"),
    [
        ("admin", "ADMIN"),
        ("[!a-z]*", "Admin"),
        ("?", "\u00df"),
        ("stra\u00dfe", "STRASSE"),
        ("\u00e4?", "\u00c4\u00df"),
        ("\u00e9*", "e\u0301"),
        ("e\u0301", "\u00c9"),
        ("admin", "\uff21dmin"),
        ("/srv/[!a-z]*", "/srv/Secret"),
        ("/srv/\u00e9/**", "/srv/e\u0301/x"),
        ("http://[::1]/**", "http://[0:0:0:0:0:0:0:1]/"),
        ("http://[0::1]/**", "http://[::1]/"),
        ("http://127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("https://example.org:443/**", "https://example.org:0443/"),
        ("*://example.org:443", "odd://example.org/"),
        ("https://example.org/SECRET", "https://example.org/secret"),
        ("https://example.org/secret/**", "https://example.org/%73ecr%65t/x"),
        ("https://example.org/\u00e9/**", "https://example.org/%C3%A9/x"),
        ("https://example.org/%c3%a9/**", "https://example.org/\u00c9/x"),
        ("https://example.org/secret/**", "https://example.org/%2573ecret/x"),
    ],
)
def test_other_spellings_of_what_is_denied_are_denied(glob: str, value: str) -> None:
    assert forbids(glob, value)


@pytest.mark.parametrize(
    "host",
    [
        "evil.test\uff0f.example.org",
        "evil.test\uff03.example.org",
        "evil.test&.example.org",
        "evil.test'.example.org",
        "evil.test\uff1a80.example.org",
        "a..example.org",
        "[::ffff:1.2.3.4]",
        "[::1::]",
    ],
)
def test_hosts_that_are_none_are_not_allowed_and_denied(host: str) -> None:
    for glob in (BELOW, "https://*"):
        assert not permits(glob, f"https://{host}/")
        assert forbids(glob, f"https://{host}/")


@pytest.mark.parametrize(
    ("glob", "says"),
    [
        ("https://*.evil.*/**", "scheme://host:port/path"),
        ("https://evil.*/**", "scheme://host:port/path"),
        ("https://api.example.org*", "scheme://host:port/path"),
        ("http://localhost:*/**", "scheme://host:port/path"),
        ("http://localhost:99999/**", "scheme://host:port/path"),
        ("https://a.org/x?user=me", "scheme://host:port/path"),
        ("https://a.org/x#top", "scheme://host:port/path"),
        ("https://a.org/x/../y", "scheme://host:port/path"),
        ("https://a@b.org/**", "scheme://host:port/path"),
        ("https://2130706433/**", "scheme://host:port/path"),
        ("*https://a.org/**", "scheme://host:port/path"),
        ("https:/a.org/**", "scheme://host:port/path"),
        ("https://", "scheme://host:port/path"),
        ("~/docs/**", "a path from the root"),
        ("~anna/docs/**", "a path from the root"),
    ],
)
def test_globs_of_which_nobody_knows_the_meaning_are_refused(glob: str, says: str) -> None:
    refused = refusal(glob)
    assert says in refused.rule
    assert isinstance(condition_of(glob), Unclear)


def test_a_file_is_written_as_its_path() -> None:
    refused = refusal("file:///srv/docs/**")
    assert refused.suggestion == "s.t:a=/srv/docs/**"
    assert isinstance(condition_of("file:///srv/docs/**"), Unclear)


def test_what_is_unclear_is_not_allowed_and_denied() -> None:
    unclear = condition_of("https://evil.*/**")
    assert not unclear.permits("https://evil.test/", {})
    assert unclear.forbids("anything", {})


@pytest.mark.parametrize("value", ["file:///srv/docs/a", "FILE:/srv/docs/a", "c:/srv/docs/a"])
def test_an_address_of_a_file_is_no_path_of_which_somebody_is_sure(value: str) -> None:
    assert not permits("/srv/docs/**", value)
    assert forbids("/etc/**", value)
    assert not permits("*://*", value)
    assert forbids(EXAMPLE, value)


RELATIVE = {
    "docs": "/home/docs",
    "docs/a": "/home/docs/a",
    "docs/out": "/etc",
    "in": "/home/docs/b",
}


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("docs/a", True),
        ("in", False),
        ("docs/out", False),
        ("docs/../docs/a", False),
        ("~/a", False),
    ],
)
def test_a_relative_glob_is_a_folder_below_the_one_of_the_tool(
    value: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    real = {**RELATIVE, "docs/../docs/a": "/home/docs/a"}
    rule = compiled(PermissionRule("s.t:a=docs/**"))
    assert set(rule.looks_up({"a": value})) == {"docs", value}
    assert rule.permits({"a": value}, real) == allowed


def test_a_relative_glob_denies_what_may_be_meant() -> None:
    rule = compiled(PermissionRule("s.t:a=docs/**"))
    for value in ("docs/a", "in", "docs", "docs/../docs/a", "~/a", "/home/docs/a", "docs/out"):
        assert rule.forbids({"a": value}, {**RELATIVE, "/home/docs/a": "/home/docs/a"})
    assert not rule.forbids({"a": "other"}, {**RELATIVE, "other": "/home/other"})


@pytest.mark.parametrize("value", ["private/a", "./private/a", "a", "private"])
def test_where_a_tool_begins_nobody_knows_so_a_relative_path_is_in_no_absolute_folder(
    value: str,
) -> None:
    allowing, denying = (compiled(PermissionRule(f"s.t:a=/srv/{at}**")) for at in ("", "private/"))
    for real in ({}, {value: f"/srv/{value}", "/srv": "/srv", "/srv/private": "/srv/private"}):
        assert not allowing.permits({"a": value}, real)
        assert denying.forbids({"a": value}, real)
    assert not permits("private/**", f"/srv/{value}")
    assert forbids("private/**", f"/srv/{value}")


def test_where_nobody_looks_a_relative_path_is_compared_as_it_is_written() -> None:
    assert permits("feature/*", "feature/x")
    assert not permits("feature/*", "feature/x/y")
    assert not permits("feature/*", "/feature/x")
    assert not permits("docs/**", "docs/../../etc/passwd")
    assert forbids("docs/**", "docs/../../etc/passwd")
    assert not forbids("feature/*", "main")
    assert forbids("*rm -rf /*", "cd /tmp && rm -rf /etc")


def test_what_somebody_looked_up_and_could_not_follow_is_not_allowed_and_denied() -> None:
    lost = {"/srv/x": None, "/srv": "/srv", "/etc": "/etc"}
    allowing, denying = (compiled(PermissionRule(f"s.t:a={at}/**")) for at in ("/srv", "/etc"))
    assert not allowing.permits({"a": "/srv/x"}, lost)
    assert denying.forbids({"a": "/srv/x"}, lost)
    assert not allowing.permits({"a": "/srv/y"}, {"/srv": None, "/srv/y": "/srv/y"})
    assert allowing.forbids({"a": "/other"}, {"/srv": None, "/other": "/other"})


@pytest.mark.parametrize("value", ["/proc/self/cwd/a", "/dev/fd/0", "//proc/1", "/proc"])
def test_what_every_process_finds_elsewhere_is_not_allowed_and_denied(value: str) -> None:
    assert not permits("/**", value)
    assert forbids("/etc/**", value)
    rule = compiled(PermissionRule("s.t:a=/proc/**"))
    assert set(rule.looks_up({"a": "/srv/a"})) == {"/srv/a"}
    assert not rule.forbids({"a": "/srv/a"}, {"/srv/a": "/srv/a"})
    assert rule.forbids({"a": value}, {value: None})


LETTERS = "aAzZ1\u00df\u00e9\u0130.- "
NAMES = st.text(LETTERS, min_size=1, max_size=4)
HOSTS = {
    "example.org": ("example.org", "EXAMPLE.org", "*"),
    "a.example.org": ("*.example.org", "a.example.org"),
    "[0:0::1]": ("[::1]", "*"),
    "b\u00fccher.example": ("xn--bcher-kva.example", "*.example"),
}


@st.composite
def fitting(draw: st.DrawFn) -> tuple[str, str]:
    """A value, and a glob made of it, so that it mostly matches."""
    kind = draw(st.sampled_from(["text", "path", "relative", "address"]))
    names = draw(st.lists(NAMES, min_size=1, max_size=1 if kind == "text" else 4))
    globs = [draw(_loosened(name)) for name in names]
    if draw(st.booleans()) and kind != "text":
        globs[draw(st.integers(0, len(globs) - 1)) :] = ["**"]
    value, glob = "/".join(names), "/".join(globs)
    if kind == "path":
        return f"/{value}", f"/{glob}"
    if kind == "address":
        host = draw(st.sampled_from(sorted(HOSTS)))
        port = draw(st.sampled_from(["", ":443", ":0443"]))
        quoted = value.replace(" ", "-"), glob.replace("?", "*").replace(" ", "-")
        return (
            f"https://{host}{port}/{quoted[0]}",
            f"https://{draw(st.sampled_from(HOSTS[host]))}/{quoted[1]}",
        )
    return value, glob


def _loosened(name: str) -> st.SearchStrategy[str]:
    each = [st.sampled_from([letter, letter, "?", "*", "[!b-y]", "[!B-Y]"]) for letter in name]
    return st.tuples(*each).map("".join)


@given(fitting())
def test_what_is_allowed_by_a_glob_would_be_denied_by_it_too(drawn: tuple[str, str]) -> None:
    value, glob = drawn
    rule = PermissionRule.parse(f"s.t:a={glob}").value_or(None)
    assume(rule is not None)
    assert rule is not None
    read = compiled(rule)
    assume(read.permits({"a": value}, {}))
    assert read.forbids({"a": value}, {})
    assert read.condition is not None
    assert read.condition.forbids(value, {})
    swapped = value.swapcase()
    assume(swapped.swapcase() == value and "[" not in glob and glob.swapcase().swapcase() == glob)
    assert read.forbids({"a": swapped}, {})


@given(st.text(), st.text())
def test_whatever_is_written_an_allowed_value_would_be_denied_too(glob: str, value: str) -> None:
    for form in (glob, f"/{glob}", f"https://{glob}"):
        rule = PermissionRule.parse(f"s.t:a={form}")
        if isinstance(rule, Success) and compiled(rule.unwrap()).permits({"a": value}, {}):
            assert forbids(form, value)
