"""Capabilities: what can be asked for, and of whom."""

from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest.choosing import offers
from caxton_adapters.rest.paging import page_of
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import no_offer
from caxton_adapters.rest.wire import CapabilityBody, CapabilityPage
from caxton_adapters.runtime.runtime import Runtime


@final
@frozen
class Capabilities:
    """The resource `/capabilities`."""

    runtime: Runtime

    def page(self, limit: int, cursor: str | None) -> CapabilityPage:
        """Some capabilities that running agents offer, by name."""
        bodies = [CapabilityBody(name, agents) for name, agents in offers(self.runtime).items()]
        page = page_of(bodies, lambda body: body.name, limit, cursor)
        return CapabilityPage(page.items, page.next)

    def show(self, name: str) -> Result[CapabilityBody, Refused]:
        """Who offers one capability."""
        offered = offers(self.runtime)
        agents = offered.get(name)
        if agents is None:
            return Failure(no_offer(name, tuple(offered)))
        return Success(CapabilityBody(name, agents))
