"""A model as its callers meet it: retried, guarded by breakers, kept within limits, priced.

Four policies meet in one wrapper, because each layer of its own would cost every streamed piece.
What they decide stands in their own modules; here is only the order: each attempt passes the
breaker, reserves its room, calls, is priced, settles, and is told to the breaker; then the retry
policy says whether there is another. Nothing is retried once text was streamed.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeAlias, final

import anyio
from attrs import define, evolve, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.providers.breakers import Breakers
from caxton_adapters.providers.pieces import closable
from caxton_adapters.providers.prices import cost, most
from caxton_adapters.providers.pricing import Pricing
from caxton_adapters.providers.quotas import Quotas
from caxton_core.conversation.model import (
    AnswerCut,
    Completion,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    TextDelta,
)
from caxton_core.conversation.spending import answer_tokens, most_prompt_tokens, spent
from caxton_core.limits import Reservation, Usage
from caxton_core.ports import Answer, Clock, Model
from caxton_core.primitives import Duration, ModelName, Usd
from caxton_core.resilience.breaker import Outcome, Permit, outcome_of
from caxton_core.resilience.retry import (
    RetryBudget,
    RetryPolicy,
    asked,
    asked_again,
    wait_before,
)

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


NOTHING: Final = Usd(0)
MOST_MONEY: Final = int(Usd.rule.high) * 10**9
_ANSWERED = Outcome.ANSWERED  # reading a member of an Enum class is slow before Python 3.12
_SILENCE: Answer = Failure(AnswerCut("the stream ended without an answer"))


@final
@frozen
class Guards:
    """What an attempt has to pass; None where an operator set no limit or nothing has a price."""

    breakers: Breakers
    quotas: Quotas | None = None
    pricing: Pricing | None = None
    retries: RetryPolicy = RetryPolicy()


@final
@frozen
class Chance:
    """Where waits and their randomness come from; tests bring their own."""

    clock: Clock
    jitter: Callable[[], float]
    sleep: Sleep = anyio.sleep


@final
class Resilient:
    """A provider's model with everything that stands between it and its callers.

    `failure` is what came of the last call, None where it was answered.
    """

    def __init__(
        self, model: Model, guards: Guards, chance: Chance, default: ModelName | None
    ) -> None:
        self._model = model
        self._breakers = guards.breakers
        self._quotas = guards.quotas
        self._pricing = guards.pricing
        self._retries = guards.retries
        self._clock = chance.clock
        self._jitter = chance.jitter
        self._sleep = chance.sleep
        self._default = "" if default is None else default.value
        self._budget = RetryBudget()
        self._asked = 0
        self._since = 0.0
        self.failure: ModelFailure | None = None

    async def complete(self, request: ModelRequest) -> Answer:
        """The whole answer, after as many attempts as the policy allows."""
        course = self._begun(request)
        if self._quotas is not None:
            course.request = self._quotas.bounded(course.request)
            await self._learn_price(course.request, self._quotas)
        while True:
            attempt = self._enter(course)
            if attempt is None:
                return course.answer
            try:
                answer = await self._price(attempt, await self._model.complete(course.request))
            except BaseException:
                self._abandon(attempt)
                raise
            course.answer = self._left(attempt, answer)
            if isinstance(course.answer, Success) or not await self._again(course):
                return course.answer

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        """The answer piece by piece, retried only before its first piece."""
        course = self._begun(request)
        if self._quotas is not None:
            course.request = self._quotas.bounded(course.request)
            await self._learn_price(course.request, self._quotas)
        while True:
            attempt = self._enter(course)
            if attempt is None:
                break
            shown, answer = False, _SILENCE
            try:
                async with aclosing(closable(self._model.stream(course.request))) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, TextDelta):
                            shown = True
                            yield piece
                        else:
                            answer = await self._price(attempt, piece)
            except BaseException:
                self._abandon(attempt)
                raise
            course.answer = self._left(attempt, answer)
            if shown or isinstance(course.answer, Success) or not await self._again(course):
                break
        yield course.answer

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        """What the model itself says."""
        return self._model.capabilities(model)

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        """What the service itself says, whatever the breaker thinks of it."""
        return self._model.health()

    async def learn_price(self, model: ModelName) -> None:
        """Look a model's price up, so that its first answer need not wait for it."""
        if self._pricing is not None:
            await self._pricing.find(model.value)

    async def quote(self, request: ModelRequest) -> Usd | None:
        """The most that one call with this bounded request can cost; None where nobody knows."""
        if self._pricing is None:
            return NOTHING
        prices = await self._pricing.find(self._name(request))
        if prices is None:
            return None
        price = most(prices, most_prompt_tokens(request), answer_tokens(request))
        return Usd(min(price, MOST_MONEY))

    def _begun(self, request: ModelRequest) -> "_Course":
        now = self._clock.monotonic()
        if now - self._since >= 1.0:
            self._count(now)
        self._asked += 1
        return _Course(request, deadline=now + request.timeout.value)

    def _count(self, now: float) -> None:
        """Tell the retry budget of the requests since it heard of any: it needs no single ones."""
        if self._asked:
            self._budget = asked(self._budget, self._asked, self._since)
        self._asked, self._since = 0, now

    async def _learn_price(self, request: ModelRequest, quotas: Quotas) -> None:
        if quotas.needs_price and self._pricing is not None:
            await self._pricing.find(self._name(request))

    def _name(self, request: ModelRequest) -> str:
        return self._default if request.model is None else request.model.value

    def _enter(self, course: "_Course") -> "_Attempt | None":
        """Begin an attempt, or leave in the course why not: what failed before says more."""
        now = self._clock.monotonic()
        model = self._name(course.request)
        permit = self._breakers.enter(model, now)
        if not isinstance(permit, Permit):
            course.refuse(permit)
            return None
        if self._quotas is None:
            return _Attempt(model, permit, None)
        prices = None if self._pricing is None else self._pricing.known(model)
        reservation = self._quotas.enter(course.request, prices, now)
        if isinstance(reservation, Reservation):
            return _Attempt(model, permit, reservation)
        self._breakers.leave(model, permit, Outcome.ABANDONED, now)
        course.refuse(reservation)
        return None

    async def _price(self, attempt: "_Attempt", answer: Answer) -> Answer:
        """The answer with its cost, if the model has a price."""
        if self._pricing is None or isinstance(answer, Failure):
            return answer
        completion = answer.unwrap()
        name = attempt.model or completion.model
        if self._pricing.is_known(name):
            prices = self._pricing.known(name)
        else:
            prices = await self._pricing.find(name)
        if prices is None:
            return answer
        price = cost(prices, completion.usage, self._clock.now())
        return Success(_with_cost(completion, price))

    def _left(self, attempt: "_Attempt", answer: Answer) -> Answer:
        """Tell the policies what came of the attempt."""
        now = self._clock.monotonic()
        self._breakers.leave(attempt.model, attempt.permit, _outcome(answer), now)
        self.failure = answer.failure() if isinstance(answer, Failure) else None
        if self._quotas is not None and attempt.reservation is not None:
            self._quotas.leave(attempt.reservation, spent(answer, attempt.reservation))
        return answer

    def _abandon(self, attempt: "_Attempt") -> None:
        """Nobody waits any more; the service may have worked, so its room counts as spent."""
        now = self._clock.monotonic()
        self._breakers.leave(attempt.model, attempt.permit, Outcome.ABANDONED, now)
        if self._quotas is not None and attempt.reservation is not None:
            self._quotas.leave(attempt.reservation, attempt.reservation.room)

    async def _again(self, course: "_Course") -> bool:
        """Wait for another attempt, if the policy, the deadline and the budget allow one."""
        if isinstance(course.answer, Success):
            return False
        now = self._clock.monotonic()
        left = course.deadline - now
        failure = course.answer.failure()
        wait = wait_before(
            self._retries, failure, retried=course.retried, left=left, jitter=self._jitter()
        )
        self._count(now)
        budget = None if wait is None else asked_again(self._budget, now)
        if wait is None or budget is None:
            return False
        self._budget = budget
        await self._sleep(wait)
        return course.goes_on(course.deadline - self._clock.monotonic())


@final
@define
class _Course:
    """One request on its way through its attempts."""

    request: ModelRequest
    deadline: float
    retried: int = 0
    answer: Answer = _SILENCE

    def refuse(self, why: ModelFailure) -> None:
        """Keep why no attempt is made, unless an attempt has failed already."""
        if not self.retried:
            self.answer = Failure(why)

    def goes_on(self, left: float) -> bool:
        """Prepare another attempt in the seconds that are left, if there are any."""
        milliseconds = int(left * 1000)
        if milliseconds < 1:
            return False
        self.retried += 1
        self.request = evolve(self.request, timeout=Duration(milliseconds / 1000))
        return True


@final
@define
class _Attempt:
    """One call under way: what has to be given back after it."""

    model: str
    permit: Permit
    reservation: Reservation | None


def _outcome(answer: Answer) -> Outcome:
    return outcome_of(answer.failure()) if isinstance(answer, Failure) else _ANSWERED


def _with_cost(completion: Completion, price: Usd) -> Completion:
    told = completion.usage
    usage = Usage(
        told.prompt_tokens, told.completion_tokens, told.cached_tokens, told.reasoning_tokens, price
    )
    return Completion(completion.text, completion.finish, usage, completion.model, completion.calls)
