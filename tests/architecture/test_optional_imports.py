"""Who does not use a library does not load it, and need not have it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.interpreter import ROOT, import_all_of, installed, loaded_after, without

OURS = {"caxton_core", "caxton_adapters", "caxton_cli"}
OF_THE_CORE = {"attrs", "cattrs", "returns", "tomli", "typing_extensions"}
OF_THE_ADAPTERS = {"anyio", "asyncio", "litestar", "msgspec", "openai", "socket", "ssl", "uvicorn"}
EXTRAS = {"hypothesis", "keyring", "uvloop", "xllamacpp"}
LATE = {*EXTRAS, "openai"}


def modules_that_import(library: str) -> Iterator[Path]:
    for package in OURS:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                match node:
                    case (
                        ast.Import(names=[ast.alias(name=name), *_])
                        | ast.ImportFrom(module=str(name))
                    ) if name.partition(".")[0] == library:
                        yield file
                    case _:
                        pass


def test_the_core_needs_no_adapters_library() -> None:
    alone = without(installed(but={"caxton", *OF_THE_CORE}))
    assert OF_THE_ADAPTERS.isdisjoint(
        loaded_after(alone + import_all_of("caxton_core", but="caxton_core.testing"))
    )


def test_a_library_behind_the_wall_cannot_be_imported() -> None:
    source = "try:\n    import attrs\nexcept ImportError:\n    import wave\n"
    assert "wave" in loaded_after(without({"attrs"}) + source)
    assert "wave" not in loaded_after(without({"keyring"}) + source)


@pytest.mark.parametrize("entrance", ["caxton_adapters.server", "caxton_cli.__main__"])
def test_what_starts_neither_needs_an_extra_nor_loads_a_sdk(entrance: str) -> None:
    assert LATE.isdisjoint(loaded_after(f"{without(EXTRAS)}\nimport {entrance}\n"))


# The strategies fill several modules, and uvloop is loaded by anyio.
@pytest.mark.parametrize("library", sorted(LATE - {"hypothesis", "uvloop"}))
def test_an_optional_library_is_imported_in_one_module(library: str) -> None:
    assert len(set(modules_that_import(library))) == 1
