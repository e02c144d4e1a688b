"""The site is whole, needs nobody, and leaves no page out."""

import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[2]
SETTINGS = ".zensical.toml"
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"?((?:https?:)?//[^\" >]+)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)")


@pytest.fixture(scope="module")
def site() -> Path:
    program = Path(sysconfig.get_path("scripts")) / "zensical"
    command = [str(program), "build", "-f", SETTINGS, "--strict", "--clean"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "site"


def entries(nav: object) -> Iterator[str]:
    match nav:
        case str(page):
            yield page
        case list(items):
            for item in items:
                yield from entries(item)
        case dict(named):
            for item in named.values():
                yield from entries(item)
        case _:
            raise AssertionError(nav)


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        assert LOADED.findall(page.read_text("utf-8")) == [], page


def test_what_a_page_would_load_from_elsewhere_is_seen() -> None:
    assert LOADED.findall('<script async src="https://cdn.example/x.js">') == [
        "https://cdn.example/x.js"
    ]
    assert LOADED.findall('<a href="https://example.org">') == []


def test_every_page_is_in_the_navigation() -> None:
    settings = tomli.loads((ROOT / SETTINGS).read_text("utf-8"))
    docs = ROOT / "docs"
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    kept = {page for page in pages if not page.startswith("changelog.d/")}
    assert sorted(entries(settings["project"]["nav"])) == sorted(kept)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_a_page_beside_the_site_links_to_files_that_exist(name: str) -> None:
    for target in LINK.findall((ROOT / name).read_text("utf-8")):
        assert (ROOT / target).exists(), target


def test_the_changelog_can_be_made_of_its_fragments() -> None:
    program = Path(sysconfig.get_path("scripts")) / "towncrier"
    command = [str(program), "build", "--draft", "--version", "0.0.0", "--date", "2026-01-01"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fragments = [file for file in (ROOT / "docs" / "changelog.d").iterdir() if file.suffix == ".md"]
    assert fragments
    for fragment in fragments:
        assert fragment.read_text("utf-8").split()[0] in done.stdout, fragment
