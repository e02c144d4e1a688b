"""Tokens by the API: from an open server to a closed one, and back to its operator."""

import pytest

from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import Served, serving

ADMIN = {"name": "boss", "scopes": ["admin"]}
READER = {"name": "reader", "scopes": ["read"]}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_the_first_token_closes_an_open_server(server: Served) -> None:
    assert (await server.client.get("/agents")).status_code == 200
    made = await server.client.post("/tokens", json=ADMIN)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert (await server.client.get("/agents")).status_code == 401
    shown = bearer(made.json()["token"])
    assert (await server.client.get("/agents", headers=shown)).status_code == 200


async def test_a_list_shows_everything_but_the_tokens(server: Served) -> None:
    shown = (await server.client.post("/tokens", json=ADMIN)).json()["token"]
    wanted = {**READER, "expires_in": "30d"}
    await server.client.post("/tokens", json=wanted, headers=bearer(shown))
    listed = await server.client.get("/tokens", headers=bearer(shown))
    boss, reader = listed.json()["tokens"]
    assert (boss["name"], boss["scopes"], boss["expires"]) == ("boss", ["admin"], None)
    assert (reader["scopes"], reader["used"], reader["expired"]) == (["read"], None, False)
    assert reader["expires"] > reader["created"]
    assert boss["used"]
    assert shown not in listed.text
    assert "cx_" not in listed.text


async def test_a_rate_of_its_own_is_told_of_a_token(server: Served) -> None:
    rates = (None, 0, 600)
    shown = bearer((await server.client.post("/tokens", json=ADMIN)).json()["token"])
    for number, rate in enumerate(rates):
        wanted = {"name": f"r{number}", "scopes": ["read"], "messages_per_minute": rate}
        made = await server.client.post("/tokens", json=wanted, headers=shown)
        assert made.json()["messages_per_minute"] == rate
    listed = (await server.client.get("/tokens", headers=shown)).json()["tokens"]
    assert [token["messages_per_minute"] for token in listed[1:]] == list(rates)


async def test_a_revoked_token_is_gone_and_the_last_one_leaves_the_server_open(
    server: Served,
) -> None:
    shown = bearer((await server.client.post("/tokens", json=ADMIN)).json()["token"])
    assert (await server.client.delete("/tokens/boss", headers=shown)).status_code == 204
    assert (await server.client.get("/agents")).status_code == 200
    again = await server.client.delete("/tokens/boss")
    assert (again.status_code, again.json()["code"]) == (404, "CX3025")


async def test_a_name_is_taken_once(server: Served) -> None:
    shown = bearer((await server.client.post("/tokens", json=ADMIN)).json()["token"])
    again = await server.client.post("/tokens", json=ADMIN, headers=shown)
    assert (again.status_code, again.json()["code"]) == (409, "CX3024")


async def test_nobody_locks_everybody_out(server: Served) -> None:
    first = await server.client.post("/tokens", json=READER)
    assert (first.status_code, first.json()["code"]) == (409, "CX3026")
    shown = bearer((await server.client.post("/tokens", json=ADMIN)).json()["token"])
    await server.client.post("/tokens", json=READER, headers=shown)
    last = await server.client.delete("/tokens/boss", headers=shown)
    assert (last.status_code, last.json()["code"]) == (409, "CX3026")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "operator", "scopes": ["read"]},
        {"name": "a\nb", "scopes": ["read"]},
        {"name": "x", "scopes": ["read"], "expires_in": "soon"},
        {"name": "x", "scopes": ["read"], "expires_in": "0s"},
        {"name": "x", "scopes": ["read"], "token": "cx_mine"},
        {"scopes": ["read"]},
        {"name": "x", "scopes": ["read"], "messages_per_minute": -1},
        {"name": "x", "scopes": ["read"], "messages_per_minute": 1_000_001},
        {"name": "x", "scopes": ["read"], "messages_per_minute": "many"},
    ],
)
async def test_what_is_no_token_is_refused(body: dict[str, object]) -> None:
    async with serving(settings=RestSettings(token=Secret("own"))) as server:
        answer = await server.client.post("/tokens", json=body, headers=bearer("own"))
    assert (answer.status_code, answer.json()["code"]) == (422, "CX3002")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "My Name", "scopes": ["read"]}, "lower-case letters, digits and single hyphens"),
        (
            {"name": "x", "scopes": ["all"]},
            "'all' is none of its values: `admin` or `agents:write`",
        ),
        ({"name": "x", "scopes": ["read"], "expires_in": "0s"}, "a duration is longer than 0"),
        ({"name": "x", "scopes": ["read"], "expires_in": "soon"}, "a unit: ms, s, m, h or d"),
    ],
)
async def test_what_is_wrong_with_a_token_is_said_in_words(
    server: Served, body: dict[str, object], words: str
) -> None:
    answer = await server.client.post("/tokens", json=body)
    assert words in answer.json()["detail"]
    assert "regex" not in answer.json()["detail"]


async def test_a_token_that_is_not_valid_is_told_from_none(server: Served) -> None:
    shown = bearer((await server.client.post("/tokens", json=ADMIN)).json()["token"])
    reader = await server.client.post("/tokens", json=READER, headers=shown)
    await server.client.delete("/tokens/reader", headers=shown)
    none = (await server.client.get("/agents")).json()["detail"]
    wrong = (await server.client.get("/agents", headers=bearer("nobody"))).json()
    revoked = (await server.client.get("/agents", headers=bearer(reader.json()["token"]))).json()
    assert "asks for its token" in none
    assert (wrong["code"], revoked["code"]) == ("CX3007", "CX3007")
    assert wrong["detail"] == revoked["detail"]
    assert wrong["detail"].startswith("The token that was sent is not valid")
