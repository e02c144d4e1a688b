"""What every store of deployed agents promises; subclass it and give a `configs` fixture."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from caxton_core.agent.record import AgentRecord, StateName
from caxton_core.ports import Configs
from caxton_core.primitives import AgentId, AgentName

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def record(number: int, name: str) -> AgentRecord:
    """An agent unlike those of other numbers."""
    created = LONG_AGO + timedelta(seconds=number)
    return AgentRecord(
        AgentId(f"00000000-0000-4000-8000-{number:012d}"),
        AgentName(name),
        f'name = "{name}"\nsystem_prompt = "Grüße!\u2028\r\n"\n',
        StateName.RUNNING,
        created,
        "",
        created,
        created,
    )


class ConfigsContract:
    """A test class for an implementation of the port."""

    @pytest.fixture
    def configs(self) -> Configs:
        raise NotImplementedError

    async def test_a_new_store_is_empty(self, configs: Configs) -> None:
        assert list(await configs.stored()) == []

    async def test_what_was_saved_is_stored_to_the_letter(self, configs: Configs) -> None:
        await configs.save(record(1, "greeter"))
        assert list(await configs.stored()) == [record(1, "greeter")]

    @pytest.mark.parametrize("state", StateName)
    async def test_every_state_is_stored(self, configs: Configs, state: StateName) -> None:
        saved = evolve(record(1, "greeter"), state=state, reason="it broke")
        await configs.save(saved)
        assert list(await configs.stored()) == [saved]

    async def test_saving_again_replaces(self, configs: Configs) -> None:
        await configs.save(record(1, "greeter"))
        stopped = evolve(record(1, "greeter"), state=StateName.STOPPED)
        await configs.save(stopped)
        assert list(await configs.stored()) == [stopped]

    async def test_agents_come_in_the_order_of_creation(self, configs: Configs) -> None:
        for number, name in ((2, "second"), (3, "third"), (1, "first")):
            await configs.save(record(number, name))
        names = [stored.name.value for stored in await configs.stored()]
        assert names == ["first", "second", "third"]

    async def test_a_removed_agent_is_gone(self, configs: Configs) -> None:
        await configs.save(record(1, "greeter"))
        await configs.save(record(2, "helper"))
        await configs.remove(record(1, "greeter").id)
        assert [stored.name.value for stored in await configs.stored()] == ["helper"]

    async def test_removing_what_is_not_there_changes_nothing(self, configs: Configs) -> None:
        await configs.remove(record(1, "greeter").id)
        assert list(await configs.stored()) == []
