r"""A client for programs that talk to a Caxton server.

    async with Client("http://127.0.0.1:8080") as caxton:
        await caxton.deploy('name = "greeter"\nsystem_prompt = "You greet people."')
        print((await caxton.send("greeter", "Hello!")).text)

It runs on asyncio.
"""

from caxton_adapters.client.client import Client, FailedCall, Pieces
from caxton_adapters.client.failures import CallFailed, Failure, NoAnswer, NotUnderstood, Refused
from caxton_adapters.client.wire import (
    Agent,
    AgentSummary,
    Answer,
    Conversation,
    ErrorItem,
    Health,
    Message,
    ResourceUse,
    ToolCall,
    Usage,
)

__all__ = [
    "Agent",
    "AgentSummary",
    "Answer",
    "CallFailed",
    "Client",
    "Conversation",
    "ErrorItem",
    "FailedCall",
    "Failure",
    "Health",
    "Message",
    "NoAnswer",
    "NotUnderstood",
    "Pieces",
    "Refused",
    "ResourceUse",
    "ToolCall",
    "Usage",
]
