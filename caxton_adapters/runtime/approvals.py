"""Calls that wait for a person: who is asked what, and how their answer reaches the turn."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_core.events import ApprovalGiven
from caxton_core.ports import Clock, Events, Journal
from caxton_core.primitives import AgentId, AgentName, ConversationId, MessageId
from caxton_core.storage import NotStored
from caxton_core.tools.approval import Approval, ApprovalId, Approved, Denied, Expired, Said

MOST_REMEMBERED: Final = 1000
"""Answered approvals of which the answer is still known."""
MOST_CHARACTERS: Final = 4_000_000
"""As much text of their arguments is kept."""
_GLANCE: Final = 0.05


@final
@frozen
class Request:
    """An approval, and the message in whose turn the call is."""

    approval: Approval
    agent: AgentId
    agent_name: AgentName
    message: MessageId
    conversation: ConversationId


@final
@frozen
class UnknownApproval:
    """No approval of this id waits, nor was answered lately."""

    id: str


@final
@frozen
class AlreadyAnswered:
    """Somebody answered before, or nobody did in time."""

    id: str
    said: Said


ApprovalRefusal: TypeAlias = UnknownApproval | AlreadyAnswered | NotStored


def approval_id(key: str) -> ApprovalId:
    """The id of the approval of a call, from the key that the call has whenever it is made."""
    return ApprovalId(f"apr_{hashlib.sha256(key.encode()).hexdigest()[:20]}")


@final
@define(eq=False)
class _Waiting:
    request: Request
    answer: asyncio.Future[Said]
    settling: "asyncio.Task[Result[Said, NotStored]] | None" = None
    """Somebody's answer on its way to the journal."""


@final
@define(eq=False)
class Approvals:
    """Every call that waits for a person, and the last ones that waited."""

    _journal: Journal
    _events: Events
    _clock: Clock
    _waiting: dict[str, _Waiting] = field(factory=dict, init=False)
    _answered: "OrderedDict[str, tuple[Request, Said]]" = field(factory=OrderedDict, init=False)
    _characters: int = field(default=0, init=False)

    def waiting(self) -> Sequence[Request]:
        """Whatever waits, what was asked first first."""
        requests = (each.request for each in self._waiting.values() if each.settling is None)
        return sorted(requests, key=lambda request: request.approval.asked)

    def find(self, id_: str) -> Result[tuple[Request, Said | None], UnknownApproval]:
        """An approval with what was said, if something was."""
        waits = self._waiting.get(id_)
        if waits is not None:
            return Success((waits.request, None))
        answered = self._answered.get(id_)
        return Failure(UnknownApproval(id_)) if answered is None else Success(answered)

    async def answer(self, id_: str, said: Approved | Denied) -> Result[Request, ApprovalRefusal]:
        """Say whether the call is made; it is recorded when this returns.

        Whoever goes away meanwhile has said it all the same.
        """
        waits = self._waiting.get(id_)
        if waits is None:
            known = self._answered.get(id_)
            if known is None:
                return Failure(UnknownApproval(id_))
            return Failure(AlreadyAnswered(id_, known[1]))
        earlier = waits.settling
        settled = await asyncio.shield(earlier or self._begin_to_settle(waits, said))
        if isinstance(settled, Failure):
            return settled
        if earlier is not None:
            return Failure(AlreadyAnswered(id_, settled.unwrap()))
        return Success(waits.request)

    async def wait(self, request: Request) -> Said:
        """What a person says, or that nobody said anything before the approval expired."""
        waits = _Waiting(request, asyncio.get_running_loop().create_future())
        id_ = request.approval.id.value
        self._waiting[id_] = waits
        try:
            return await self._said(waits)
        finally:
            if self._waiting.get(id_) is waits:
                del self._waiting[id_]

    async def _said(self, waits: _Waiting) -> Said:
        left = _seconds_until(waits.request.approval.expires, self._clock.now())
        await asyncio.wait((waits.answer,), timeout=left)
        while not waits.answer.done():
            settling = waits.settling or self._begin_to_settle(waits, Expired())
            if isinstance(await asyncio.shield(settling), Failure):
                await asyncio.sleep(_GLANCE)
        return waits.answer.result()

    def _begin_to_settle(
        self, waits: _Waiting, said: Said
    ) -> "asyncio.Task[Result[Said, NotStored]]":
        waits.settling = asyncio.get_running_loop().create_task(self._settle(waits, said))
        return waits.settling

    async def _settle(self, waits: _Waiting, said: Said) -> Result[Said, NotStored]:
        """Record what was said, and let the turn know; where that fails it waits again."""
        request, now = waits.request, self._clock.now()
        given = ApprovalGiven(request.agent, now, request.message, request.approval.id, said)
        stored = await self._journal.append(given)
        if isinstance(stored, Failure):
            waits.settling = None
            return stored
        self._events.tell(given)
        self._remember(request, said)
        if not waits.answer.done():
            waits.answer.set_result(said)
        return Success(said)

    def _remember(self, request: Request, said: Said) -> None:
        self._answered[request.approval.id.value] = request, said
        self._characters += len(request.approval.call.arguments.value)
        while len(self._answered) > MOST_REMEMBERED or self._characters > MOST_CHARACTERS:
            _, (forgotten, _) = self._answered.popitem(last=False)
            self._characters -= len(forgotten.approval.call.arguments.value)


def expiry(asked: datetime, patience: float) -> datetime:
    """Until when a person who is asked now may answer."""
    return asked + timedelta(seconds=patience)


def _seconds_until(then: datetime, now: datetime) -> float:
    return max((then - now).total_seconds(), 0.0)
