"""The certificate of the server: clients go away when it ends, so it is told before."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from caxton_adapters.health.component import Component, Part, Status
from caxton_adapters.process.certificate import Doubt, Pair, Validity

SHARE_TO_RENEW_IN: Final = 0.1
"""Of the time for which a certificate holds; whoever renews it by a program is done by then."""


def certificate(shown: Callable[[], Pair], now: Callable[[], datetime]) -> Part:
    """Whether clients accept what the server shows, and will for a while."""

    def look() -> Component:
        match shown().holds:
            case Doubt(why):
                reason = f"clients do not accept the certificate: {why}"
                return Component("certificate", Status.WARN, reason)
            case Validity(begins, ends):
                facts = {"ends": ends.isoformat()}
                left = ends - now()
                if left > SHARE_TO_RENEW_IN * (ends - begins):
                    return Component("certificate", facts=facts)
                verb = "ends" if left.total_seconds() > 0 else "has ended"
                reason = f"the certificate {verb} at {ends.isoformat()}"
                return Component("certificate", Status.WARN, reason, facts)

    return look
