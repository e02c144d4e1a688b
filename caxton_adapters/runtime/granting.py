"""What an agent may call as things are now: its servers reached, its tools granted."""

from caxton_adapters.runtime.world import World
from caxton_core.agent.config import AgentConfig
from caxton_core.tools.permission import Grant, grant


async def reach(world: World, config: AgentConfig) -> None:
    """Have the tools known that the agent lists, as far as their servers answer in time."""
    if world.toolbox is not None and config.tools:
        await world.toolbox.reach({pattern.server for pattern in config.tools})


def granted(world: World, config: AgentConfig) -> Grant:
    """What is offered now and the agent may perhaps call, under the rules of now."""
    return grant(config, world.tools.offered(), world.rulebook.levels)


def offers(world: World) -> tuple[int, int]:
    """Tells grants apart that were made from other offers or other rules."""
    generation = 0 if world.toolbox is None else world.toolbox.generation
    return generation, world.rulebook.generation
