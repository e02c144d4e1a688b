"""The stub in `typings/` makes `Result` a closed union."""

from pathlib import Path

import pytest

from tests.types.expectations import ROOT, Refusal, expected, refused

CASE = Path(__file__).parent / "cases" / "result.py"


@pytest.fixture(scope="session")
def cache() -> Path:
    return ROOT / ".mypy_cache" / "types"


def test_mypy_accepts_and_refuses_what_the_case_says(cache: Path) -> None:
    assert refused(CASE, cache) == expected(CASE)


def test_an_error_that_nobody_expects_is_seen(tmp_path: Path, cache: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("one: int = 'one'\n")
    assert refused(wrong, cache) == {Refusal(1, "assignment")}
    assert expected(wrong) == frozenset()
