"""Rules of the code that keep secrets secret and foreign data from being run."""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("caxton_core", "caxton_adapters", "caxton_cli")
FILES: Final = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SECRET: Final = ("token", "secret", "digest", "api_key", "password", "signature", "reveal")
PUBLIC: Final = {
    # Counts of tokens of a model, names of tokens, kinds of tokens: nothing that opens anything.
    "tokens",
    "max_tokens",
    "token_endpoint",
}
RUNS: Final = {"eval", "exec", "compile"}
LOADS: Final = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle", "jsonpickle"}


@cache
def trees() -> Sequence[tuple[Path, ast.Module]]:
    return [(path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))) for path in FILES]


def name_of(node: ast.expr) -> str:
    """The last word of a name, an attribute or a call."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=called):
            return name_of(called)
        case ast.Subscript(value=value):
            return name_of(value)
        case _:
            return ""


def is_secret(node: ast.expr) -> bool:
    name = name_of(node).lower().strip("_")
    return name not in PUBLIC and any(
        name == word or name.endswith(f"_{word}") or name.startswith(f"{word}_") for word in SECRET
    )


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def test_no_secret_is_compared_but_in_constant_time() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        and any(is_secret(side) for side in (node.left, *node.comparators))
        and not any(is_none(side) for side in node.comparators)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("self._token == shown", True),
        ("secret.reveal() != text", True),
        ("hmac.compare_digest(token, shown)", False),
        ("max_tokens == 3", False),
        ("api_key is None", False),
        ("row['digest'] == x", False),
        ("digest_of(a) == b", True),
    ],
)
def test_the_rule_sees_what_it_has_to(code: str, *, wrong: bool) -> None:
    compared = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Compare)]
    seen = any(
        isinstance(node.ops[0], ast.Eq | ast.NotEq) and (is_secret(node.left)) for node in compared
    )
    assert seen == wrong


def test_nothing_foreign_is_run() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in RUNS)
            or any(
                word.arg == "shell" and getattr(word.value, "value", None) is True
                for word in node.keywords
            )
            or (name_of(node.func) == "system" and "os." in ast.unparse(node.func))
        )
    ]
    assert found == []


def test_nothing_is_loaded_that_could_build_any_object() -> None:
    found = [
        f"{path}:{node.lineno}: {name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.partition(".")[0] in LOADS
    ]
    assert found == []


def test_yaml_is_only_loaded_safely() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}
    ]
    assert found == []


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        yield node.module or ""
    else:
        yield from (alias.name for alias in node.names)


def test_the_security_rules_of_ruff_hold_for_the_packages() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert {code for code in lint["ignore"] if code.startswith("S") and code[1:].isdigit()} == {
        "S101"
    }
    for pattern, codes in lint["per-file-ignores"].items():
        if pattern.startswith("caxton"):
            assert not [code for code in codes if code == "S" or code.startswith("S3")], pattern
