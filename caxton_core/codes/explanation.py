"""What a problem code means, written once: for messages, `caxton explain` and the reference."""

from typing import final

from attrs import frozen


@final
@frozen
class Explanation:
    """One code. `message` and `advice` may name facts of the problem in braces.

    `wrong` and `right` show the problem and its repair, in a file or on the command line.
    """

    code: str
    title: str
    message: str
    why: str
    advice: str
    wrong: str = ""
    right: str = ""

    @property
    def anchor(self) -> str:
        """Where the documentation explains the code."""
        return f"reference/errors.md#{self.code.lower()}"
