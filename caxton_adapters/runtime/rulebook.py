"""The rules above the agents' files, as they are now; they are swapped whole, for the next call."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final, final

from attrs import define, field, frozen

from caxton_core.agent.sections import Permissions
from caxton_core.primitives import ToolName
from caxton_core.tools.conditions import Real
from caxton_core.tools.permission import POLICY, SERVER, Level, above, allowed_by
from caxton_core.tools.tool import ToolCall

AN_HOUR: Final = 3600.0


@final
@frozen
class ServerRules:
    """What the server's settings say of calls; a person who is asked has `patience` seconds."""

    permissions: Permissions
    patience: float = AN_HOUR


@final
@define(eq=False)
class Rulebook:
    """What the server and the policy of the installation say about calls of tools.

    A person who is asked has `patience` seconds. `generation` grows with every change.
    """

    server: Level = field(factory=lambda: above(SERVER, Permissions()))
    policy: Level = field(factory=lambda: above(POLICY, Permissions()))
    patience: float = AN_HOUR
    generation: int = field(default=0, init=False)

    @property
    def levels(self) -> tuple[Level, Level]:
        """Both levels, the server's first."""
        return self.server, self.policy

    def allows(self, call: ToolCall, follow: Callable[[ToolName, Collection[str]], Real]) -> bool:
        """Whether both levels allow a call of which nobody has been asked."""
        return allowed_by(self.levels, call, partial(follow, call.name))

    def adopt(
        self, *, server: ServerRules | None = None, policy: Permissions | None = None
    ) -> None:
        """Have other rules from the next call on; None leaves what there is."""
        if server is not None:
            self.server = above(SERVER, server.permissions)
            self.patience = server.patience
        if policy is not None:
            self.policy = above(POLICY, policy)
        self.generation += 1
