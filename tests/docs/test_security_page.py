"""Each threat of the page names its guard, and tests that would fail without it."""

from pathlib import Path
from typing import Final

import pytest

from tests.docs.test_promises import PROOF, defined_in

PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "security.md"
HEAD: Final = "| threat | guard | proof |\n|---|---|---|\n"
TABLES: Final = PAGE.read_text("utf-8").split(HEAD)[1:]
ROWS: Final = [
    tuple(cell.strip() for cell in line.strip("|").split(" | "))
    for table in TABLES
    for line in table.partition("\n\n")[0].splitlines()
]
PROOFS: Final = sorted({proof for row in ROWS for proof in PROOF.findall(row[-1])})


def test_the_page_has_threats() -> None:
    assert len(TABLES) >= 4
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:40] for row in ROWS])
def test_every_threat_has_a_guard_and_names_its_proofs_and_nothing_else(
    row: tuple[str, ...],
) -> None:
    threat, guard, proofs = row
    assert threat
    assert guard
    assert PROOF.search(proofs)
    assert PROOF.sub("", proofs).strip() == ""


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_every_proof_of_a_guard_exists(file: str, name: str) -> None:
    assert name in defined_in(file)
