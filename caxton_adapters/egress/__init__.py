"""The guard of every request to an address that is not a configured model provider's."""

from caxton_adapters.egress.client import Guard, guarded_client, guarded_transport
from caxton_adapters.egress.failures import BodyRefused, EgressRefused
from caxton_adapters.egress.pinning import Resolve, resolved

__all__ = [
    "BodyRefused",
    "EgressRefused",
    "Guard",
    "Resolve",
    "guarded_client",
    "guarded_transport",
    "resolved",
]
