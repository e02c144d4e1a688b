"""Every request that may change something leaves one line: who, what, from where, what came."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.token import TokenName
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.rest.audit import About, Audited
from caxton_adapters.rest.exchange import RequestContext
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import serving
from tests.adapters.rest.lines import Lines
from tests.adapters.rest.routes import ROUTES

CHANGING = [(method, path) for method, path in ROUTES if method != "GET"]
CONTEXT = RequestContext("id", None, "robot")


async def test_every_changing_route_leaves_one_line() -> None:
    tokens = Tokens(Secret("own"), InMemoryTokens(), lambda: datetime.now(UTC))
    made = await tokens.create(TokenName("robot"), frozenset({Scope.ADMIN}), None)
    shown = made.unwrap()[0].reveal()  # type: ignore[union-attr]
    log, settings = Lines(), RestSettings(token=Secret("own"))
    async with serving(settings=settings, tokens=tokens, log=log) as server:
        for method, path in CHANGING:
            headers = {"authorization": f"Bearer {shown}", "x-request-id": f"{method}:1"}
            answer = await server.client.request(method, path, headers=headers)
            [(_, event, facts)] = log.lines
            assert event == "audit.changed"
            assert facts == {
                "who": "robot",
                "method": method,
                "path": path,
                "peer": "127.0.0.1",
                "status": answer.status_code,
                "request_id": f"{method}:1",
            }
            log.lines.clear()
        await server.client.get("/agents", headers={"authorization": f"Bearer {shown}"})
    assert log.lines == []


async def test_whoever_is_refused_leaves_a_warning() -> None:
    log, settings = Lines(), RestSettings(token=Secret("own"))
    async with serving(settings=settings, log=log) as server:
        for method in ("GET", "DELETE"):
            await server.client.request(method, "/agents/greeter")
    told = [(level, event, facts["who"], facts["status"]) for level, event, facts in log.lines]
    assert told == [("warning", "audit.refused", "anonymous", 401)] * 2


async def test_a_message_is_work_and_its_line_is_for_developers() -> None:
    log = Lines()
    async with serving(log=log) as server:
        await server.client.post("/agents/greeter/message", json={"text": "x"})
        await server.client.post(
            "/agents/greeter/message", json={"text": "x"}, headers={"accept": "text/event-stream"}
        )
    assert [(level, facts["status"]) for level, _, facts in log.lines] == [("debug", 200)] * 2


def test_whoever_is_refused_again_and_again_does_not_fill_the_disk() -> None:
    log = Lines()
    audited = Audited(log)
    for _ in range(1000):
        audited("POST", "/agents", "10.0.0.9", CONTEXT, 401)
    levels = Counter(level for level, _, _ in log.lines)
    assert levels["warning"] < 130
    assert sum(levels.values()) == 1000


@pytest.mark.parametrize("status", [429, 0, 200, 500])
def test_whatever_became_of_it_there_is_one_line(status: int) -> None:
    log = Lines()
    Audited(log)("DELETE", "/agents/x" + "y" * 9000, "10.0.0.9", CONTEXT, status)
    [(level, event, facts)] = log.lines
    assert (level, event) == ("debug" if status == 429 else "info", "audit.changed")
    assert len(str(facts["path"])) == 500


def test_a_line_names_so_much_as_it_can_hold() -> None:
    log = Lines()
    audited = Audited(log)
    audited(
        "POST", "/tools/approve", "10.0.0.9", CONTEXT, 200, About(["files." + "x" * 9000] * 200)
    )
    audited("POST", "/tools/approve", "10.0.0.9", CONTEXT, 200, About(["files.read"]))
    [many, one] = [facts["about"] for _, _, facts in log.lines]
    assert isinstance(many, list)
    assert (len(many), len(many[0]), many[-1]) == (101, 500, "and 100 more")
    assert one == ["files.read"]
