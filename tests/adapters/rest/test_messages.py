"""Messages over HTTP: whole, streamed, by and by, twice, cancelled."""

import json

import anyio
import msgspec
import pytest

from caxton_adapters.rest.settings import RestSettings
from tests.adapters.rest.conftest import SLOW, Served, serving


async def test_a_message_is_answered(server: Served) -> None:
    answer = await server.client.post("/agents/greeter/message", json={"text": "Hello"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["text"] == "You said: Hello"
    assert body["agent"] == "greeter"
    assert body["finish_reason"] == "stop"
    assert body["tool_calls"] == []
    assert set(body["usage"]) == {"prompt_tokens", "completion_tokens", "cost_usd"}
    assert body["message_id"]
    assert body["conversation_id"]
