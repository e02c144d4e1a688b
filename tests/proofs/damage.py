"""What a broken log leaves behind: the server starts with all that came before, or says why not.

The log of the database is cut off and its bytes are flipped, anywhere; a sender's messages came one
after the other, so those that are known afterwards are the first of them, as they were answered.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import final

import anyio
from attrs import frozen

from tests.model_server import model_server
from tests.proofs.asking import Asking
from tests.proofs.installation import AgentFile, Installation, NotReadyError, installation
from tests.proofs.report import Report

REFUSED = 6
END_SECONDS = 15.0
AGENT = AgentFile("quick")


@final
@frozen
class Cut:
    """The log ends at this share of its length."""

    share: float

    def do(self, log: Path) -> None:
        """Truncate it."""
        with log.open("r+b") as file:
            file.truncate(int(log.stat().st_size * self.share))


@final
@frozen
class Flipped:
    """A byte at each of these shares of its length is another one."""

    shares: tuple[float, ...]

    def do(self, log: Path) -> None:
        """Flip all bits of the bytes."""
        content = bytearray(log.read_bytes())
        for share in self.shares:
            content[int((len(content) - 1) * share)] ^= 0xFF
        log.write_bytes(content)


Damage = Cut | Flipped


def damages(count: int, seed: int) -> Iterator[Damage]:
    """Cuts and flips in turns, at random places."""
    dice = Random(seed)
    for number in range(count):
        if number % 2:
            yield Flipped(tuple(dice.random() for _ in range(dice.choice((1, 1, 8)))))
        else:
            yield Cut(dice.random())


@final
@frozen
class Known:
    """A message as it was answered."""

    id: str
    text: str
    answer: str


async def prove(count: int = 40, *, messages: int = 40, seed: int = 1) -> Report:
    """Damage the log so often, each time as a kill left it."""
    faults: list[str] = []
    kept: list[int] = []
    refused = 0
    with model_server() as models, installation() as here:
        sent = await _sent(here, models.at(unique=1, tag="damage"), messages)
        original = here.directory / "original"
        shutil.copytree(here.data, original)
        for damage in damages(count, seed):
            shutil.rmtree(here.data)
            shutil.copytree(original, here.data)
            damage.do(here.database.with_name(f"{here.database.name}-wal"))
            here.start()
            try:
                await here.ready()
            except NotReadyError:
                refused += 1
                faults += _refusal(here, damage)
                continue
            found = await _found(here, sent, damage, faults)
            kept.append(found)
            await here.kill()
    counts = {
        "damaged": f"{count} times after {len(sent)} messages",
        "started": f"{len(kept)}, with {min(kept, default=0)} to {max(kept, default=0)} messages",
        "refused": str(refused),
    }
    return Report("damaged-log", counts, faults)


async def _sent(here: Installation, model: str, messages: int) -> list[Known]:
    await here.begin({"main": model}, [AGENT])
    asking, sent = Asking(here), []
    for number in range(1, messages + 1):
        text = f"turn {number} of damage"
        reply = (await asking.say(AGENT.name, text, "damage", f"key-{number}")).json()
        sent.append(Known(reply["message_id"], text, reply["text"]))
    await here.kill()
    return sent


def _refusal(here: Installation, damage: Damage) -> list[str]:
    if here.ended_with == REFUSED and "CX2" in here.log:
        return []
    return [f"{damage}: the server ended with {here.ended_with}: {here.log}"]


async def _found(here: Installation, sent: list[Known], damage: Damage, faults: list[str]) -> int:
    """How many messages are known."""
    asking = Asking(here)
    shown = [await _ended(asking, message.id) for message in sent]
    faults += [f"{damage}: {fault}" for fault in not_the_first(sent, shown)]
    return sum(each is not None for each in shown)


def not_the_first(sent: Sequence[Known], shown: Sequence[str | None]) -> Iterator[str]:
    """What keeps the answers from being those of the first messages.

    The last one may be another: where only the record of its end was cut off, it is given anew.
    """
    known = [each is not None for each in shown]
    if known != sorted(known, reverse=True):
        yield f"of the messages are known {known}"
    last = sum(known) - 1
    for at, (message, answer) in enumerate(zip(sent, shown, strict=True)):
        anew = at == last and answer is not None and answer.startswith(f"{message.text} #")
        if answer not in {None, message.answer} and not anew:
            yield f"{message.text} was answered {message.answer}, now {answer}"


async def _ended(asking: Asking, identity: str) -> str | None:
    """The answer of a message once it has one; None where it is not known."""
    with anyio.fail_after(END_SECONDS):
        while True:
            reply = await asking.get(f"/messages/{identity}")
            if reply.status == 404:
                return None
            shown = reply.json()
            if shown.get("status") not in {"accepted", "running"}:
                return str(shown.get("answer", {}).get("text", shown))
            await anyio.sleep(0.01)
