"""What a sender saw of its messages: the one record that a server's promises are held against."""

from typing import final

from attrs import define, field

ENDED = frozenset({"answered", "failed", "cancelled", "dead_lettered"})


@final
@define
class Turn:
    """One message as its sender saw it; `number` counts from 1 in the conversation."""

    agent: str
    conversation: str
    number: int
    key: str | None = None
    text: str = ""
    sent: bool = False
    accepted: bool = False
    """Whether the server said so: with 200, 202 or the event `accepted`."""
    ids: list[str] = field(factory=list)
    """The message's id as often as it was told."""
    answers: list[str] = field(factory=list)
    """The answer as often as it was read."""
    answered_at: float | None = None
    """When the answer was read first (monotonic seconds)."""
    state: str = ""
    """What was read last: a state of the server's, or what it said in place of one."""
    codes: list[str] = field(factory=list)
    """The codes of the problems that it met."""

    def __attrs_post_init__(self) -> None:
        self.text = self.text or f"turn {self.number} of {self.conversation}"

    @property
    def ended(self) -> bool:
        """Whether the server told of its end."""
        return self.state in ENDED

    def read_answer(self, text: str, at: float) -> None:
        """The answer was read."""
        self.answers.append(text)
        self.answered_at = at if self.answered_at is None else self.answered_at
        self.state = "answered"
