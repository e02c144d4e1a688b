"""Lists of tools that are too long, too large or without end: what is used of them."""

from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import define
from mcp.client import Client
from mcp.server import Server, ServerRequestContext
from mcp_types import ListToolsResult, PaginatedRequestParams, Tool

from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.listed import ListedTool
from caxton_adapters.mcp.listing import (
    LARGEST_LISTING,
    LARGEST_SCHEMA,
    LONGEST_DESCRIPTION,
    MOST_PAGES,
    MOST_TOOLS,
    Listing,
)
from caxton_adapters.mcp.said import Said
from caxton_adapters.mcp.session import Session
from tests.mcp_server import small_server
from tests.mcp_server.serving import serving, view


def tool(number: int, size: int = 0, **more: object) -> Tool:
    schema = {"type": "object", "title": "x" * size}
    return Tool.model_validate({"name": f"tool_{number}", "inputSchema": schema, **more})


def test_a_tool_that_is_too_large_is_left_out_and_the_others_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listing = Listing("small")
    for number, size in enumerate((10, LARGEST_SCHEMA, 10)):
        listing.take(tool(number, size))
    assert [*listing.tools] == ["tool_0", "tool_2"]
    assert not listing.is_full
    assert "tool_1 is left out: its schema is too large" in caplog.text


def test_a_schema_of_results_that_is_too_large_is_not_kept() -> None:
    listing = Listing("small")
    listing.take(tool(0, outputSchema={"type": "object", "title": "x" * LARGEST_SCHEMA}))
    assert listing.tools["tool_0"].returns is None


def test_a_description_is_cut() -> None:
    listing = Listing("small")
    listing.take(tool(0, description="x" * 1_000_000))
    assert len(listing.tools["tool_0"].description) == LONGEST_DESCRIPTION


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"description": "x" * LARGEST_LISTING},
        {"name": "x" * LARGEST_LISTING},
        {"outputSchema": {"type": "object", "title": "x" * LARGEST_LISTING}},
    ],
    ids=["parameters", "description", "name", "results"],
)
def test_more_than_can_be_kept_is_not_looked_at(more: dict[str, object]) -> None:
    listing, size = Listing("small"), 0 if more else LARGEST_LISTING
    listing.take(tool(0))
    listing.take(tool(1, size, **more))
    assert [*listing.tools] == ["tool_0"]
    assert listing.is_full


def test_so_many_tools_are_kept_and_no_more() -> None:
    listing = Listing("small")
    full = []
    for number in range(MOST_TOOLS + 1):
        listing.take(tool(number))
        full.append(listing.is_full)
    assert full == [False] * MOST_TOOLS + [True]
    assert len(listing.tools) == MOST_TOOLS


@pytest.mark.parametrize("size", [90_000, LARGEST_SCHEMA])
async def test_a_list_without_end_is_left_when_it_is_too_large(tmp_path: Path, size: int) -> None:
    notes = tmp_path / "notes"
    written = small_server(f"fat={size}", f"note={notes}")
    async with serving(tmp_path / "caxton.lock", {"small": written}) as servers:
        await servers.reach(["small"])
        assert view(servers).tools == (LARGEST_LISTING // size if size < LARGEST_SCHEMA else 0)
    assert notes.read_text().count("lists") < MOST_PAGES // 10


@define
class Turns:
    """How often another task had its turn."""

    count: int = 0

    async def take(self) -> None:
        while True:
            self.count += 1
            await anyio.lowlevel.checkpoint()


async def every_tool(
    _: ServerRequestContext[Any], __: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=[tool(number) for number in range(MOST_TOOLS)])


async def test_others_have_their_turn_between_tools() -> None:
    turns = Turns()
    async with Client(Server("small", on_list_tools=every_tool)) as client:
        session = Session(client, small_server(), "small", Said("small"), Ending())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(turns.take)
            assert len(await session.tools()) == MOST_TOOLS
            tasks.cancel_scope.cancel()
    assert turns.count >= MOST_TOOLS


async def test_others_have_their_turn_while_tools_are_described(tmp_path: Path) -> None:
    turns = Turns()
    listed = tuple(
        ListedTool(name=f"tool_{number}", description="", parameters={"type": "object"})
        for number in range(MOST_TOOLS)
    )
    lock, written = tmp_path / "caxton.lock", {"small": small_server()}
    async with serving(lock, written, approval=Approval.ALWAYS) as servers:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(turns.take)
            await servers._on_tools("small", listed)
            tasks.cancel_scope.cancel()
        assert view(servers).tools == MOST_TOOLS
    assert turns.count >= MOST_TOOLS
