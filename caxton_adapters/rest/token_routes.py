"""The routes of `/tokens` with their description."""

from collections.abc import Sequence
from typing import Annotated, final

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, Parameter

from caxton_adapters.rest.exchange import json_answer
from caxton_adapters.rest.served import Here, Question, Served
from caxton_adapters.rest.token_wire import NewToken, TokenList

Name = Annotated[str, Parameter(description="The name of a token.")]


@final
class TokensController(Controller):
    """Who may ask, and for what."""

    tags: Sequence[str] | None = ("tokens",)

    @get("/tokens", operation_id="listTokens")
    async def list_tokens(self, resources: Here, asked: Question) -> Response[TokenList]:
        """List the tokens that were given out, the oldest first; none of them is shown."""
        return Served(json_answer(resources.tokens.all()), asked)

    @post("/tokens", operation_id="createToken")
    async def create_token(self, resources: Here, asked: Question) -> Response[NewToken]:
        """Create a token; the answer is the only place where it is ever shown."""
        return Served(await resources.tokens.create(asked), asked)

    @delete("/tokens/{name:str}", operation_id="revokeToken")
    async def revoke_token(
        self, resources: Here, asked: Question, name: FromPath[Name]
    ) -> Response[None]:
        """Revoke a token; it opens nothing from now on."""
        return Served(await resources.tokens.revoke(asked, name), asked)
