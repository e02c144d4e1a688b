"""The routes of stored messages and conversations with their description."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, final

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, Parameter, QueryParameter, SkipValidation
from returns.result import Failure

from caxton_adapters.rest import wire
from caxton_adapters.rest.archive_wire import (
    ConversationBody,
    ConversationDetails,
    ConversationPage,
    MessagePage,
)
from caxton_adapters.rest.exchange import refusal
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT, message_at
from caxton_adapters.rest.served import Here, Question, Served
from caxton_adapters.runtime.archive import MessagesWanted, Whose
from caxton_core.conversation.outcome import MessageState

StateName: TypeAlias = Literal[
    "accepted", "running", "answered", "failed", "cancelled", "dead_lettered"
]
States = Annotated[
    list[StateName] | None,
    QueryParameter(name="state", description="Messages in this state, or in one of several."),
]
Agent = Annotated[str | None, Parameter(description="The name or id of an agent.")]
Shared = Annotated[bool, Parameter(description="The conversation that agents share.")]
InConversation = Annotated[str | None, Parameter(description="Messages of this conversation.")]
Conversation = Annotated[str, Parameter(description="The conversation's id.")]
Message = Annotated[str, Parameter(description="The message's id.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Parameter(pattern="^[0-9a-f]*$", description="`next` of the page before.")
]
Force = Annotated[bool, Parameter(description="Cancel messages that are at work.")]


async def whose_of(
    conversation: FromPath[Conversation],
    agent: FromQuery[Agent] = None,
    shared: FromQuery[Shared] = False,  # noqa: FBT002 - a query parameter
) -> Whose:
    """Which conversation of this id is meant."""
    return Whose(conversation, agent, shared)


Meant = NamedDependency[SkipValidation[Whose]]


@final
class StoredMessagesController(Controller):
    """Messages that were accepted."""

    tags: Sequence[str] | None = ("messages",)

    @get("/messages", operation_id="listMessages")
    async def list_messages(  # noqa: PLR0913, PLR0917 - query parameters
        self,
        resources: Here,
        asked: Question,
        agent: FromQuery[Agent] = None,
        conversation: FromQuery[InConversation] = None,
        in_state: FromQuery[States] = None,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[MessagePage]:
        """List messages, the newest first.

        A page may have fewer than `limit`; only `next` says whether there are more.
        """
        before = message_at(cursor)
        if isinstance(before, Failure):
            return Served(refusal(before.failure(), asked.context), asked)
        states = tuple(MessageState(name) for name in in_state or ())
        wanted = MessagesWanted(agent, conversation, states, before.unwrap(), limit)
        return Served(await resources.messages.page(asked, wanted), asked)

    @post("/messages/{message:str}/retry", operation_id="retryMessage", status_code=202)
    async def retry_message(
        self, resources: Here, asked: Question, message: FromPath[Message]
    ) -> Response[wire.MessageAccepted]:
        """Have a failed or cancelled message go on, from its last recorded step.

        `results` tell what came of `unknown_calls`; those that are not told are made again.
        """
        return Served(await resources.messages.retry(asked, message), asked)


@final
class ConversationsController(Controller):
    """What was said.

    Agents may use the same id, each for itself or sharing one conversation: `agent` or `shared`
    says which is meant.
    """

    tags: Sequence[str] | None = ("conversations",)

    @get("/conversations", operation_id="listConversations")
    async def list_conversations(
        self,
        resources: Here,
        asked: Question,
        agent: FromQuery[Agent] = None,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[ConversationPage]:
        """List conversations, the one used last first; with `agent` those of it alone."""
        return Served(await resources.conversations.page(asked, agent, limit, cursor), asked)

    @get(
        "/conversations/{conversation:str}",
        operation_id="showConversation",
        dependencies={"whose": Provide(whose_of)},
    )
    async def show_conversation(
        self,
        resources: Here,
        asked: Question,
        whose: Meant,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[ConversationDetails]:
        """Show a conversation with its messages, oldest first."""
        return Served(await resources.conversations.show(asked, whose, limit, cursor), asked)

    @delete(
        "/conversations/{conversation:str}",
        operation_id="deleteConversation",
        dependencies={"whose": Provide(whose_of)},
    )
    async def delete_conversation(
        self,
        resources: Here,
        asked: Question,
        whose: Meant,
        force: FromQuery[Force] = False,  # noqa: FBT002 - a query parameter
    ) -> Response[None]:
        """Remove a conversation and its messages; refused while one is at work, unless by force."""
        return Served(await resources.conversations.forget(asked, whose, force=force), asked)

    @post(
        "/conversations/{conversation:str}/reset",
        operation_id="resetConversation",
        status_code=200,
        dependencies={"whose": Provide(whose_of)},
    )
    async def reset_conversation(
        self, resources: Here, asked: Question, whose: Meant
    ) -> Response[ConversationBody]:
        """Have a conversation begin anew; what was said stays readable."""
        return Served(await resources.conversations.reset(asked, whose), asked)

    @get(
        "/conversations/{conversation:str}/export",
        operation_id="exportConversation",
        media_type="application/jsonl",
        dependencies={"whose": Provide(whose_of)},
    )
    async def export_conversation(
        self, resources: Here, asked: Question, whose: Meant
    ) -> Response[str]:
        """Every message with all that was said in its turn, oldest first, as lines of JSON.

        Where reading fails in the middle, the last line is the problem.
        """
        return Served(await resources.conversations.export(asked, whose), asked)
