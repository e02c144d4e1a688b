"""What a token lets its holder do: a few words, each for one kind of work."""

from enum import Enum
from typing import Final, TypeAlias, final


@final
class Scope(Enum):
    """One kind of work; none but `admin` includes another."""

    READ = "read"
    MESSAGE = "message"
    AGENTS_WRITE = "agents:write"
    APPROVE = "approve"
    MEMORY_WRITE = "memory:write"
    MCP_ADMIN = "mcp:admin"
    ADMIN = "admin"


Scopes: TypeAlias = frozenset[Scope]

EVERYTHING: Final[Scopes] = frozenset(Scope)
MEANINGS: Final = {
    Scope.READ: "see agents, conversations, messages, memories, events and health",
    Scope.MESSAGE: "send messages, and cancel or retry them",
    Scope.AGENTS_WRITE: "deploy, change, start, stop and delete agents and their conversations",
    Scope.APPROVE: "answer for a person where an agent asks for approval",
    Scope.MEMORY_WRITE: "store and forget memories",
    Scope.MCP_ADMIN: "register servers of tools, so run any program as the server's user; "
    "call and approve tools",
    Scope.ADMIN: "everything, tokens included",
}


def whole(scopes: Scopes) -> Scopes:
    """The scopes with everything that they include."""
    return EVERYTHING if Scope.ADMIN in scopes else scopes


def allows(held: Scopes, needed: Scopes) -> bool:
    """Whether someone with these scopes may do what any one of the needed ones lets do."""
    return not whole(held).isdisjoint(needed)
