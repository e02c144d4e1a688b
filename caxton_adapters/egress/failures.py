"""What the guard raises, in the families that the HTTP library and its users expect."""

from typing import final

import httpx2

from caxton_core.egress import EgressRefusal, said


@final
class EgressRefused(httpx2.ConnectError):
    """No request may go there; `refusal` says why."""

    def __init__(self, refusal: EgressRefusal) -> None:
        super().__init__(said(refusal))
        self.refusal = refusal


class BodyRefused(httpx2.StreamError):
    """The body of a response is none that is read."""


@final
class BodyTooLarge(BodyRefused):
    """It is larger than agreed, in bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the body is larger than {most} bytes")


@final
class BodyEncoded(BodyRefused):
    """It is encoded although it was not to be: what it unpacks to has no bound."""

    def __init__(self, encoding: str) -> None:
        super().__init__(f"the body is encoded ({encoding[:20]}) although it was not to be")
