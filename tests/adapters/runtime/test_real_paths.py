"""Where paths really lead, as rules and tools find it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.runtime.real_paths import real_paths
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import JsonObject, PermissionRule, ToolName
from caxton_core.tools.permission import Effect, Grant, decide, looked_up
from caxton_core.tools.tool import Tool, ToolCall

NAMES = ("a", "b", "up", "link", "whole", "none", "..", ".", "")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree").resolve()
    (root / "a" / "b").mkdir(parents=True)
    (root / "link").symlink_to("a/b")
    (root / "a" / "up").symlink_to("../link/../b")
    (root / "a" / "b" / "whole").symlink_to(root / "a")
    (root / "circle").symlink_to("circle")
    (root / "process").symlink_to("/proc/self/cwd")
    return root


@given(st.lists(st.sampled_from(NAMES), max_size=8))
def test_links_are_followed_as_the_system_does(tree: Path, names: list[str]) -> None:
    path = "/".join((str(tree), *names))
    found = os.path.realpath(path)
    sure = found == os.path.realpath(os.path.normpath(path))
    assert real_paths([path]) == {path: found if sure else None}


def test_a_step_back_from_a_link_is_another_place_for_every_program(tree: Path) -> None:
    assert real_paths([f"{tree}/link/../x"]) == {f"{tree}/link/../x": None}
    assert real_paths([f"{tree}/a/b/../x"]) == {f"{tree}/a/b/../x": str(tree / "a" / "x")}


def test_relative_paths_begin_in_the_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert real_paths(["link/x"], str(tree)) == {"link/x": str(tree / "a" / "b" / "x")}
    monkeypatch.chdir(tree / "a")
    assert real_paths(["up"], ".") == {"up": str(tree / "a" / "b")}
    assert real_paths(["up", "~/x"]) == {}
    assert real_paths(["~/x"], ".") == {}


def test_nothing_is_found_in_a_folder_that_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert real_paths(["x"], ".") == {"x": None}


@pytest.mark.parametrize(
    "path", ["/proc/self/cwd/x", "/dev/fd/0", "/proc", "//proc/1/root", "/a\0b", "/" + "x" * 300]
)
def test_what_cannot_be_followed_is_said_to_be_so(path: str) -> None:
    assert real_paths([path]) == {path: None}


@pytest.mark.parametrize("name", ["circle/x", "process", "process/x", "a/../process/x"])
def test_links_that_lead_nowhere_for_sure_are_not_followed(tree: Path, name: str) -> None:
    assert real_paths([name], str(tree)) == {name: None}


def test_a_folder_of_each_process_is_denied_although_it_is_an_allowed_one_here(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    name = ToolName("files.read")
    allowed = Permissions(allow=(PermissionRule(f"files.read:path={tree}/**"),))
    granted = Grant((Tool(name, "Reads.", JsonObject()),), allowed)
    for path in ("/proc/self/cwd/a", f"{tree}/process/a"):
        call = ToolCall("1", name, JsonObject.of({"path": path}))
        real = real_paths(looked_up(granted, (), call), str(tree))
        assert decide(granted, (), call, real).effect is Effect.DENY
