"""The routes of `/memory` with their description."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias, final

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, Parameter, QueryParameter, SkipValidation

from caxton_adapters.rest.exchange import Asked
from caxton_adapters.rest.memory import Filters, Whose
from caxton_adapters.rest.memory_wire import EntryBody, EntryPage, Forgotten, ImportOutcome
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT
from caxton_adapters.rest.served import Here, Question, Served

Scope = Annotated[
    str | None,
    QueryParameter(
        name="scope",  # a word that Litestar keeps for itself in signatures
        pattern="^(agent|conversation|global)$",
        description="Whose; `global` is all's.",
    ),
]
Agent = Annotated[str | None, Parameter(description="The name or id of an agent.")]
Conversation = Annotated[str | None, Parameter(description="One conversation of the agent.")]
Kind = Annotated[str | None, Parameter(description="Entries of this kind.")]
Tags = Annotated[list[str] | None, Parameter(description="Entries with all of these tags.")]
Words = Annotated[str | None, Parameter(description="Words that an entry has, all of them.")]
How = Annotated[
    str | None,
    Parameter(pattern="^(text|semantic|hybrid)$", description="How the words are looked for."),
]
Since = Annotated[str | None, Parameter(description="Entries stored from this time on.")]
Until = Annotated[str | None, Parameter(description="Entries stored before this time.")]
ValidAt = Annotated[str | None, Parameter(description="Entries that hold at this time.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Parameter(pattern="^[0-9a-f]*$", description="`next` of the page before.")
]
Key = Annotated[str, Parameter(description="The name of an entry, unique with its owner.")]
All = Annotated[bool, Parameter(description="Forget everything where no filter is given.")]
Check = Annotated[bool, Parameter(description="Store nothing, tell what is wrong.")]
Partly = Annotated[bool, Parameter(description="Store the lines that can be read.")]


Dependency: TypeAlias = Provide | Callable[..., Any]  # Litestar's own types

Owned = NamedDependency[SkipValidation[Whose]]
Chosen = NamedDependency[SkipValidation[Filters]]


async def whose_of(
    in_scope: Scope = None,
    agent: FromQuery[Agent] = None,
    conversation: FromQuery[Conversation] = None,
) -> Whose:
    """Whose entries the parameters mean."""
    return Whose(scope=in_scope, agent=agent, conversation=conversation)


async def filters_of(  # noqa: PLR0913, PLR0917 - query parameters
    q: FromQuery[Words] = None,
    how: FromQuery[How] = None,
    kind: FromQuery[Kind] = None,
    tag: FromQuery[Tags] = None,
    since: FromQuery[Since] = None,
    until: FromQuery[Until] = None,
    valid_at: FromQuery[ValidAt] = None,
) -> Filters:
    """Which of their entries they mean."""
    return {
        "q": q,
        "how": how,
        "kind": kind,
        "tag": tag,
        "since": since,
        "until": until,
        "valid_at": valid_at,
    }


@final
class MemoryController(Controller):
    """What agents remember.

    Every request says whose entries it means: `agent`, `agent` and `conversation`, or
    `scope=global`.
    """

    tags: Sequence[str] | None = ("memory",)
    dependencies: Mapping[str, Dependency] | None = MappingProxyType(
        {"whose": Provide(whose_of), "filters": Provide(filters_of)}
    )

    @get("/memory", operation_id="searchMemory")
    async def search_memory(
        self,
        resources: Here,
        asked: Question,
        whose: Owned,
        filters: Chosen,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[EntryPage]:
        """Find entries: the best first where words are given, else the newest."""
        answer = await resources.memory.page(asked, whose, filters, limit, cursor)
        return Served(answer, asked)

    @delete("/memory", operation_id="forgetMemories", status_code=200)
    async def forget_memories(
        self,
        resources: Here,
        asked: Question,
        whose: Owned,
        filters: Chosen,
        all: FromQuery[All] = False,  # noqa: A002, FBT002 - a query parameter
    ) -> Response[Forgotten]:
        """Forget all entries that fit; without a filter only with `all=true`."""
        answer = await resources.memory.forget_all(asked, whose, filters, everything=all)
        return Served(answer, asked)

    @get("/memory/export", operation_id="exportMemory", media_type="application/jsonl")
    async def export_memory(self, resources: Here, asked: Question, whose: Owned) -> Response[str]:
        """Every entry with its relations as a line of JSON, the newest first.

        Where reading fails in the middle, the last line is the problem; an import refuses it.
        """
        return Served(resources.memory.export(asked, whose), asked)

    @post("/memory/import", operation_id="importMemory", status_code=200)
    async def import_memory(
        self,
        resources: Here,
        asked: Question,
        whose: Owned,
        check: FromQuery[Check] = False,  # noqa: FBT002 - a query parameter
        partly: FromQuery[Partly] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[ImportOutcome]:
        """Store entries from lines of JSON, all or none; every bad line is told."""
        answer = await resources.memory.take(asked, whose, check=check, partly=partly)
        return Served(answer, asked)

    @get("/memory/{key:path}", operation_id="showEntry")
    async def show_entry(
        self,
        resources: Here,
        asked: Question,
        key: FromPath[Key],  # noqa: ARG002 - for the description; see `_name`
        whose: Owned,
    ) -> Response[EntryBody]:
        """Show an entry with its relations, whether or not it holds now."""
        return Served(await resources.memory.show(asked, whose, _name(asked)), asked)

    @put("/memory/{key:path}", operation_id="putEntry")
    async def put_entry(
        self,
        resources: Here,
        asked: Question,
        key: FromPath[Key],  # noqa: ARG002 - for the description; see `_name`
        whose: Owned,
    ) -> Response[EntryBody]:
        """Store an entry, in place of the one with its key if there is one."""
        return Served(await resources.memory.put(asked, whose, _name(asked)), asked)

    @delete("/memory/{key:path}", operation_id="forgetEntry")
    async def forget_entry(
        self,
        resources: Here,
        asked: Question,
        key: FromPath[Key],  # noqa: ARG002 - for the description; see `_name`
        whose: Owned,
    ) -> Response[None]:
        """Forget an entry."""
        return Served(await resources.memory.forget(asked, whose, _name(asked)), asked)


def _name(asked: Asked) -> str:
    """The key as it was sent: where it holds several slashes in a row, Litestar makes them one."""
    return asked.path.removeprefix("/memory/")
