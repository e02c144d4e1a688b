"""What is known about OpenAI's own models, by the beginnings of their names."""

import re
from collections.abc import Mapping
from typing import Final, final

from attrs import frozen

from caxton_core.conversation.model import Feature, ModelCapabilities, ToolSupport
from caxton_core.primitives import TokenCount


@final
@frozen
class Family:
    """Models that can do the same."""

    context_length: int
    vision: bool = True
    structured_output: bool = True
    tools: bool = True

    @property
    def capabilities(self) -> ModelCapabilities:
        """The same in the core's words."""
        features = {Feature.STREAMING}
        if self.vision:
            features.add(Feature.VISION)
        if self.structured_output:
            features.add(Feature.STRUCTURED_OUTPUT)
        return ModelCapabilities(
            ToolSupport.NATIVE if self.tools else ToolSupport.NONE,
            frozenset(features),
            TokenCount(self.context_length),
        )


FAMILIES: Final[Mapping[str, Family]] = {
    "gpt-3.5-turbo": Family(16_385, vision=False, structured_output=False),
    "gpt-4": Family(8_192, vision=False, structured_output=False),
    "gpt-4-32k": Family(32_768, vision=False, structured_output=False),
    "gpt-4-turbo": Family(128_000, structured_output=False),
    "gpt-4.1": Family(1_047_576),
    "gpt-4.5": Family(128_000),
    "gpt-4o": Family(128_000),
    "gpt-5": Family(400_000),
    "gpt-5-chat": Family(128_000, tools=False),
    "o1": Family(200_000),
    "o1-mini": Family(128_000, vision=False, structured_output=False, tools=False),
    "o3": Family(200_000),
    "o3-mini": Family(200_000, vision=False),
    "o4-mini": Family(200_000),
}
REASONING: Final = re.compile(r"(openai/)?(o[1-9]|gpt-5(?!-chat))([.-]|$)")


def family(model: str) -> Family | None:
    """The family with the longest name that begins the model's name."""
    found = [name for name in FAMILIES if re.match(rf"{re.escape(name)}([.-]|$)", model)]
    return FAMILIES[max(found, key=len)] if found else None


def reasons(model: str) -> bool:
    """Whether the model thinks before it answers.

    Such models call the limit of an answer `max_completion_tokens` and refuse a temperature,
    penalties and stop sequences.
    """
    return REASONING.match(model) is not None
