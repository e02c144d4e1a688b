"""The conformance of the MCP client: `python -m tests.conformance [REVISION ...]`.

Every scenario that a revision of the protocol requires, over that revision's wire; one line each.
"""

import sys

from tests.conformance.suite import REVISIONS, Scenario, run, verdict


def line(scenario: Scenario) -> str:
    """What is printed of a scenario."""
    if not scenario.must_pass:
        return f"  not offered  {scenario.name} ({scenario.optional})"
    word = "ok    " if scenario.is_good else "FAILED"
    return f"  {word}       {scenario.name} ({scenario.passed} checks, {scenario.failed} failed)"


def main() -> int:
    """Run the revisions that are named, or all; 1 if anything failed that must pass."""
    good = True
    for revision in sys.argv[1:] or REVISIONS:
        scenarios = run(revision)
        print(revision, *map(line, scenarios), sep="\n", flush=True)
        good = verdict(scenarios) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
