"""An agent file becomes configuration and warnings, or everything wrong in it; and back."""

from collections.abc import Iterable
from typing import TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.consistency import inconsistencies
from caxton_core.agent.rules.not_yet import not_yet
from caxton_core.agent.rules.texts import in_texts
from caxton_core.agent.spelling import as_meant
from caxton_core.problems import (
    LiteralSecret,
    MisplacedKey,
    NotYet,
    Path,
    Problem,
    Problems,
    Severity,
)
from caxton_core.reading.layout import free_tables
from caxton_core.reading.misplaced import TOP, without_echoes
from caxton_core.reading.report import Report, report
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import AGENT_FILE_LIMIT, parse_toml
from caxton_core.reading.written import table_of, toml_text

Table: TypeAlias = dict[str, object]
Judged: TypeAlias = tuple[AgentConfig | None, tuple[Problem, ...]]


@final
@frozen
class ReadTable:
    """What a table says, and what about it deserves a look."""

    config: AgentConfig
    warnings: tuple[Problem, ...]


@final
@frozen
class ReadAgent:
    """What an agent file says, and what in it deserves a look."""

    config: AgentConfig
    warnings: Report


def read_agent(text: str, file: str = "agent.toml") -> Result[ReadAgent, Report]:
    """Read an agent file; the report of a failure holds all its errors and warnings."""
    plain = text.removeprefix("\ufeff")
    parsed = parse_toml(plain, AGENT_FILE_LIMIT)
    if isinstance(parsed, Failure):
        return Failure(report([parsed.failure()], plain, file))
    agent = read_agent_table(parsed.unwrap())
    if isinstance(agent, Failure):
        return Failure(report(agent.failure(), plain, file))
    done = agent.unwrap()
    return Success(ReadAgent(done.config, report(done.warnings, plain, file)))


def read_agent_table(table: Table) -> Result[ReadTable, Problems]:
    """Read an agent from a plain table, as a TOML parser makes it."""
    config, found = _judged(table)
    placed = (_in_older_spelling(problem, table) for problem in found)
    problems = _said_once((*placed, *in_texts(table), *not_yet(table)))
    if config is not None and not any(_is_error(problem) for problem in problems):
        return Success(ReadTable(config, problems))
    first, *others = problems
    return Failure((first, *others))


def write_agent(config: AgentConfig) -> str:
    """Write the configuration as an agent file that reads as the same configuration."""
    return toml_text(table_of(config))


def _judged(table: Table) -> Judged:
    """Read the table, and judge keys that slid below a header where they were meant to stand."""
    meant, spelled = as_meant(table)
    config = read(AgentConfig, meant)
    found = (*spelled, *(config.failure() if isinstance(config, Failure) else ()))
    slid = _slid(found, meant)
    if slid:
        _, rest = _judged(_moved_up(meant, slid))
        return None, (*found, *(_where_written(problem, slid) for problem in rest))
    if isinstance(config, Failure):
        return None, (*found, *_consistency_of_the_rest(meant, found))
    return config.unwrap(), (*found, *inconsistencies(config.unwrap()))


def _slid(found: Iterable[Problem], table: Table) -> dict[str, Path]:
    """Top-level keys that stand in a table, and where."""
    return {
        problem.what.key: problem.at
        for problem in found
        if isinstance(problem.what, MisplacedKey)
        and (problem.what.home, len(problem.at)) == (TOP, 2)
        and problem.what.key not in table
    }


def _moved_up(table: Table, slid: dict[str, Path]) -> Table:
    moved: Table = {}
    for key, (name, *_) in slid.items():
        inner = table[str(name)]
        moved[key] = inner.get(key) if isinstance(inner, dict) else None
    return {**_without(table, tuple(slid.values())), **moved}


def _where_written(problem: Problem, slid: dict[str, Path]) -> Problem:
    above = slid.get(str(problem.at[0])) if problem.at else None
    return problem if above is None else Problem((*above, *problem.at[1:]), problem.what)


def _in_older_spelling(problem: Problem, table: Table) -> Problem:
    """The problem where its author wrote it: the items of `[tools] available` are the tools."""
    tools = table.get("tools")
    is_older = isinstance(tools, dict) and "available" in tools
    if (
        is_older
        and problem.at[:1] == ("tools",)
        and all(isinstance(part, int) for part in problem.at[1:])
    ):
        return Problem(("tools", "available", *problem.at[1:]), problem.what)
    return problem


def _is_error(problem: Problem) -> bool:
    return problem.what.severity is Severity.ERROR


def _said_once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Leave out echoes, what else would be said about a secret, and what wrong values await."""
    found = without_echoes(dict.fromkeys(problems))
    secret = {problem.at for problem in found if isinstance(problem.what, LiteralSecret)}
    wrong = {problem.at for problem in found if _is_error(problem)}
    return tuple(
        problem
        for problem in found
        if (problem.at not in secret or isinstance(problem.what, LiteralSecret))
        and (problem.at not in wrong or not isinstance(problem.what, NotYet))
    )


def _consistency_of_the_rest(table: Table, found: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Check the rules between those fields that can be read, so that nothing comes later."""
    unread = tuple(problem.at for problem in found if _is_error(problem))
    required = {"name": "unread", "system_prompt": "Unread."}
    rest = read(AgentConfig, {**required, **_without(table, unread)})
    if isinstance(rest, Failure):
        return ()
    unsure = [path for path in unread if path[0] not in free_tables(AgentConfig)]
    return tuple(inconsistencies(rest.unwrap(), unsure))


def _without(table: Table, unread: tuple[Path, ...]) -> Table:
    """The table without the fields at, or around, the paths."""
    inner = {path[:2] for path in unread if len(path) > 1}
    tables = {key for key, value in table.items() if isinstance(value, dict)}
    whole = {path[0] for path in unread if len(path) == 1 or path[0] not in tables}
    return {
        key: {k: v for k, v in value.items() if (key, k) not in inner}
        if isinstance(value, dict)
        else value
        for key, value in table.items()
        if key not in whole
    }
