"""Senders' records and the model's, held against what is promised.

Accepted is answered, once, in order, with one answer for whoever asks again; the model is asked
again for nothing that was recorded.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import final

from attrs import field, frozen

from tests.model_server import Asked
from tests.proofs.record import Turn

History = Sequence[tuple[str, str]]


@final
@frozen
class Verdict:
    """The counts, and a sentence for each broken promise."""

    accepted: int = 0
    answered: int = 0
    failed: int = 0
    """Ended without an answer, or refused for another reason than that there is too much to do."""
    lost: int = 0
    duplicated: int = 0
    """Recorded or answered more than once."""
    changed: int = 0
    """Whoever asked again read something else."""
    disordered: int = 0
    """Asked of the model with another history than what was said before."""
    calls: int = 0
    repeated: int = 0
    """Calls of the model that were made again."""
    repeatable: int = 0
    """Calls that may have been at work at a kill."""
    faults: tuple[str, ...] = field(default=(), repr=False)


def judged(turns: Iterable[Turn], asked: Iterable[Asked], repeatable: int = 0) -> Verdict:
    """What the records say; `repeatable` is how many messages were at work at kills."""
    all_turns = list(turns)
    accepted = [turn for turn in all_turns if turn.accepted]
    calls = list(asked)
    histories = _histories(all_turns)
    lost = list(_lost(accepted))
    duplicated = [*_two_ids(all_turns), *_two_keys(all_turns), *_said_twice(calls)]
    changed = list(_changed(all_turns))
    disordered = list(_disordered(calls, histories))
    repeats = _repeats(calls)
    unneeded = [*_after_the_answer(calls, all_turns), *_back_in_the_turn(calls)]
    if repeats > repeatable:
        unneeded.append(f"{repeats} calls of the model were repeated, {repeatable} were at work")
    failed = [turn for turn in all_turns if _has_failed(turn)]
    return Verdict(
        accepted=len(accepted),
        answered=sum(turn.state == "answered" for turn in accepted),
        failed=len(failed),
        lost=len(lost),
        duplicated=len(duplicated),
        changed=len(changed),
        disordered=len(disordered),
        calls=len(calls),
        repeated=repeats,
        repeatable=repeatable,
        faults=(*lost, *duplicated, *changed, *disordered, *unneeded, *map(_failure, failed)),
    )


def _lost(accepted: Iterable[Turn]) -> Iterator[str]:
    for turn in accepted:
        if not turn.ended and not turn.codes:
            yield f"{turn.text} was accepted and came to no end: {turn.state or 'unheard of'}"


def _has_failed(turn: Turn) -> bool:
    return turn.state != "answered" and bool(turn.codes or (turn.accepted and turn.ended))


def _failure(turn: Turn) -> str:
    return f"{turn.text} has no answer: {turn.state} {' '.join(turn.codes)}".rstrip()


def _two_ids(turns: Iterable[Turn]) -> Iterator[str]:
    for turn in turns:
        if len(set(turn.ids)) > 1:
            yield f"{turn.text} was accepted as {' and '.join(sorted(set(turn.ids)))}"


def _two_keys(turns: Iterable[Turn]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for turn in turns:
        for identity in set(turn.ids):
            other = owners.setdefault(identity, turn.text)
            if other != turn.text:
                yield f"{turn.text} and {other} are both {identity}"


def _said_twice(calls: Iterable[Asked]) -> Iterator[str]:
    told = set()
    for call in calls:
        said = Counter(text for role, text in call.prompt if role == "user")
        for text, times in said.items():
            if times > 1 and text not in told:
                told.add(text)
                yield f"{text} stands {times} times in its conversation"


def _changed(turns: Iterable[Turn]) -> Iterator[str]:
    for turn in turns:
        if len(set(turn.answers)) > 1:
            yield f"{turn.text} was answered {' and '.join(sorted(set(turn.answers)))}"


def _histories(turns: Iterable[Turn]) -> Mapping[str, History]:
    """What the model must have been shown before the text of each message."""
    conversations: dict[tuple[str, str], list[Turn]] = defaultdict(list)
    for turn in turns:
        conversations[turn.agent, turn.conversation].append(turn)
    found: dict[str, History] = {}
    for members in conversations.values():
        said: list[tuple[str, str]] = []
        for turn in sorted(members, key=lambda member: member.number):
            found[turn.text] = tuple(said)
            if turn.state == "answered":
                said += [("user", turn.text), ("assistant", turn.answers[0])]
    return found


def _disordered(calls: Iterable[Asked], histories: Mapping[str, History]) -> Iterator[str]:
    for call in calls:
        text, before = _question(call)
        if text not in histories:
            yield f"{text!r} was never sent"
        elif tuple(_spoken(before)) != tuple(histories[text]):
            yield f"{text} was asked after {list(_spoken(before))}, not {list(histories[text])}"


def _question(call: Asked) -> tuple[str, History]:
    """The text of the message that is asked, and everything before it."""
    prompt = call.prompt
    last = max((at for at, (role, _) in enumerate(prompt) if role == "user"), default=-1)
    return (prompt[last][1], prompt[:last]) if last >= 0 else ("", ())


def _spoken(history: History) -> Iterator[tuple[str, str]]:
    """What was said to people: neither calls of tools nor their results."""
    return ((role, text) for role, text in history if role in {"user", "assistant"} and text)


def _repeats(calls: Iterable[Asked]) -> int:
    """How many calls had been made before with the same prompt."""
    times = Counter((_question(call)[0], len(call.prompt)) for call in calls)
    return sum(count - 1 for count in times.values())


def _after_the_answer(calls: Iterable[Asked], turns: Iterable[Turn]) -> Iterator[str]:
    answered = {turn.text: turn.answered_at for turn in turns if turn.answered_at is not None}
    for call in calls:
        text, _ = _question(call)
        if text in answered and call.at > answered[text]:
            yield f"{text} was asked of the model after its answer had been read"


def _back_in_the_turn(calls: Iterable[Asked]) -> Iterator[str]:
    """A call that shows less of the turn than an earlier one: a recorded step was taken again."""
    seen: dict[str, int] = {}
    for call in calls:
        text, _ = _question(call)
        if len(call.prompt) < seen.get(text, 0):
            yield f"{text} was asked anew after a later step of its turn"
        seen[text] = max(seen.get(text, 0), len(call.prompt))
