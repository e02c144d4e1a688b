"""The conformance of the MCP client: `python -m tests.conformance [REVISION ...]`.

Every scenario that a revision of the protocol requires, over that revision's wire, and the optional
ones that we offer; one line each, with everything that was said where one fails.
"""

import sys

from tests.conformance.suite import REVISIONS, Outcome, others, run


def show(outcome: Outcome) -> None:
    """Print how a scenario went."""
    word = "ok    " if outcome.is_good else "FAILED"
    checks = f"{outcome.passed} checks passed, {outcome.failed} failed"
    print(f"  {word}  {outcome.scenario} ({checks})", flush=True)
    if not outcome.is_good:
        print(outcome.said, flush=True)


def main() -> int:
    """Run the revisions that are named, or all; 1 if anything failed."""
    good = True
    for revision in sys.argv[1:] or REVISIONS:
        print(revision, flush=True)
        outcomes = 0
        for outcome in run(revision):
            show(outcome)
            outcomes += 1
            good = good and outcome.is_good
        good = good and outcomes > 0
        print(f"  optional and not offered: {', '.join(others(revision))}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
