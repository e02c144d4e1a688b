"""How a command that cannot do what it was asked ends: a sentence, a hint, an exit code."""

import json
import sys
from typing import final

from caxton_cli import exits
from caxton_cli.printing import styled, tell_problems


@final
class Leave(Exception):
    """End the command.

    `problems` are shown before the message, as the core writes them; `document` is what a program
    that asked for JSON reads instead of all that.
    """

    def __init__(
        self,
        message: str,
        *,
        exit_code: int = exits.FAILED,
        hint: str = "",
        code: str = "",
        document: object = None,
        problems: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.hint = hint
        self.code = code
        self.document = document
        self.problems = problems

    def show(self) -> None:
        """Print to standard error what happened and what to do."""
        if self.document is not None:
            print(json.dumps(self.document), file=sys.stderr)
            return
        tell_problems(self.problems)
        label = f"error[{self.code}]" if self.code else "error"
        print(f"{styled(label, 'red')}: {self.message}", file=sys.stderr)
        if self.hint:
            print(f"{styled('hint', 'cyan')}: {self.hint}", file=sys.stderr)


def not_running(url: str) -> Leave:
    """Nothing answers where the server should be."""
    return Leave(
        f"server is not running at {url}",
        exit_code=exits.NOT_RUNNING,
        hint="start it: caxton server start",
    )
