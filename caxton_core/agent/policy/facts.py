"""What is known of the installation that an agent would run in; what is not known is not judged."""

from collections.abc import Mapping
from typing import final

from attrs import field, frozen

from caxton_core.agent.sections import Isolation


@final
@frozen(kw_only=True)
class Facts:
    """An installation as the rules see it; None where nobody knows.

    `default_provider` answers for agents that name none; `tools` holds the tools whose definitions
    are known, with the names of their arguments; `isolation` is what an agent gets that asks for
    none.
    """

    providers: frozenset[str] | None = None
    default_provider: str | None = None
    servers: frozenset[str] | None = None
    tools: Mapping[str, frozenset[str]] = field(factory=dict)
    memory: int | None = None
    cores: float | None = None
    isolation: Isolation | None = None


NOTHING_KNOWN = Facts()
