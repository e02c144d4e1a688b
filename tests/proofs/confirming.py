"""A person who approves every call that waits, however often the server goes away meanwhile."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import final

import anyio
from attrs import define, field

from tests.proofs.connection import Client, Gone
from tests.proofs.installation import AgentFile
from tests.proofs.record import Turn

_GLANCE = 0.02
AGENT = AgentFile(
    "confirming", top='tools = ["memory.remember"]', permissions='ask = ["memory.remember"]'
)


@final
@define
class Person:
    """Says yes to everything, and remembers to what."""

    port: int
    approved: set[str] = field(factory=set)
    """The messages in whose turns calls were approved, whether or not it was heard."""

    async def approve(self) -> None:
        """Look for calls that wait, and approve them, until cancelled."""
        client = Client(self.port, limit=15)
        try:
            while True:
                with suppress(Gone):
                    await self._approve_some(client)
                await anyio.sleep(_GLANCE)
        finally:
            client.close()

    async def _approve_some(self, client: Client) -> None:
        page = (await client.ask("GET", "/approvals?limit=200")).json()
        for waiting in page.get("approvals", ()):
            self.approved.add(waiting["message_id"])
            said = json.dumps({"decision": "approve"}).encode()
            await client.ask("POST", f"/approvals/{waiting['id']}", said)


def unasked(turns: Iterable[Turn], approved: set[str]) -> Iterator[str]:
    """The answered turns whose call nobody was asked about."""
    for turn in turns:
        if turn.agent == AGENT.name and turn.state == "answered" and turn.ids[-1] not in approved:
            yield f"{turn.text} was answered, and nobody was asked about its call"
