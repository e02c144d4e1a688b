"""Rules about the texts that the model gets to see."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.rule import Rule, at
from caxton_core.primitives import FreeTable
from caxton_core.problems import (
    AnswerFillsWindow,
    ParameterUnused,
    PlaceholderInSystemPrompt,
    Problem,
    PromptFillsWindow,
    RequestUnused,
    ReservedParameter,
    SingleBraces,
    UnknownPlaceholder,
    UnprintableParameter,
)
from caxton_core.reading.nearest import nearest

REQUEST: Final = "request"
BYTES_PER_TOKEN: Final = 4

_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_SINGLE: Final = re.compile(r"(?<!\{)\{([a-z][a-z0-9_]*)\}(?!\})")
_DOUBLE: Final = re.compile(r"\{\{\s*[a-z][a-z0-9_]*\s*\}\}")


def _placeholders(config: AgentConfig) -> Iterator[Problem]:
    known = (REQUEST, *(name for name in config.parameters if _NAME.fullmatch(name)))
    here = at("user_prompt_template")
    for name in config.user_prompt_template.placeholders:
        if name not in known:
            yield here(UnknownPlaceholder(name, known, nearest(name, known)))
        elif isinstance(config.parameters.get(name), FreeTable | Mapping):
            yield here(UnprintableParameter(name))


def _request(config: AgentConfig) -> Iterator[Problem]:
    if REQUEST in config.parameters:
        yield at("parameters", REQUEST)(ReservedParameter(REQUEST))
    if REQUEST not in config.user_prompt_template.placeholders:
        yield at("user_prompt_template")(RequestUnused())


def _single_braces(config: AgentConfig) -> Iterator[Problem]:
    for name in dict.fromkeys(_SINGLE.findall(config.user_prompt_template.value)):
        yield at("user_prompt_template")(SingleBraces(f"{{{name}}}", f"{{{{{name}}}}}"))


def _unused_parameters(config: AgentConfig) -> Iterator[Problem]:
    for name in config.parameters:
        if name not in (*config.user_prompt_template.placeholders, REQUEST):
            yield at("parameters", name)(ParameterUnused(name))


def _system_prompt(config: AgentConfig) -> Iterator[Problem]:
    found = _DOUBLE.search(config.system_prompt.value)
    if found is not None:
        yield at("system_prompt")(PlaceholderInSystemPrompt(found[0]))


def _window(config: AgentConfig) -> Iterator[Problem]:
    window = config.conversation.context_window.value
    longest = config.llm.max_tokens
    estimate = len(config.system_prompt.value.encode()) // BYTES_PER_TOKEN
    if longest is not None and longest.value >= window:
        yield at("llm", "max_tokens")(AnswerFillsWindow(longest.value, window))
    if estimate >= window:
        yield at("system_prompt")(PromptFillsWindow(estimate, window))


PROMPTS: Final = (
    Rule((("user_prompt_template",), ("parameters",)), _placeholders),
    Rule((("user_prompt_template",), ("parameters",)), _request),
    Rule((("user_prompt_template",),), _single_braces),
    Rule((("user_prompt_template",), ("parameters",)), _unused_parameters),
    Rule((("system_prompt",),), _system_prompt),
    Rule(
        (("conversation", "context_window"),),
        _window,
    ),
)
