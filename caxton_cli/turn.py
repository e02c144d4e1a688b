"""One message and its answer, streamed; a turn that nobody wants any more is cancelled."""

import json
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import final

from caxton_cli import exits
from caxton_cli.client import PATIENCE, Caller, refusal_of, segment
from caxton_cli.consent import ask
from caxton_cli.leaving import Leave


@final
class Turn:
    """Sends a text to an agent and hands on the pieces of its answer as they come.

    `timeout` is the longest silence in seconds. With `in_all`, the longest wait in seconds, the
    answer comes in one piece. `decide` is told of each call that a person has to confirm.
    """

    def __init__(  # noqa: PLR0913 - what is said, and how long and whom it waits for
        self,
        caller: Caller,
        agent: str,
        text: str,
        conversation: str | None,
        timeout: float = PATIENCE,
        *,
        in_all: float | None = None,
        decide: Callable[[Caller, Mapping[str, object]], object] = ask,
    ) -> None:
        self._caller = caller
        self._timeout = timeout
        self._in_all = in_all
        self._decide = decide
        self._path = f"/agents/{segment(agent)}/message"
        self._body = {"text": text}
        if conversation is not None:
            self._body["conversation_id"] = conversation
        self.message: str | None = None
        self.conversation = conversation
        self.answer: Mapping[str, object] = {}

    def pieces(self) -> Iterator[str]:
        """The answer's text; afterwards `answer` is the whole of it. Leaves where it fails."""
        try:
            yield from self._told()
        except Leave as failure:
            if self.message is None or failure.exit_code != exits.NOT_RUNNING:
                raise
            raise Leave(
                f"the server went away while it answered; it has accepted {self.message} and "
                "answers it when it runs again",
                exit_code=failure.exit_code,
                hint=f"caxton server start, then: caxton messages show {self.message}",
            ) from failure

    def _told(self) -> Iterator[str]:
        in_all, headers = inf, dict[str, str]()
        if self._in_all is not None:
            in_all, headers = self._in_all, {"prefer": "whole"}
        sent = self._caller.stream(
            "POST", self._path, self._body, timeout=self._timeout, in_all=in_all, **headers
        )
        with sent as events:
            for event in events:
                document = json.loads(event.text)
                match event.name:
                    case "accepted":
                        self.message = str(document["message_id"])
                        self.conversation = str(document["conversation_id"])
                    case "delta":
                        yield str(document["text"])
                    case "approval":
                        self._decide(self._caller, document)
                    case "message":
                        self.answer = document
                        return
                    case "error":
                        raise refusal_of(document)
                    case _:
                        continue
        raise Leave(
            "the server ended the answer before it was complete", exit_code=exits.NOT_RUNNING
        )

    def cancel(self) -> None:
        """Tell the server that nobody waits for the answer any more."""
        if self.message is not None:
            self._caller.ask("DELETE", f"/messages/{segment(self.message)}", timeout=5.0)


def shown(turn: Turn, write: Callable[[str], object]) -> Mapping[str, object]:
    """Write the answer while it comes; Ctrl-C cancels it and is raised again."""
    try:
        for piece in turn.pieces():
            write(piece)
    except KeyboardInterrupt:
        turn.cancel()
        raise
    return turn.answer
