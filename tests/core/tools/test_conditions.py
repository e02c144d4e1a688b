"""Arguments against globs: what is not sure is never allowed and always denied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.primitives import PermissionRule
from caxton_core.tools.conditions import compiled

EXAMPLE = "https://example.org/docs/**"
BELOW = "https://*.example.org"


def permits(glob: str, value: object) -> bool:
    return compiled(PermissionRule(f"s.t:a={glob}")).permits({"a": value}, {})


def forbids(glob: str, value: object) -> bool:
    return compiled(PermissionRule(f"s.t:a={glob}")).forbids({"a": value}, {})


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


@given(st.text(), st.text())
def test_what_is_allowed_by_a_glob_would_be_denied_by_it_too(glob: str, value: str) -> None:
    clean = glob.replace("\n", "").replace("\r", "").encode("utf-8", "ignore").decode()
    for form in (clean, f"/{clean}", f"https://{clean}"):
        if len(form) < 400 and permits(form, value):
            assert forbids(form, value)
