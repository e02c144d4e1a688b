"""Whatever a table or a text says, reading answers; and what is written reads as the same."""

import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.toml import read_agent, read_agent_table, write_agent
from caxton_core.problems import Severity
from caxton_core.reading.layout import tables
from caxton_core.reading.report import human, machine
from caxton_core.reading.tables import read
from caxton_core.reading.written import table_of
from caxton_core.testing.agent import agent_configs, table_values, tables_like

KEYS = {
    name: tables(AgentConfig).get((name,), ("provider", "available", "name"))
    for name in tables(AgentConfig)[()]
}
any_tables = tables_like(KEYS)
slowly = settings(
    max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slowly
@given(any_tables)
def test_reading_answers_whatever_the_table(table: dict[str, object]) -> None:
    answer = read_agent_table(table)
    if isinstance(answer, Failure):
        assert any(problem.what.severity is Severity.ERROR for problem in answer.failure())
    else:
        severities = {problem.what.severity for problem in answer.unwrap().warnings}
        assert severities <= {Severity.WARNING}


def test_reading_answers_to_numbers_that_cannot_be_written_and_to_broken_unicode() -> None:
    huge = 10**5000
    table: dict[str, object] = {
        "name": "\ud800",
        "llm": {"seed": huge, "temperature": huge, "timeout": huge, "provider": "\ud800"},
        "metadata": {"x": huge, "y": [{huge: 1}]},
        "memory": {huge: 1, ("a", 1): 2},
    }
    assert isinstance(read_agent_table(table), Failure)


@given(table_values)
def test_reading_answers_whatever_stands_in_place_of_a_table(value: object) -> None:
    assert isinstance(read(AgentConfig, {"llm": value}), Failure)


@slowly
@given(any_tables)
def test_every_problem_is_told_once(table: dict[str, object]) -> None:
    answer = read_agent_table(table)
    found = answer.failure() if isinstance(answer, Failure) else answer.unwrap().warnings
    assert len(set(found)) == len(found)


@slowly
@given(agent_configs)
def test_a_written_table_reads_as_the_same_value(config: AgentConfig) -> None:
    assert read(AgentConfig, table_of(config)) == Success(config)


@slowly
@given(agent_configs)
def test_a_written_file_reads_as_the_same_value(config: AgentConfig) -> None:
    assert read(AgentConfig, tomli.loads(write_agent(config))) == Success(config)


lines = st.sampled_from(
    (
        'name = "a"',
        'system_prompt = """x"""',
        "[llm]",
        "[[llm.fallback]]",
        "[tools]",
        "temperature = 9",
        'a."b c".d = {x = [1, {y = 2}]}',
        "'q' = '''\nx\n'''",
        "provider = 'p'",
        "x = [",
        "]",
        '"',
        "# c",
        "= 1",
        "k = 99999999999999999999999",
        "d = 1979-05-27",
    )
)


@given(st.lists(lines | st.text(max_size=20), max_size=12).map("\n".join))
def test_reading_answers_whatever_the_text(text: str) -> None:
    answer = read_agent(text)
    report = answer.failure() if isinstance(answer, Failure) else answer.unwrap().warnings
    assert len(machine(report)) == len(report.placed)
    assert human(report).count("-->") == len(report.placed)
    for placed in report.placed:
        assert 1 <= placed.range.line <= report.text.count("\n") + 1
        assert placed.range.column >= 1
