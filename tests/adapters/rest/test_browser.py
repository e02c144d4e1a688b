"""What foreign pages reach in a real browser, and what the page of the API does there.

Each attack is also made on a server without any guard, where it has to arrive: what a browser would
have stopped by itself proves nothing here.
"""

import json
import platform
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, final

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from attrs import field, frozen
from playwright.async_api import Browser, Page

from tests.adapters.rest.conftest import Served, serving, until
from tests.adapters.rest.lines import Lines
from tests.node.browser import chromium

AGENT: Final = "name = 'intruder'\nsystem_prompt = 'You are not wanted.'"
DEPLOY: Final = json.dumps({"config": AGENT})
ATTACKS: Final = {
    "a request of simple form": """(target, body) => fetch(target + "/agents", {
        method: "POST", mode: "no-cors", headers: {"content-type": "text/plain"}, body })""",
    "a request without a type": """(target, body) => fetch(target + "/agents", {
        method: "POST", mode: "no-cors", body: new Blob([body]) })""",
    "a beacon": """(target, body) => navigator.sendBeacon(target + "/agents", body)""",
    "a form": """(target, body) => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: target + "/agents", enctype: "text/plain",
            target: "frame" });
        const [name, ...value] = body.split("=");
        const input = document.createElement("input");
        Object.assign(input, { name, value: value.join("=") });
        form.append(input);
        const frame = document.createElement("iframe");
        frame.name = "frame";
        document.body.append(frame, form);
        form.submit();
    }""",
}
"""Requests that a browser sends to any server without asking it first."""
PREFLIGHTED: Final = {
    "JSON": """(target, body) => fetch(target + "/agents", {
        method: "POST", headers: {"content-type": "application/json"}, body })""",
    "TOML": """(target) => fetch(target + "/agents", {
        method: "POST", headers: {"content-type": "application/toml"}, body: "name = 'a'" })""",
    "another file": """(target, body) => fetch(target + "/agents/greeter", {
        method: "PUT", body })""",
    "removal": """(target) => fetch(target + "/agents/greeter", { method: "DELETE" })""",
    "a token": """(target) => fetch(target + "/agents", {
        headers: {"authorization": "Bearer guessed"} })""",
}
"""Requests of which a browser asks the server first whether the page may make them."""
READING: Final = {
    "the agents": """(target) => fetch(target + "/agents").then((answer) => answer.text())""",
    "the description": """(target) => fetch(target + "/schema/openapi.json")
        .then((answer) => answer.text())""",
    "with cookies": """(target) => fetch(target + "/agents", { credentials: "include" })
        .then((answer) => answer.text())""",
    "events": """(target) => new Promise((done) => {
        const events = new EventSource(target + "/events");
        events.onopen = () => done("opened");
        events.onerror = () => done("refused");
    })""",
    "a frame": """(target) => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.src = target + "/schema";
        frame.onload = () => {
            try { done(frame.contentWindow.document.title); } catch { done("refused"); }
        };
        document.body.append(frame);
    })""",
}
LURE: Final = (
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
)


@final
@frozen
class Unguarded:
    """A server that takes everything, and has the attacker's page."""

    port: int
    received: list[bytes] = field(factory=list)

    async def answer(self, stream: SocketStream) -> None:
        """Answer one request, and remember it."""
        async with stream:
            received = b""
            while not _whole(received):
                try:
                    received += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
            self.received.append(received)
            page = b"<!doctype html><title>a harmless page</title>"
            head = f"content-type: text/html\r\ncontent-length: {len(page)}\r\nconnection: close"
            await stream.send(b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n\r\n" + page)


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = next(
        (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")),
        b"0",
    )
    return bool(end) and len(body) >= int(length)


@pytest.fixture
async def attacker() -> AsyncIterator[Unguarded]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    found = Unguarded(listener.extra(SocketAttribute.local_port))
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, found.answer)
        yield found
        tasks.cancel_scope.cancel()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the browser of the tests is built for Linux on x86-64")
    async with chromium("--host-resolver-rules=MAP *.example 127.0.0.1") as found:
        yield found


@asynccontextmanager
async def foreign_page(browser: Browser, attacker: Unguarded) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.goto(f"http://attacker.example:{attacker.port}/")
    yield page
    await page.close()


async def came_of(page: Page, attack: str, target: str) -> object:
    """Make the attack; what came of it, or the name of the error that the browser made of it."""
    script = f"([target, body]) => Promise.resolve(({attack})(target, body)).catch((e) => e.name)"
    with anyio.fail_after(20):
        return await page.evaluate(script, [target, DEPLOY])


async def agents(server: Served) -> list[str]:
    listed = (await server.client.get("/agents")).json()["agents"]
    return [agent["name"] for agent in listed]


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_foreign_page_changes_nothing_in_a_real_browser(
    browser: Browser, attacker: Unguarded, name: str
) -> None:
    log = Lines()
    async with serving(log=log) as server, foreign_page(browser, attacker) as page:
        await came_of(page, ATTACKS[name], f"http://victim.example:{attacker.port}")
        await until(lambda: any(each.startswith(b"POST /agents") for each in attacker.received))
        assert b"intruder" in attacker.received[-1]
        await came_of(page, ATTACKS[name], server.url)
        await until(lambda: any(level == "warning" for level, *_ in log.lines))
        assert await agents(server) == ["greeter"]


@pytest.mark.parametrize("name", PREFLIGHTED)
async def test_a_foreign_page_may_not_ask_for_more(
    server: Served, browser: Browser, attacker: Unguarded, name: str
) -> None:
    async with foreign_page(browser, attacker) as page:
        assert await came_of(page, PREFLIGHTED[name], server.url) == "TypeError"
    assert await agents(server) == ["greeter"]


@pytest.mark.parametrize("name", READING)
async def test_a_foreign_page_reads_nothing(
    server: Served, browser: Browser, attacker: Unguarded, name: str
) -> None:
    async with foreign_page(browser, attacker) as page:
        assert await came_of(page, READING[name], server.url) in ("TypeError", "refused")


async def test_a_name_that_turns_to_this_machine_reaches_nothing(
    server: Served, browser: Browser
) -> None:
    page = await browser.new_page()
    rebound = f"http://rebound.example:{server.port}"
    opened = await page.goto(f"{rebound}/health")
    assert opened is not None
    assert (opened.status, (await opened.json())["code"]) == (403, "CX3009")
    same_origin = """(target) => fetch(target + "/agents").then((answer) => answer.status)"""
    assert await came_of(page, same_origin, rebound) == 403


async def test_the_page_of_the_api_shows_answers_and_runs_none_of_them(browser: Browser) -> None:
    scenario = f"[[rules]]\nanswer = {json.dumps(LURE)}"
    async with serving(scenario) as server:
        page = await browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(20_000)
        await page.add_init_script(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', (e) => violations.push(e.blockedURI));"
        )
        await page.goto(f"{server.url}/schema")
        sending = page.locator("#sendMessage")
        await sending.locator("summary").first.click()
        form = sending.locator("form")
        await form.get_by_label("ref", exact=True).fill("greeter")
        await form.get_by_label("body").fill('{"text": "Hello"}')
        await form.get_by_role("button").click()
        await sending.locator("pre", has_text="onerror").wait_for()
        assert await page.evaluate("violations") == []
        assert (await page.title()).startswith("Caxton")
        assert all(url.startswith((server.url, "data:")) for url in asked)
