"""Rules about what agents share: memory and conversations."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.agent.sections import ConversationScope, MemoryScope


def _memory(case: Case) -> Iterator[Found]:
    memory = case.config.memory
    if memory.enabled and memory.auto_store and memory.scope is MemoryScope.GLOBAL:
        yield found("memory", "scope")


def _conversations(case: Case) -> Iterator[Found]:
    if case.config.conversation.scope is ConversationScope.SHARED:
        yield found("conversation", "scope")


SHARING: Final = (
    Rule("CX1348", lambda policy: policy.sharing.memory, _memory),
    Rule("CX1349", lambda policy: policy.sharing.conversations, _conversations),
)
