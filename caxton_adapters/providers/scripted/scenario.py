"""A scenario: what the scripted provider answers to which text, read from TOML."""

import re
from collections.abc import Iterator
from enum import Enum
from importlib.resources import files
from typing import Annotated, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_core.primitives import Count, Duration, FreeTable, ModelName, ToolName
from caxton_core.problems import Malformed, Problem, Problems, Stated
from caxton_core.reading.keys import Key
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import parse_toml


@final
class FailureName(Enum):
    """The failures that a rule can play."""

    UNREACHABLE = "unreachable"
    NAME_NOT_RESOLVED = "name_not_resolved"
    TLS_FAILED = "tls_failed"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_PERMITTED = "not_permitted"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    CONTEXT_TOO_LONG = "context_too_long"
    CONTENT_FILTERED = "content_filtered"
    REQUEST_REFUSED = "request_refused"
    SERVICE_FAULT = "service_fault"
    TIMED_OUT = "timed_out"
    ANSWER_CUT = "answer_cut"
    ANSWER_MALFORMED = "answer_malformed"
    ANSWER_EMPTY = "answer_empty"
    KEY_MISSING = "key_missing"


@final
@frozen
class ScriptedCall:
    """One tool call of a rule."""

    tool: Annotated[
        ToolName, Key("The tool to call.", '"weather.forecast"', "it is what a call is")
    ]
    arguments: Annotated[
        FreeTable, Key("Its arguments; texts may hold placeholders.", '{ city = "{{city}}" }')
    ] = FreeTable()
    broken: Annotated[
        str | None, Key("Arguments that are no JSON object, in place of the others.", '"{city:"')
    ] = None


@final
@frozen
class ScriptedUsage:
    """What a rule's answer is said to have taken."""

    prompt_tokens: Annotated[Count, Key("Tokens of the prompt.", "12", "usage has two parts")]
    completion_tokens: Annotated[Count, Key("Tokens of the answer.", "7", "usage has two parts")]


@final
@frozen
class Rule:
    """What to say to a text; without `exact`, `contains` and `regex` to every text."""

    exact: Annotated[str | None, Key("The whole text, apart from space around it.", '"ping"')] = (
        None
    )
    contains: Annotated[str | None, Key("A part of the text, in any case.", '"weather"')] = None
    regex: Annotated[
        str | None,
        Key("A regular expression that is found in the text.", "'in (?P<city>\\w+)'"),
    ] = None
    answer: Annotated[str | None, Key("What to say.", '"You said: {{request}}"')] = None
    calls: Annotated[tuple[ScriptedCall, ...], Key("Tools to call first.", "[]")] = ()
    then: Annotated[
        str | None, Key("What to say when the tools have answered.", '"It is {{result}}."')
    ] = None
    fail: Annotated[FailureName | None, Key("How to fail.", '"rate_limited"')] = None
    retry_after: Annotated[
        Duration | None, Key("How long the failing service asks to wait.", '"2s"')
    ] = None
    times: Annotated[Count | None, Key("Only for so many first matches.", "2")] = None
    usage: Annotated[ScriptedUsage | None, Key("Tokens, in place of an estimate.", "")] = None


@final
@frozen
class Streaming:
    """How answers are streamed."""

    chunk: Annotated[Count | None, Key("Characters in a piece.", "8", default="a word")] = None
    delay: Annotated[Duration | None, Key("Time before each piece.", '"20ms"', default="none")] = (
        None
    )


@final
@frozen
class Scenario:
    """Rules in order: the first that fits a text is played."""

    rules: Annotated[
        tuple[Rule, ...], Key("The rules, in order.", "[]", "without rules there is no answer")
    ]
    model: Annotated[ModelName, Key("The model's name.", '"scripted"')] = ModelName("scripted")
    streaming: Annotated[Streaming, Key("How answers are streamed.", "")] = field(factory=Streaming)


def read_scenario(text: str) -> Result[Scenario, Problems]:
    """Read a scenario, or tell everything that is wrong with it."""
    table = parse_toml(text)
    if isinstance(table, Failure):
        return Failure((table.failure(),))
    scenario = read(Scenario, table.unwrap())
    if isinstance(scenario, Failure):
        return scenario
    problems = tuple(_problems(scenario.unwrap()))
    return Failure((problems[0], *problems[1:])) if problems else scenario


def default_scenario() -> Scenario:
    """What is played when no scenario is given."""
    text = files(__package__).joinpath("default.toml").read_text("utf-8")
    read = read_scenario(text)
    if isinstance(read, Success):
        return read.unwrap()
    raise ValueError(read.failure())


def _problems(scenario: Scenario) -> Iterator[Problem]:
    for index, rule in enumerate(scenario.rules):
        for what in (*_in_match(rule), *_in_play(rule)):
            yield Problem(("rules", index), what)
        if rule.regex is not None:
            why = _broken_regex(rule.regex)
            if why is not None:
                malformed = Malformed(rule.regex[:80], "a regular expression", why)
                yield Problem(("rules", index, "regex"), malformed)


def _in_match(rule: Rule) -> Iterator[Stated]:
    if sum(given is not None for given in (rule.exact, rule.contains, rule.regex)) > 1:
        yield Stated(
            "CX5101",
            "a rule matches in one way: by `exact`, `contains` or `regex`",
            "Keep one of them, or write two rules.",
        )


def _in_play(rule: Rule) -> Iterator[Stated]:
    if rule.answer is None and not rule.calls and rule.fail is None:
        yield Stated("CX5102", "a rule says nothing", "Give it an `answer`, `calls` or `fail`.")
    if rule.then is not None and not rule.calls:
        yield Stated(
            "CX5103",
            "`then` speaks after tools, and the rule has no `calls`",
            "Write `answer`, or add `calls`.",
        )


def _broken_regex(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"a pattern of Python's `re` ({error})"
    except (RecursionError, OverflowError, MemoryError):
        return "a pattern of Python's `re` that is not nested too deeply"
    return None
