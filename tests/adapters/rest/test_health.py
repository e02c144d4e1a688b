"""Probes ask different things, and each answer tells its reasons to those who may know them."""

from datetime import datetime, timedelta
from typing import Any, final

import anyio
import anyio.lowlevel
import httpx2
from attrs import define, field

from caxton_adapters.clock import SystemClock
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from caxton_core.ports import Clock
from tests.adapters.rest.conftest import Part, Served, serving, until

PROBES = ("/health", "/health/live", "/health/ready", "/health/startup")
SECRET = RestSettings(token=Secret("secret-token"))
BEARER = {"authorization": "Bearer secret-token"}


@final
@define
class Late:
    """The machine's clock, so many seconds later."""

    late: float = 0.0
    clock: Clock = field(factory=SystemClock)

    def now(self) -> datetime:
        return self.clock.now() + timedelta(seconds=self.late)

    def monotonic(self) -> float:
        return self.clock.monotonic() + self.late


async def statuses(server: Served) -> list[int]:
    return [(await server.client.get(path)).status_code for path in PROBES]


async def health(server: Served, path: str = "/health", **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await server.client.get(path, headers=headers)).json()
    return answer


async def test_a_part_that_fails_makes_the_server_unready_but_neither_dead_nor_unstarted() -> None:
    part = Part()
    part.fail()
    async with serving(part=part) as server:
        assert await statuses(server) == [503, 200, 503, 200]
        whole = await health(server)
        ready = await server.client.get("/health/ready")
    assert whole["status"] == "fail"
    assert whole["reasons"] == ["database: disk I/O error"]
    assert ready.json() == {"status": "fail", "reasons": ["database"]}
    assert int(ready.headers["retry-after"]) >= 1


async def test_a_doubt_leaves_the_server_ready() -> None:
    part = Part()
    part.warn()
    async with serving(part=part) as server:
        assert await statuses(server) == [200] * 4
        assert await health(server, "/health/ready") == {
            "status": "degraded",
            "reasons": ["database"],
        }


async def test_a_server_that_takes_up_its_work_is_alive_and_not_ready() -> None:
    part = Part(started=False)
    async with serving(part=part) as server:
        assert await statuses(server) == [503, 200, 503, 503]
        assert await health(server, "/health/startup") == {"status": "starting"}
        part.started = True
        server.api.look()
        assert await statuses(server) == [200] * 4


async def test_a_server_that_drains_has_started_and_is_alive() -> None:
    async with serving() as server:
        await server.api.drain()
        assert await statuses(server) == [503, 200, 503, 200]
        assert (await health(server))["status"] == "draining"


async def test_the_parts_are_told_with_since_and_facts(server: Served) -> None:
    found = {part["name"]: part for part in (await health(server))["components"]}
    assert set(found) == {"agents", "journal"}
    assert found["agents"]["status"] == "pass"
    assert found["agents"]["facts"] == {"running": 1}
    assert found["agents"]["since"].endswith("Z")
    assert found["journal"]["facts"] == {"unfinished": 0}


async def test_the_reasons_are_for_those_who_have_the_token() -> None:
    part = Part()
    part.fail()
    async with serving(settings=SECRET, part=part) as server:
        stranger = await health(server, "/health?verbose")
        known = await health(server, "/health", **BEARER)
    assert stranger == {"status": "fail", "reasons": ["database"]}
    assert known["reasons"] == ["database: disk I/O error"]


async def test_a_failed_agent_is_told_with_its_reason(server: Served) -> None:
    [resident] = server.runtime.supervisor.residents()
    assert resident.desk is not None
    resident.desk._gave_up("its process died 6 times")
    await until(lambda: resident.record.reason)
    server.api.look()
    whole = await health(server, "/health?verbose")
    assert (whole["status"], whole["agents"]) == ("degraded", {"failed": 1})
    assert whole["reasons"] == ["agents: greeter: its process died 6 times"]
    [agent] = whole["agent_details"]
    assert (agent["state"], agent["reason"]) == ("failed", "its process died 6 times")


async def test_every_agent_is_told_where_it_is_asked_for(server: Served) -> None:
    sent = await server.client.post("/agents/greeter/message", json={"text": "Hello"})
    assert sent.status_code == 200
    assert "agent_details" not in await health(server)
    [agent] = (await health(server, "/health?verbose"))["agent_details"]
    assert (agent["name"], agent["state"]) == ("greeter", "running")
    assert agent["last_activity"] >= agent["since"]
    assert agent["resources"]["cpu_seconds"] > 0
    assert set(agent["resources"]) >= {"memory_bytes", "running", "waiting", "restarts"}


async def test_an_agents_share_of_the_processor_is_told_after_two_looks(server: Served) -> None:
    shares = server.api.cpu_shares
    shown = "/agents/greeter"
    assert (await health(server, shown))["resources"]["cpu_share"] is None
    await shares.look()
    await server.client.post("/agents/greeter/message", json={"text": "Hello"})
    await shares.look()
    assert 0 < (await health(server, shown))["resources"]["cpu_share"] < 1


async def test_a_watched_server_is_looked_at_again_and_again() -> None:
    part = Part()
    async with serving(part=part) as server, anyio.create_task_group() as watching:
        watching.start_soon(server.api.watch)
        assert (await health(server))["status"] == "pass"
        part.fail()
        with anyio.fail_after(20):
            while (await health(server))["status"] == "pass":
                await anyio.lowlevel.checkpoint()
        watching.cancel_scope.cancel()


async def test_a_loop_that_does_not_come_round_is_not_alive() -> None:
    clock = Late()
    async with serving(clock=clock) as server:
        async with anyio.create_task_group() as watching:
            watching.start_soon(server.api.watch)
            await anyio.wait_all_tasks_blocked()
            watching.cancel_scope.cancel()
        assert await statuses(server) == [200] * 4
        clock.late = 6.0
        live = await server.client.get("/health/live")
    assert (live.status_code, live.json()["reasons"]) == (503, ["event loop"])


async def test_litestar_tells_the_same(server: Served) -> None:
    transport = httpx2.ASGITransport(app=await server.api.management())
    async with httpx2.AsyncClient(transport=transport, base_url=server.url) as behind:
        for path in ("/health/startup", "/health?verbose"):
            hot = await server.client.get(path)
            assert (await behind.get(path)).json() == hot.json()
