"""A slot is never lost, whoever gives up while it is being lent."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from anyio import create_task_group, fail_after, wait_all_tasks_blocked

from caxton_adapters.http_client import HttpClient, Limits, RequestFailed
from caxton_adapters.http_client.connecting import Route, connect
from caxton_adapters.http_client.connection import Connection
from caxton_adapters.http_client.failures import ClientClosed, NotConnected
from caxton_adapters.http_client.limits import Timeouts, Total
from caxton_adapters.http_client.pool import Lost, Pool
from caxton_adapters.http_client.url import Url
from tests.raw_server import RawServer, raw_server, response
from tests.waiting import PATIENCE

Connect = Callable[[Lost], Awaitable[Connection]]


def connecting(server: RawServer) -> Connect:
    route = Route(Url.parse(server.url).origin, None)
    buffer = memoryview(bytearray(1000))

    async def to_server(lost: Lost) -> Connection:
        loop = asyncio.get_running_loop()
        until = Total(5.0, loop.time() + 5)
        make = lambda: Connection(loop, buffer, Limits(), Timeouts(), lost)  # noqa: E731
        return await connect(route, None, make, Timeouts(), until)

    return to_server


@pytest.mark.parametrize("healthy", [True, False])
async def test_a_grant_that_meets_a_cancellation_goes_to_the_next(*, healthy: bool) -> None:
    async with raw_server((response(b""),)) as server:
        pool, to_server = Pool(1), connecting(server)
        held = await pool.fresh(to_server)
        first = asyncio.ensure_future(pool.fresh(to_server))
        second = asyncio.ensure_future(pool.fresh(to_server))
        await wait_all_tasks_blocked()
        if not healthy:
            held.abort()
            await server.until_open(0)
        pool.give_back(held)
        first.cancel()
        with fail_after(PATIENCE):
            lent = await second
        assert (lent is held) == healthy
        pool.give_back(lent)
        await pool.aclose()
        await asyncio.gather(first, return_exceptions=True)


async def test_a_connection_that_cannot_be_opened_frees_its_slot() -> None:
    async with raw_server((response(b""),)) as server:
        pool, to_server = Pool(1), connecting(server)

        async def refused(lost: Lost) -> Connection:  # noqa: ARG001
            raise RequestFailed(NotConnected("host", 1, "refused"))

        for _ in range(3):
            with pytest.raises(RequestFailed):
                await pool.fresh(refused)
        with fail_after(PATIENCE):
            pool.give_back(await pool.fresh(to_server))
        await pool.aclose()


async def test_whoever_distrusts_the_idle_connections_is_given_a_new_one() -> None:
    async with raw_server((response(b""),)) as server:
        pool, to_server = Pool(1), connecting(server)
        old = await pool.fresh(to_server)
        pool.give_back(old)
        with fail_after(PATIENCE):
            new = await pool.fresh(to_server)
        assert new is not old
        pool.give_back(new)
        assert pool.idle() is new
        pool.give_back(new)
        await pool.aclose()


async def test_a_closed_pool_refuses_those_who_wait() -> None:
    async with raw_server((response(b""),)) as server:
        pool, to_server = Pool(1), connecting(server)
        await pool.fresh(to_server)
        waiting = asyncio.ensure_future(pool.fresh(to_server))
        await wait_all_tasks_blocked()
        with fail_after(PATIENCE):
            await pool.aclose()
        with pytest.raises(RequestFailed) as raised:
            await waiting
        assert raised.value.failure == ClientClosed()


async def test_cancellations_at_any_moment_leave_the_pool_whole() -> None:
    async with (
        raw_server((response(b"hello"),)) as server,
        HttpClient(limits=Limits(connections=2), environment={}) as client,
    ):
        endpoint = client.endpoint("GET", server.url, {})
        for ticks in range(30):
            async with create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(endpoint.fetch)
                for _ in range(ticks):
                    await asyncio.sleep(0)
                tasks.cancel_scope.cancel()
        with fail_after(PATIENCE):
            bodies = [(await endpoint.fetch()).body for _ in range(5)]
        assert bodies == [b"hello"] * 5
        (pool,) = client._pools.values()
        assert pool._taken == len(pool._open) <= 2
