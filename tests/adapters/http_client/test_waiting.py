"""Every wait ends: with a part of the response, with its deadline, or because nobody waits."""

import gc
import socket
from asyncio import all_tasks
from functools import partial

import pytest
from anyio import Event, create_task_group, fail_after, move_on_after, wait_all_tasks_blocked

from caxton_adapters.http_client import (
    Endpoint,
    HttpClient,
    HttpFailure,
    Limits,
    RequestFailed,
    Stage,
    TimedOut,
    Timeouts,
)
from tests.raw_server import Act, Drip, Script, chunked, raw_server, response

HELLO = response(b"hello")
LONG = 20.0
CONNECTING = Timeouts(connect=0.2, first_byte=LONG, idle=LONG, total=LONG)
SILENT = Timeouts(connect=LONG, first_byte=0.1, idle=LONG, total=LONG)
PAUSING = Timeouts(connect=LONG, first_byte=LONG, idle=0.1, total=LONG)
STEADY = Timeouts(connect=LONG, first_byte=LONG, idle=0.6, total=LONG)
BEGUN = chunked(b"one", end=b"")


async def streamed_whole(endpoint: Endpoint, total: float | None = None) -> bytes:
    async with endpoint.stream(total=total) as answer:
        return await answer.whole()


async def given_up(
    script: Script, timeouts: Timeouts, *, total: float | None = None, streamed: bool = False
) -> HttpFailure:
    async with raw_server(script) as server, HttpClient(timeouts, environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        with fail_after(LONG), pytest.raises(RequestFailed) as raised:
            await (streamed_whole(endpoint, total) if streamed else endpoint.fetch(total=total))
        await server.until_open(0)
        return raised.value.failure


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_silent_server_is_given_up_after_the_first_byte_timeout(*, streamed: bool) -> None:
    assert await given_up((Act.HANG,), SILENT, streamed=streamed) == TimedOut(Stage.FIRST_BYTE, 0.1)


@pytest.mark.parametrize("streamed", [False, True])
async def test_silence_within_a_body_is_given_up_after_the_idle_timeout(*, streamed: bool) -> None:
    script = (BEGUN, Act.HANG)
    assert await given_up(script, PAUSING, streamed=streamed) == TimedOut(Stage.IDLE, 0.1)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_slow_drip_is_ended_by_the_total_timeout(*, streamed: bool) -> None:
    script = (BEGUN, Drip(b"5\r\nabcde\r\n" * 100))
    assert await given_up(script, STEADY, total=0.3, streamed=streamed) == TimedOut(
        Stage.TOTAL, 0.3
    )


async def test_a_response_that_keeps_coming_outlives_its_idle_timeout() -> None:
    script = (BEGUN, Drip(b"5\r\nabcde\r\n", 0.1), b"0\r\n\r\n")
    async with raw_server(script) as server, HttpClient(STEADY, environment={}) as client:
        answer = await client.endpoint("GET", server.url, {}).fetch()
    assert answer.body == b"oneabcde"


async def test_a_reader_that_takes_its_time_is_not_the_servers_silence() -> None:
    script = (BEGUN, b"3\r\ntwo\r\n0\r\n\r\n")
    async with (
        raw_server(script) as server,
        HttpClient(PAUSING, environment={}) as client,
        client.endpoint("GET", server.url, {}).stream() as answer,
    ):
        with move_on_after(0.3):
            await Event().wait()
        assert await answer.whole() == b"onetwo"


async def test_a_host_that_does_not_answer_is_given_up_after_the_connect_timeout() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            async with HttpClient(CONNECTING, environment={}) as client:
                endpoint = client.endpoint("GET", f"http://127.0.0.1:{address[1]}", {})
                with pytest.raises(RequestFailed) as raised:
                    await endpoint.fetch()
    assert raised.value.failure == TimedOut(Stage.CONNECT, 0.2)


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    limits = Limits(keep_alive=0.05)
    async with (
        raw_server((HELLO,)) as server,
        HttpClient(limits=limits, environment={}) as client,
    ):
        await client.endpoint("GET", server.url, {}).fetch()
        await server.until_open(0)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("script", [(Act.HANG,), (BEGUN, Act.HANG)], ids=["silent", "begun"])
async def test_a_cancelled_request_closes_its_connection_and_frees_its_slot(
    script: Script, *, streamed: bool
) -> None:
    limits = Limits(connections=1)
    async with (
        raw_server(script, (HELLO,)) as server,
        HttpClient(limits=limits, environment={}) as client,
    ):
        endpoint = client.endpoint("GET", server.url, {})

        async with create_task_group() as tasks:
            tasks.start_soon(partial(streamed_whole, endpoint) if streamed else endpoint.fetch)
            await server.until_asked(1)
            tasks.cancel_scope.cancel()
        await server.until_open(0)
        with fail_after(LONG):
            assert (await endpoint.fetch()).body == b"hello"


async def test_a_stream_that_is_left_early_closes_its_connection() -> None:
    async with raw_server((BEGUN, Act.HANG)) as server, HttpClient(environment={}) as client:
        async with client.endpoint("GET", server.url, {}).stream() as answer:
            assert await answer.piece() == b"one"
        await server.until_open(0)


async def test_a_stream_that_is_read_to_its_end_keeps_its_connection() -> None:
    async with raw_server((chunked(b"a", b"b"),)) as server, HttpClient(environment={}) as client:
        endpoint = client.endpoint("GET", server.url, {})
        for _ in range(3):
            async with endpoint.stream() as answer:
                assert await answer.whole() == b"ab"
        assert server.accepted == 1


async def test_requests_beyond_the_limit_wait_their_turn() -> None:
    async with (
        raw_server((HELLO,)) as server,
        HttpClient(limits=Limits(connections=1), environment={}) as client,
    ):
        endpoint = client.endpoint("POST", server.url, {})
        done: list[int] = []

        async def ask(number: int) -> None:
            await endpoint.fetch(b"%d" % number)
            done.append(number)

        async with create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(ask, number)
        assert [int(request.body) for request in server.requests] == list(range(50))
        assert server.accepted == 1
    assert len(done) == 50


async def test_a_wait_for_a_connection_ends_with_the_total_timeout() -> None:
    async with (
        raw_server((Act.HANG,)) as server,
        HttpClient(limits=Limits(connections=1), environment={}) as client,
    ):
        endpoint = client.endpoint("GET", server.url, {})
        async with create_task_group() as tasks:
            tasks.start_soon(endpoint.fetch)
            await server.until_asked(1)
            with pytest.raises(RequestFailed) as raised:
                await endpoint.fetch(total=0.05)
            tasks.cancel_scope.cancel()
    assert raised.value.failure == TimedOut(Stage.TOTAL, 0.05)


async def test_a_waiter_that_is_cancelled_does_not_keep_its_turn() -> None:
    async with (
        raw_server((Act.HANG,), (HELLO,)) as server,
        HttpClient(limits=Limits(connections=1), environment={}) as client,
    ):
        endpoint = client.endpoint("GET", server.url, {})
        async with create_task_group() as running, create_task_group() as waiting:
            running.start_soon(endpoint.fetch)
            await server.until_asked(1)
            waiting.start_soon(endpoint.fetch)
            await wait_all_tasks_blocked()
            running.cancel_scope.cancel()
            waiting.cancel_scope.cancel()
        with fail_after(LONG):
            assert (await endpoint.fetch()).body == b"hello"


async def test_a_body_is_read_no_further_ahead_than_allowed() -> None:
    pieces = [b"x" * 60_000] * 200
    async with (
        raw_server((chunked(*pieces),)) as server,
        HttpClient(limits=Limits(ahead=100_000), environment={}) as client,
        client.endpoint("GET", server.url, {}).stream() as answer,
    ):
        await wait_all_tasks_blocked()
        first = len(await answer.piece())
        assert 0 < first < 300_000
        assert first + len(await answer.whole()) == 12_000_000


async def test_nothing_is_left_behind() -> None:
    before = all_tasks()
    async with raw_server((HELLO,), (BEGUN, Act.HANG)) as server:
        async with HttpClient(PAUSING, environment={}) as client:
            endpoint = client.endpoint("GET", server.url, {})
            await endpoint.fetch()
            with pytest.raises(RequestFailed):
                await endpoint.fetch()
        await server.until_open(0)
    gc.collect()  # an unclosed socket would warn, and warnings are errors
    assert all_tasks() == before
