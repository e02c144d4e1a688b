"""What a seed stands for: an installation, what is said in it, and how often what goes wrong."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, final

from attrs import evolve, field, frozen, mutable

from caxton_core.agent.sections import WindowStrategy
from caxton_core.conversation.message import SystemMessage
from caxton_core.conversation.model import Sampling
from caxton_core.conversation.turn import Candidate, TurnRules
from caxton_core.events import MessageAccepted
from caxton_core.primitives import (
    AgentId,
    ConversationId,
    Duration,
    JsonObject,
    MessageId,
    ProviderName,
    TokenCount,
    ToolName,
)
from caxton_core.tools.tool import Tool

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
AGENTS: Final = (
    AgentId("11111111-0000-4000-8000-000000000001"),
    AgentId("11111111-0000-4000-8000-000000000002"),
)
READ: Final = Tool(ToolName("files.read"), "Read.", JsonObject("{}"), idempotent=True)
SEND: Final = Tool(ToolName("mail.send"), "Send.", JsonObject("{}"))
PAY: Final = Tool(ToolName("bank.pay"), "Pay; a person is asked first.", JsonObject("{}"))
CANDIDATES: Final = (
    Candidate(ProviderName("first"), None),
    Candidate(ProviderName("second"), None),
)
IDEMPOTENT: Final = frozenset({READ.name})


@final
@frozen
class Rates:
    """How probable each fault is whenever it could happen."""

    crash: float
    death: float
    model_fails: float
    cancel: float
    slow: float
    unclear: float


NO_FAULTS: Final = Rates(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@final
@mutable
class Plan:
    """The installation of one schedule; the faults stop when `rates` are set to none."""

    seed: int
    chance: Random
    rates: Rates
    messages: tuple[MessageAccepted, ...]
    tokens_per_day: int | None
    calls: float = 0.0
    asks: bool = True
    """Whether the rules want a person to be asked before something is paid."""
    rules: TurnRules = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rules = self.drawn_rules()

    def strikes(self, rate: float) -> bool:
        """Whether something of this probability happens now."""
        return rate > 0 and self.chance.random() < rate

    def drawn_rules(self) -> TurnRules:
        """An agent's file; it may be another one after a restart of the server."""
        chance = self.chance
        return TurnRules(
            SystemMessage("You help."),
            "{{request}}",
            {},
            CANDIDATES[: chance.randint(1, 2)],
            Sampling(max_tokens=TokenCount(40)),
            Duration(60.0),
            TokenCount(chance.choice((150, 260, 350))),
            max_exchanges=chance.choice((2, 50)),
            max_tool_rounds=chance.randint(1, 3),
            tokens_per_turn=chance.choice((None, TokenCount(300), TokenCount(4000))),
            tools=(READ, SEND, PAY),
            strategy=chance.choice(tuple(WindowStrategy)),
        )


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    chance = Random(seed)
    rates = Rates(
        crash=chance.choice((0.0, 0.02, 0.1)),
        death=chance.choice((0.0, 0.05, 0.3)),
        model_fails=chance.choice((0.0, 0.1, 0.6)),
        cancel=chance.choice((0.0, 0.01)),
        slow=chance.choice((0.0, 0.02)),
        unclear=chance.choice((0.0, 0.05)),
    )
    count = chance.randint(1, 4)
    places = [_place(chance) for _ in range(chance.randint(1, 2))]
    messages = tuple(_message(number, chance.choice(places), chance) for number in range(count))
    plan = Plan(seed, chance, rates, messages, chance.choice((None, 800, 50_000)))
    plan.calls = chance.choice((0.0, 0.3, 0.8))
    return plan


def _place(chance: Random) -> MessageAccepted:
    """What the messages of a conversation have in common."""
    talk = ConversationId(f"talk-{chance.randint(1, 2)}")
    shared = chance.random() < 0.3
    return MessageAccepted(chance.choice(AGENTS), START, MessageId("-"), talk, "", shared=shared)


def _message(number: int, place: MessageAccepted, chance: Random) -> MessageAccepted:
    text = f"message {number} " + "x" * chance.choice((5, 400))
    at = START + timedelta(seconds=number)
    return evolve(place, at=at, message=MessageId(f"message-{number}"), text=text)
