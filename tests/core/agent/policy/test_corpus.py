"""Malicious agents are refused for the reasons in their names, harmless ones by nobody."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from returns.result import Success

from caxton_core.agent.policy.check import RULES
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent
from tests.acceptance.criteria import criterion
from tests.core.agent.policy_corpus.corpus import (
    HARMLESS,
    MALICIOUS,
    ROOT,
    expected,
    policy_for,
    reasons,
    text_of,
)

BLOCK = re.compile(r"^```toml[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name(file: Path) -> str:
    return f"{file.parent.name}-{file.stem}"


def samples() -> Iterator[str]:
    """Every agent file in the documentation."""
    for page in (*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"):
        for block in BLOCK.findall(page.read_text("utf-8")):
            if isinstance(read_agent(block), Success):
                yield block


@criterion("STORY-045.1", "STORY-045.D1")
@pytest.mark.parametrize("file", MALICIOUS, ids=name)
def test_a_malicious_agent_is_refused_for_the_reason_in_its_name(file: Path) -> None:
    assert reasons(text_of(file), policy_for(file)) == expected(file)


@criterion("STORY-045.D1")
@pytest.mark.parametrize("file", HARMLESS, ids=name)
def test_a_harmless_agent_is_not_refused(file: Path) -> None:
    assert reasons(text_of(file), Policy()) == frozenset()


def test_no_agent_of_the_documentation_is_refused() -> None:
    found = list(samples())
    assert len(found) >= 10
    assert [text for text in found if reasons(text, Policy())] == []


def test_the_corpus_is_large_and_knows_every_rule() -> None:
    assert (len(MALICIOUS) >= 60, len(HARMLESS) >= 40) == (True, True)
    refused = frozenset[str]().union(*map(expected, MALICIOUS))
    assert {rule.code for rule in RULES} <= refused
