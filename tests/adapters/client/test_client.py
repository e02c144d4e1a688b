"""The client speaks to a whole server on a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import msgspec
import pytest
import trustme
from returns.result import Success

from caxton_adapters import http_client
from caxton_adapters.client import (
    Answer,
    CallFailed,
    Client,
    FailedCall,
    NoAnswer,
    NotUnderstood,
    Refused,
    Usage,
)
from caxton_adapters.process.certificate import open_certificate
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.unix_socket import open_unix_socket
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import SLOW, Part, Served, serving
from tests.certificates import Files, issued
from tests.raw_server import Act, raw_server, response
from tests.waiting import until

ANSWER = Answer("msg_1", "conv_1", "greeter", "Hi", "stop", Usage(1, 2))
HELPER = 'name = "helper"\nsystem_prompt = "You help."\ncapabilities = ["help"]\n'


@pytest.fixture
async def server() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served


@pytest.fixture
async def caxton(server: Served) -> AsyncIterator[Client]:
    async with Client(server.url) as client:
        yield client


async def refused_by(url: str) -> Refused:
    """Why a server does not send a message to an agent."""
    async with Client(url) as client:
        with pytest.raises(CallFailed) as failed:
            await client.send("greeter", "boom")
    assert isinstance(failed.value.failure, Refused)
    return failed.value.failure


async def test_a_message_is_answered_and_its_conversation_goes_on(caxton: Client) -> None:
    first = await caxton.send("greeter", "Hello")
    second = await caxton.send("greeter", "Again", first.conversation_id)
    assert (first.agent, first.text, second.text) == (
        "greeter",
        "You said: Hello",
        "You said: Again",
    )
    assert second.conversation_id == first.conversation_id
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


async def test_an_answer_comes_in_pieces(caxton: Client) -> None:
    async with caxton.stream("greeter", "one two") as answer:
        pieces = [piece async for piece in answer]
        whole = await answer.whole()
    assert len(pieces) > 1
    assert "".join(pieces) == whole.text == "You said: one two"


async def test_agents_are_deployed_shown_replaced_stopped_and_deleted(caxton: Client) -> None:
    deployed = await caxton.deploy(HELPER)
    assert (deployed.name, deployed.state, deployed.config) == ("helper", "running", HELPER)
    assert await caxton.show(deployed.id) == await caxton.show("helper")
    assert (await caxton.replace("helper", f"{HELPER}version = '2.0.0'")).version == "2.0.0"
    assert (await caxton.stop("helper")).state == "stopped"
    assert (await caxton.start("helper")).state == "running"
    assert [agent.name async for agent in caxton.agents()] == ["greeter", "helper"]
    await caxton.delete("helper")
    assert [agent.name async for agent in caxton.agents()] == ["greeter"]


async def test_more_agents_than_a_page_has_are_listed(caxton: Client) -> None:
    for number in range(201):
        await caxton.deploy(HELPER.replace('"helper"', f'"helper-{number}"'))
    assert len([agent async for agent in caxton.agents()]) == 202


async def test_the_server_tells_how_it_does(caxton: Client) -> None:
    health = await caxton.health()
    assert (health.status, health.agents["running"]) == ("pass", 1)


async def test_a_server_that_takes_nothing_new_tells_how_it_does() -> None:
    part = Part()
    part.fail()
    async with serving(part=part) as server, Client(server.url) as client:
        health = await client.health()
    assert (health.status, health.reasons) == ("fail", ("database: disk I/O error",))
    assert (health.components[0].name, health.components[0].status) == ("database", "fail")


async def test_what_was_said_is_listed_begun_anew_and_deleted(caxton: Client) -> None:
    for text in ("one", "two"):
        await caxton.send("greeter", text, "talk")
    assert [message.text async for message in caxton.said("talk", "greeter")] == ["one", "two"]
    assert [message.text async for message in caxton.messages(state="answered")] == ["two", "one"]
    (talk,) = [each async for each in caxton.conversations("greeter")]
    assert (talk.conversation_id, talk.agent, talk.message_count) == ("talk", "greeter", 2)
    assert await caxton.reset("talk") == talk
    await caxton.delete_conversation("talk", "greeter", force=True)
    assert [each async for each in caxton.conversations()] == []


async def test_more_messages_than_a_page_has_are_listed(caxton: Client) -> None:
    for number in range(201):
        await caxton.send("greeter", "Hello", f"talk-{number}" if number % 2 else "talk")
    assert len([each async for each in caxton.messages(agent="greeter")]) == 201
    assert len([each async for each in caxton.said("talk")]) == 101
    assert len([each async for each in caxton.conversations()]) == 101


async def test_a_message_that_failed_is_looked_at_and_tried_again(caxton: Client) -> None:
    with pytest.raises(CallFailed):
        await caxton.send("greeter", "boom", "talk")
    (failed,) = [each async for each in caxton.messages(conversation="talk")]
    assert (failed.status, failed.problem and failed.problem.code) == ("failed", "CX5012")
    with pytest.raises(CallFailed, match=r"CX4033: .* call_1, call_2"):
        await caxton.retry(failed.message_id, {"call_1": "done", "call_2": FailedCall("no")})
    await caxton.retry(failed.message_id)
    assert (await caxton.message(failed.message_id)).text == "boom"


async def test_a_refusal_has_its_code_and_its_lines(caxton: Client) -> None:
    with pytest.raises(CallFailed, match="3:1: CX1002") as failed:
        await caxton.deploy('name = "a"\nsystem_prompt = "b"\ntemprature = 1\n')
    refusal = failed.value.failure
    assert isinstance(refusal, Refused)
    assert (refusal.status, refusal.code, refusal.errors[0].line) == (422, "CX4004", 3)
    assert refusal.request_id


async def test_a_provider_that_fails_fails_the_message(server: Served, caxton: Client) -> None:
    assert (await refused_by(server.url)).code == "CX5012"
    with pytest.raises(CallFailed, match="CX5012"):
        async with caxton.stream("greeter", "boom") as answer:
            assert [piece async for piece in answer] == []


async def test_a_token_is_sent_and_not_shown() -> None:
    async with serving(settings=RestSettings(token=Secret("secret-token"))) as server:
        assert (await refused_by(server.url)).status == 401
        async with Client(server.url, token="secret-token") as client:
            assert (await client.send("greeter", "Hello")).text == "You said: Hello"
            assert "secret-token" not in repr(vars(client))


async def test_who_stops_waiting_cancels_the_message() -> None:
    async with serving(SLOW) as server, Client(server.url) as client:
        with anyio.move_on_after(0.2):
            await client.send("greeter", "Hello")
        await until(lambda: server.runtime.in_flight == 0)
        async with client.stream("greeter", "Hello"):
            await until(lambda: server.runtime.in_flight == 1)
        await until(lambda: server.runtime.in_flight == 0)


async def test_a_message_whose_connection_was_lost_is_sent_again_under_the_same_key() -> None:
    answer = response(msgspec.json.encode(ANSWER))
    async with raw_server((Act.CLOSE,), (answer,)) as server, Client(server.url) as client:
        assert await client.send("greeter", "Hello") == ANSWER
        keys = [request.headers["idempotency-key"] for request in server.requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_what_has_no_key_is_not_sent_again() -> None:
    async with raw_server((Act.CLOSE,)) as server, Client(server.url) as client:
        with pytest.raises(CallFailed, match="no answer"):
            await client.deploy(HELPER)
        assert len(server.requests) == 1


async def test_nobody_there_is_no_answer() -> None:
    async with Client("http://127.0.0.1:9") as client:
        with pytest.raises(CallFailed, match=r"^no answer: 127\.0\.0\.1:9: .*Connect") as failed:
            await client.health()
    assert isinstance(failed.value.failure, NoAnswer)


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (http_client.NameNotResolved("nowhere"), "nowhere"),
        (http_client.TlsFailed("here", 443, "self-signed"), "here:443: self-signed"),
        (http_client.ProxyFailed("proxy:1", "403"), "proxy:1: 403"),
        (http_client.TimedOut(http_client.Stage.TOTAL, 2.5), "2.5 s (total)"),
        (http_client.ConnectionLost(7, "reset"), "7 bytes: reset"),
        (http_client.MalformedResponse("no head"), "no head"),
        (http_client.ResponseTooLarge("body", 9), "body is larger than 9 bytes"),
        (http_client.RedirectRefused(307, "/there"), "(307): /there"),
        (http_client.ClientClosed(), "closed"),
    ],
)
def test_every_missing_answer_has_words(why: http_client.HttpFailure, says: str) -> None:
    assert says in str(CallFailed(NoAnswer(why)))


async def test_somebody_else_there_is_not_understood() -> None:
    async with raw_server((response(b"<html>"),)) as server, Client(server.url) as client:
        with pytest.raises(CallFailed) as failed:
            await client.health()
    assert isinstance(failed.value.failure, NotUnderstood)


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Served, Files]]:
    """A server with a certificate."""
    files = issued(tmp_path)
    opened = open_certificate(CertificatePlace(files.certificate, files.key))
    assert isinstance(opened, Success)
    async with serving(tls=opened.unwrap().context) as served:
        yield served, files


async def test_a_server_is_known_by_its_certificate(secure: tuple[Served, Files]) -> None:
    server, files = secure
    assert server.url.startswith("https://")
    async with Client(server.url, authorities=files.authority) as client:
        assert (await client.send("greeter", "Hello")).text == "You said: Hello"
        async with client.stream("greeter", "Again") as pieces:
            assert (await pieces.whole()).text == "You said: Again"


async def test_a_server_that_others_vouch_for_is_not_asked(
    secure: tuple[Served, Files], tmp_path: Path
) -> None:
    server, _ = secure
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for authorities, why in ((None, "certificate"), (other, "certificate"), ("no.pem", "no.pem")):
        async with Client(server.url, authorities=authorities) as client:
            with pytest.raises(CallFailed, match=why) as failed:
                await client.send("greeter", "Hello")
        assert isinstance(failed.value.failure, NoAnswer)
        assert isinstance(failed.value.failure.why, http_client.TlsFailed)


async def test_a_server_of_this_machine_answers_through_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    opened = open_unix_socket(tmp_path / "caxton.sock")
    assert isinstance(opened, Success)
    unix_socket = opened.unwrap()
    async with serving(beside=(unix_socket.listener,)), Client(unix_socket.url) as client:
        assert (await client.send("greeter", "Hello")).text == "You said: Hello"
    unix_socket.close()
    async with Client(unix_socket.url) as client:
        with pytest.raises(CallFailed, match=r"caxton\.sock: No such file"):
            await client.health()
