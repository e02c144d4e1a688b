"""Everything that a page shows is so."""

from pathlib import Path

import pytest

from tests.docs.page import blocks_of
from tests.docs.shell import Shell

ROOT = Path(__file__).parents[2]
OF_THEIR_OWN = {"fix-agent-files.md", "quick-start.md"}  # test_guides.py
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name not in OF_THEIR_OWN),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_holds(page: Path, shell: Shell) -> None:
    for block in blocks_of(page, shell):
        block.evaluate()
