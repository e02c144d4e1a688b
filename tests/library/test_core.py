"""`import caxton_core` is the library of the domain: whole, typed, and free until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import caxton_core

STUB = Path(caxton_core.__file__).with_suffix(".pyi")
MODULES: dict[str, str] = vars(caxton_core)["_MODULES"]


def loaded_after(source: str) -> set[str]:
    """The modules, with their whole names, that a fresh interpreter has loaded."""
    command = [sys.executable, "-c", f"{source}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.check_output(command, cwd=STUB.parents[1], text=True).split())


def test_importing_the_core_loads_nothing_else() -> None:
    loaded = loaded_after("import caxton_core") - loaded_after("")
    assert loaded == {"caxton_core"}


def test_a_name_loads_the_module_that_defines_it_and_no_adapters_library() -> None:
    loaded = loaded_after("import caxton_core\ncaxton_core.read_agent, caxton_core.begin")
    assert {"caxton_core.agent.toml", "caxton_core.conversation.turn"} <= loaded
    assert {"anyio", "asyncio", "msgspec", "litestar", "caxton_adapters"}.isdisjoint(loaded)


@pytest.mark.parametrize("name", MODULES)
def test_every_name_is_there(name: str) -> None:
    assert getattr(caxton_core, name) is not None
    assert name in dir(caxton_core)


def test_type_checkers_read_the_same_names_from_the_same_modules() -> None:
    told = {
        (imported.module, alias.name, alias.asname)
        for imported in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(imported, ast.ImportFrom)
        for alias in imported.names
    }
    assert told == {(f"caxton_core.{module}", name, name) for name, module in MODULES.items()}
    assert (STUB.parent / "py.typed").exists()


def test_a_name_that_is_not_there_is_said_so() -> None:
    name = "nonsense"
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        getattr(caxton_core, name)
