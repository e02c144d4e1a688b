"""What a server says, without the secrets that it was given."""

import json
import re
from collections.abc import Iterable
from typing import final

from attrs import evolve

from caxton_adapters.mcp.listed import Answered, Declined, EveryOutcome, Late, Lost, Unreachable
from caxton_adapters.secrets import MASK, SHORTEST


@final
class Masking:
    """Puts `***` in place of secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _written(secret)}
        pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._text = re.compile(pattern) if forms else None
        self._raw = re.compile(pattern.encode("utf-8", "surrogateescape")) if forms else None

    def text(self, text: str) -> str:
        """The text without them."""
        return text if self._text is None else self._text.sub(MASK, text)

    def raw(self, text: bytes) -> bytes:
        """The same for bytes."""
        return text if self._raw is None else self._raw.sub(MASK.encode(), text)

    def outcome(self, outcome: EveryOutcome) -> EveryOutcome:
        """What came of a call, without them."""
        match outcome:
            case Answered(text):
                return Answered(self.text(text))
            case Declined(why) | Lost(why) | Unreachable(why):
                return evolve(outcome, why=self.text(why))
            case Late():
                return outcome


def _written(secret: str) -> Iterable[str]:
    """How a secret may look in a text: as it is, and within JSON."""
    if len(secret) >= SHORTEST:
        yield secret
        yield json.dumps(secret)[1:-1]
