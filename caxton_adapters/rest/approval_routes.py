"""The routes of approvals with their description."""

from collections.abc import Sequence
from typing import Annotated, final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, Parameter

from caxton_adapters.rest.approvals_wire import ApprovalPage, DecisionBody
from caxton_adapters.rest.paging import DEFAULT_LIMIT, HIGHEST_LIMIT
from caxton_adapters.rest.served import Here, Question, Served
from caxton_adapters.rest.wire import ApprovalBody

Id = Annotated[str, Parameter(description="The approval's id.")]
Message = Annotated[str | None, Parameter(description="Calls in the turn of this message.")]
Limit = Annotated[int, Parameter(ge=1, le=HIGHEST_LIMIT, description="How many at most.")]
Cursor = Annotated[
    str | None, Parameter(pattern="^[0-9a-f]*$", description="`next` of the page before.")
]
Ref = Annotated[str, Parameter(description="The agent's name or id.")]


@final
class ApprovalsController(Controller):
    """Calls of tools that wait for a person."""

    tags: Sequence[str] | None = ("approvals",)

    @get("/approvals", operation_id="listApprovals")
    async def list_approvals(
        self,
        resources: Here,
        asked: Question,
        message: FromQuery[Message] = None,
        limit: FromQuery[Limit] = DEFAULT_LIMIT,
        cursor: FromQuery[Cursor] = None,
    ) -> Response[ApprovalPage]:
        """List the calls that wait for a person, what was asked first first."""
        return Served(resources.approvals.page(limit, cursor, message), asked)

    @get("/approvals/{approval:str}", operation_id="showApproval")
    async def show_approval(
        self, resources: Here, asked: Question, approval: FromPath[Id]
    ) -> Response[ApprovalBody]:
        """Show a call that waits for a person, or what was said of it lately."""
        return Served(resources.approvals.show(asked, approval), asked)

    @post("/approvals/{approval:str}", operation_id="answerApproval", status_code=200)
    async def answer_approval(
        self, resources: Here, asked: Question, approval: FromPath[Id]
    ) -> Response[ApprovalBody]:
        """Say whether the call is made; the first answer counts, and survives the server."""
        return Served(await resources.approvals.answer(asked, approval), asked)

    @post("/agents/{ref:str}/why", operation_id="explainCall", status_code=200)
    async def explain_call(
        self, resources: Here, asked: Question, ref: FromPath[Ref]
    ) -> Response[DecisionBody]:
        """Tell whether a call of the agent would be made now, and what each level says of it."""
        return Served(await resources.approvals.why(asked, ref), asked)
