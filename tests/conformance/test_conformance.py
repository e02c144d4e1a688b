import pytest

from tests.acceptance.criteria import criterion
from tests.conformance.suite import REVISIONS, required, run_one

EXAMPLES = {
    "2025-11-25": ("initialize", "sse-retry", "elicitation-sep1034-client-defaults"),
    "2026-07-28": ("request-metadata", "http-custom-headers", "auth/scope-step-up"),
}


@criterion("STORY-020.2")
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("scenario", "revision"),
    [(scenario, revision) for revision, chosen in EXAMPLES.items() for scenario in chosen],
)
def test_the_client_does_what_a_scenario_of_the_conformance_suite_requires(
    scenario: str, revision: str
) -> None:
    outcome = run_one(scenario, revision)
    assert outcome.is_good, outcome.said


@pytest.mark.slow
@pytest.mark.parametrize("revision", REVISIONS)
def test_the_suite_still_requires_what_the_examples_show(revision: str) -> None:
    assert set(EXAMPLES[revision]) <= set(required(revision))
