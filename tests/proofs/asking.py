"""The few requests that every proof makes."""

import json
from typing import final

from attrs import define, field

from tests.proofs.connection import Client, Gone, Reply
from tests.proofs.installation import Installation


@final
@define
class Asking:
    """One client of an installation, with names for what it asks."""

    here: Installation
    client: Client = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.client = Client(self.here.port, limit=15)

    async def get(self, path: str) -> Reply:
        """What is there."""
        return await self.client.ask("GET", path)

    async def say(self, agent: str, text: str, conversation: str, key: str = "") -> Reply:
        """Send a message and wait for the answer."""
        body = json.dumps({"text": text, "conversation_id": conversation}).encode()
        headers = {"idempotency-key": key} if key else {}
        return await self.client.ask("POST", f"/agents/{agent}/message", body, headers)

    async def delete(self, agent: str) -> Reply:
        """Delete an agent."""
        return await self.client.ask("DELETE", f"/agents/{agent}?force=true")

    async def status(self, path: str) -> str:
        """The status of what is there, or that nobody answers."""
        try:
            return str((await self.get(path)).status)
        except Gone as gone:
            return f"no answer ({gone})"


def refused_well(reply: Reply) -> list[str]:
    """What is missing in a refusal that asks to come back later."""
    faults = []
    if reply.status != 503:
        faults.append(f"new work was answered {reply.status}, not 503: {reply.body[:200]!r}")
    if not reply.code.startswith("CX"):
        faults.append(f"the refusal of new work has no code: {reply.body[:200]!r}")
    if not reply.headers.get("retry-after", "").isdigit():
        faults.append("the refusal of new work does not say when to come back")
    return faults
