"""Print every promise of the plan with the tests that prove it: `python -m tests.acceptance`."""

import sys

from tests.acceptance.manifest import LIST, all_claims, by_criterion, stories, unknown, unproven


def main() -> int:
    """Print the table; 1 when a promise has no test or a test names no promise."""
    known, claims = stories(LIST.read_text("utf-8")), all_claims()
    proven = by_criterion(claims)
    for story in known:
        print(f"\n{story.id}  {story.title}")
        for id_, text in story.criteria.items():
            tests = proven.get(id_, ())
            print(f"  {'proven ' if tests else 'MISSING'} {id_.partition('.')[2]:>3}  {text}")
            for test in tests:
                print(f"               {test}")
    missing, strangers = unproven(known, claims), unknown(known, claims)
    for claim in strangers:
        print(f"UNKNOWN {claim.criterion} named by {claim.test}")
    total = sum(len(story.criteria) for story in known)
    print(f"\n{total - len(missing)} of {total} criteria have a test.")
    return 1 if missing or strangers else 0


if __name__ == "__main__":
    sys.exit(main())
