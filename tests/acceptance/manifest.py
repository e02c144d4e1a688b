"""The promises of the plan beside the tests that prove them, read from the source of the tests.

The source and not a test run: the table is whole whatever part of the suite was selected.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import final

import tomli
from attrs import frozen

TESTS = Path(__file__).parents[1]
LIST = Path(__file__).with_name("criteria.toml")
_OF_ITSELF = ("title", "drafted")


@final
@frozen
class Claim:
    """A test says that it proves a criterion."""

    criterion: str
    test: str


@final
@frozen
class Story:
    """A story of the plan: its title, and its criteria by id, in the order of the plan.

    Of one that is `drafted` the plan has only the title, and no definition of done.
    """

    id: str
    title: str
    criteria: Mapping[str, str]
    drafted: bool = False


class UnreadableClaimError(Exception):
    """The criterion is not a literal, or stands on something that is not a test."""


def stories(text: str) -> tuple[Story, ...]:
    """The list of criteria, `criteria.toml`, as values."""
    return tuple(
        Story(
            id=story,
            title=str(table["title"]),
            criteria={
                f"{story}.{key}": str(line) for key, line in table.items() if key not in _OF_ITSELF
            },
            drafted=bool(table.get("drafted")),
        )
        for story, table in tomli.loads(text).items()
    )


def claims_in(source: str, where: str) -> Iterator[Claim]:
    """Every claim of one test module; raises UnreadableClaimError at one that cannot be read."""
    for node in ast.walk(ast.parse(source)):
        for decorator in getattr(node, "decorator_list", []):
            match decorator:
                case ast.Call(func=ast.Name(id="criterion"), args=args):
                    test = str(getattr(node, "name", ""))
                    if not test.startswith("test_"):
                        raise UnreadableClaimError(f"{where}:{decorator.lineno}")
                    for arg in args:
                        yield Claim(_literal(arg, where), f"{where}::{test}")
                case _:
                    pass


def _literal(arg: ast.expr, where: str) -> str:
    match arg:
        case ast.Constant(value=str(written)):
            return written
        case _:
            raise UnreadableClaimError(f"{where}:{arg.lineno}")


def all_claims(folder: Path = TESTS) -> tuple[Claim, ...]:
    """The claims of all tests, sorted by file; tests of contracts stand in modules of any name."""
    return tuple(
        claim
        for file in sorted(folder.rglob("*.py"))
        for claim in claims_in(file.read_text("utf-8"), file.relative_to(folder).as_posix())
    )


def by_criterion(claims: Sequence[Claim]) -> Mapping[str, Sequence[str]]:
    """Tests by the criterion that they prove."""
    found: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        found[claim.criterion].append(claim.test)
    return found


def unproven(known: Sequence[Story], claims: Sequence[Claim]) -> tuple[str, ...]:
    """Criteria that no test names."""
    proven = by_criterion(claims)
    return tuple(id_ for story in known for id_ in story.criteria if id_ not in proven)


def unknown(known: Sequence[Story], claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Claims that name no criterion."""
    criteria = {id_ for story in known for id_ in story.criteria}
    return tuple(claim for claim in claims if claim.criterion not in criteria)
