"""Many senders, each patient: they ask again until they know, and note all that they are told."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from random import Random
from typing import Any, final

import anyio
from attrs import define, field

from tests.proofs.connection import Client, Gone, Reply
from tests.proofs.record import ENDED, Turn

PAUSE = 0.02
"""Seconds before a sender asks again."""

BUSY = frozenset({429, 503})


@final
class Manner(Enum):
    """How a message is sent."""

    WAIT = "wait for the answer"
    LATER = "respond-async, then ask"
    STREAM = "listen to the stream"
    TWICE = "the same key on two connections at once"
    AGAIN = "the same key again after the answer"


MANNERS = (Manner.WAIT, Manner.WAIT, Manner.LATER, Manner.STREAM, Manner.TWICE, Manner.AGAIN)


@final
@define
class Crowd:
    """Senders with conversations of their own, and the record of all that they saw."""

    port: int
    agents: Sequence[str]
    seed: int = 0
    turns_each: int = 8
    said_to: Callable[[Turn], str] = field(default=lambda turn: turn.text)
    turns: list[Turn] = field(factory=list, init=False)
    refusals: dict[str, int] = field(factory=dict, init=False)
    """How often new work was refused, by status and code."""
    _over: bool = field(default=False, init=False)

    async def run(self, senders: int) -> None:
        """Send until `stop`, then see every message that was begun to its end."""
        async with anyio.create_task_group() as group:
            for number in range(senders):
                group.start_soon(self._converse, number)

    def stop(self) -> None:
        """Begin no more messages."""
        self._over = True

    @property
    def begun(self) -> list[Turn]:
        """Messages that were sent and have no end that is known."""
        return [turn for turn in self.turns if turn.sent and not turn.state]

    @property
    def answered(self) -> int:
        """Messages whose answer was read."""
        return sum(turn.state == "answered" for turn in self.turns)

    async def audit(self, seconds: float, clients: int = 16) -> None:
        """Ask for every message once more: its state, and, by its key, its answer.

        What has not ended waits for its end, all together no longer than `seconds`.
        """
        left = [turn for turn in self.turns if turn.sent]
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as group:
                for _ in range(clients):
                    group.start_soon(self._audit_some, left)

    async def _audit_some(self, left: list[Turn]) -> None:
        client = Client(self.port)
        while left:
            turn = left.pop()
            if turn.ids:
                turn.state = "" if turn.state in ENDED else turn.state
                await self._until_it_ended(client, turn)
            if turn.key is not None and turn.ended:
                await _patiently(lambda turn=turn: self._send(client, turn))  # type: ignore[misc]
        client.close()

    async def _converse(self, number: int) -> None:
        dice = Random(f"{self.seed}/{number}")
        client, other = Client(self.port), Client(self.port)
        serial = 0
        while not self._over:
            serial += 1
            agent = dice.choice(self.agents)
            keyed = dice.random() > 0.1
            name = f"c{number}-{serial}"
            turns = [Turn(agent, name, at + 1) for at in range(dice.randint(1, self.turns_each))]
            for turn in turns:
                turn.key = f"key-{name}-{turn.number}" if keyed else None
                turn.text = self.said_to(turn)
            await self._one_after_the_other(client, other, turns, dice, keyed=keyed)
        client.close()
        other.close()

    async def _one_after_the_other(
        self, client: Client, other: Client, turns: Sequence[Turn], dice: Random, *, keyed: bool
    ) -> None:
        left = list(turns)
        while left and not self._over:
            burst = [left.pop(0) for _ in range(min(len(left), dice.choice((1, 1, 1, 3))))]
            self.turns += burst
            if len(burst) > 1 and keyed:
                for turn in burst:
                    await self._until_accepted(client, turn)
                for turn in burst:
                    await self._until_it_ended(client, turn)
            else:
                for turn in burst:
                    await self._settle(client, other, turn, dice.choice(MANNERS))
            if not all(turn.state == "answered" for turn in burst):
                return

    async def _settle(self, client: Client, other: Client, turn: Turn, manner: Manner) -> None:
        """Send one message in a manner, until its end is known or cannot be."""
        if turn.key is None:
            await self._send_once(client, turn, manner)
            return
        match manner:
            case Manner.LATER:
                await self._until_accepted(client, turn)
                await self._until_it_ended(client, turn)
            case Manner.STREAM:
                await _patiently(lambda: self._stream(client, turn))
            case Manner.WAIT:
                await _patiently(lambda: self._send(client, turn))
            case Manner.AGAIN:
                await _patiently(lambda: self._send(client, turn))
                await _patiently(lambda: self._send(client, turn))
            case Manner.TWICE:
                async with anyio.create_task_group() as group:
                    group.start_soon(_patiently, lambda: self._send(client, turn))
                    group.start_soon(_patiently, lambda: self._send(other, turn))

    async def _send_once(self, client: Client, turn: Turn, manner: Manner) -> None:
        """Without a key nobody can know what became of a message whose answer was lost."""
        sending = self._stream if manner is Manner.STREAM else self._send
        try:
            if not await sending(client, turn):
                turn.sent = False
        except Gone:
            turn.state = turn.state or "unknown"

    async def _send(self, client: Client, turn: Turn) -> bool:
        """Send and wait for the answer; false where the server takes nothing now."""
        reply = await self._post(client, turn, {})
        if reply.status == 200:
            _note_answer(turn, reply.json())
        return reply.status not in BUSY

    async def _stream(self, client: Client, turn: Turn) -> bool:
        events = _Events(turn)
        headers = {"accept": "text/event-stream"}
        reply = await self._post(client, turn, headers, heard=events.feed)
        if turn.ids and not turn.state:
            await self._until_it_ended(client, turn)
        return reply.status not in BUSY

    async def _until_accepted(self, client: Client, turn: Turn) -> None:
        async def accepted() -> bool:
            reply = await self._post(client, turn, {"prefer": "respond-async"})
            if reply.status == 202:
                turn.accepted = True
                turn.ids.append(str(reply.json()["message_id"]))
            elif reply.status == 200:
                _note_answer(turn, reply.json())
            return reply.status not in BUSY

        await _patiently(accepted)

    async def _until_it_ended(self, client: Client, turn: Turn) -> None:
        async def ended() -> bool:
            reply = await client.ask("GET", f"/messages/{turn.ids[-1]}")
            if reply.status == 404:
                turn.state = "404"
                return True
            shown = reply.json()
            if shown.get("status") not in ENDED:
                return False
            if "answer" in shown:
                _note_answer(turn, shown["answer"])
            else:
                turn.state = shown["status"]
                turn.codes.append(shown.get("problem", {}).get("code", ""))
            return True

        if turn.ids and turn.state != "404":
            await _patiently(ended)

    async def _post(
        self,
        client: Client,
        turn: Turn,
        headers: dict[str, str],
        heard: Callable[[bytes], None] | None = None,
    ) -> Reply:
        if turn.key is not None:
            headers = {**headers, "idempotency-key": turn.key}
        said = {"text": turn.text, "conversation_id": turn.conversation}
        turn.sent = True
        path = f"/agents/{turn.agent}/message"
        reply = await client.ask("POST", path, json.dumps(said).encode(), headers, heard)
        if reply.status in BUSY:
            what = f"{reply.status} {reply.code}"
            self.refusals[what] = self.refusals.get(what, 0) + 1
        elif reply.status >= 300:
            turn.codes.append(reply.code)
            turn.state = turn.state or f"{reply.status} {reply.code}"
        return reply


async def _patiently(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Try until it is true, however often the server goes away."""
    while True:
        try:
            if await attempt():
                return
        except Gone:
            pass
        await anyio.sleep(PAUSE)


def _note_answer(turn: Turn, answer: dict[str, Any]) -> None:
    turn.accepted = True
    turn.ids.append(answer["message_id"])
    turn.read_answer(answer["text"], time.monotonic())


@final
@define
class _Events:
    """Server-sent events of one message, noted as they come."""

    turn: Turn
    _rest: bytes = b""
    _streamed: str = ""

    def feed(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(b"\n\n")
        for event in whole:
            fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
            if b"event" in fields and b"data" in fields:
                self._take(fields[b"event"].decode(), json.loads(fields[b"data"]))

    def _take(self, name: str, told: dict[str, Any]) -> None:
        match name:
            case "accepted":
                self.turn.accepted = True
                self.turn.ids.append(told["message_id"])
            case "message":
                _note_answer(self.turn, told)
            case "error":
                self.turn.codes.append(told.get("code", ""))
            case _:
                pass
