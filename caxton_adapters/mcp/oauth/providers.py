"""What puts tokens into requests: the SDK's flows, as a server can use them that nobody watches."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Final, final

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider, OAuthFlowError
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

from caxton_adapters.mcp.oauth.logins import Discovered, LoginFile, NoFile, login_path
from caxton_adapters.mcp.oauth.table import Grant, OAuthTable
from caxton_core.primitives import ServerName

# Why a flow failed is told to whoever asked; its traceback shows codes and tokens' endpoints.
logging.getLogger("mcp.client.auth.oauth2").setLevel(logging.CRITICAL)

REDIRECT: Final = "http://127.0.0.1/callback"
_UNAUTHORIZED: Final = 401


def auth_for(server: ServerName, url: str, table: OAuthTable, data_dir: Path) -> httpx2.Auth:
    """The authentication of a running server: its own credentials, or a login that was made."""
    match table.grant:
        case Grant.CLIENT_CREDENTIALS:
            return _credentials(url, table)
        case Grant.AUTHORIZATION_CODE:
            file = LoginFile(login_path(data_dir, server), url)
            return KeptLogin(server, url, table, file)


def _credentials(url: str, table: OAuthTable) -> httpx2.Auth:
    assert table.client_id is not None
    assert table.issuer is not None
    name, issuer, scope = table.client_id.value, table.issuer.value, _scope(table)
    if table.signing_key is not None:
        signed = SignedJWTParameters(
            issuer=name,
            subject=name,
            signing_key=table.signing_key.value,
            signing_algorithm=table.signing.value,
        ).create_assertion_provider()
        return PrivateKeyJWTOAuthProvider(url, NoFile(), name, signed, scope, issuer)
    assert table.client_secret is not None
    return ClientCredentialsOAuthProvider(
        url, NoFile(), name, table.client_secret.value, scope=scope, issuer=issuer
    )


class LoginProvider(OAuthClientProvider):
    """The authorization-code flow over a login that outlives the process."""

    def __init__(
        self,
        url: str,
        table: OAuthTable,
        file: LoginFile,
        redirect_uri: str = REDIRECT,
        *,
        show: Callable[[str], Awaitable[None]] | None = None,
        redirected: Callable[[], Awaitable[AuthorizationCodeResult]] | None = None,
    ) -> None:
        metadata = OAuthClientMetadata.model_validate(
            {
                "client_name": "Caxton",
                "redirect_uris": [redirect_uri],
                "scope": _scope(table),
            }
        )
        document = table.client_metadata_url
        super().__init__(
            url,
            metadata,
            file,
            show,
            redirected,
            client_metadata_url=None if document is None else document.value,
        )
        self._issuer = None if table.issuer is None else table.issuer.value
        self._file = file

    async def _initialize(self) -> None:
        """Take over what the login knows, the end of its tokens and their servers included."""
        login = await self._file.login()
        self.context.client_info = await self._file.get_client_info()
        self.context.current_tokens = None if login is None else login.tokens
        if login is not None:
            self.context.token_expiry_time = login.expires_at
            self.context.auth_server_url = login.discovered.issuer
            self.context.oauth_metadata = login.discovered.authorization
            self.context.protected_resource_metadata = login.discovered.resource
        self._initialized = True

    def _select_authorization_server(self, advertised: list[str]) -> str:
        """The configured one, or else the first; a secret goes to no other."""
        if self._issuer is None:
            return advertised[0]
        for server in advertised:
            if server.rstrip("/") == self._issuer.rstrip("/"):
                return server
        message = f"the server does not use the authorization server {self._issuer}"
        raise OAuthFlowError(message)

    async def _handle_token_response(self, response: httpx2.Response) -> None:
        """Keep with the tokens what refreshing them will need."""
        before = self.context.current_tokens
        self._file.discovered = self._discovered()
        await super()._handle_token_response(response)
        now = self.context.current_tokens
        if before is not None and now is not None and now.refresh_token is None:
            now.refresh_token = before.refresh_token
            await self._file.set_tokens(now)

    def _discovered(self) -> Discovered:
        """What the servers say of themselves now."""
        return Discovered(
            issuer=self.context.auth_server_url,
            authorization=self.context.oauth_metadata,
            resource=self.context.protected_resource_metadata,
        )


@final
class KeptLogin(LoginProvider):
    """A login that somebody made earlier: it is refreshed, and never begun, for nobody is there."""

    def __init__(self, server: ServerName, url: str, table: OAuthTable, file: LoginFile) -> None:
        super().__init__(url, table, file)
        self._advice = f"log in with `caxton mcp login {server.value}`"

    async def _auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Read a login anew that was made meanwhile; without one there is nothing to discover."""
        if self._file.changed:
            self._initialized = False
        flow = super()._auth_flow(request) if self._file.exists else self._alone(request)
        try:
            outgoing = await anext(flow)
            while True:
                outgoing = await flow.asend((yield outgoing))
        except StopAsyncIteration:
            return
        finally:
            await flow.aclose()
            if not self._is_where_it_was_made():
                self._initialized = False  # what a server said that has turned is not kept

    async def _alone(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        response = yield request
        if response.status_code == _UNAUTHORIZED:
            message = f"the server wants to know who asks: {self._advice}"
            raise OAuthFlowError(message)

    async def _perform_authorization(self) -> httpx2.Request:
        """The tokens are refused: refresh them, which is all that can be done alone."""
        if self.context.can_refresh_token():
            return await self._refresh_token()
        raise self._ended()

    async def _refresh_token(self) -> httpx2.Request:
        """Ask for new tokens where the login was made, whatever the tool server names now."""
        if not self._is_where_it_was_made():
            raise self._ended()
        return await super()._refresh_token()

    def _is_where_it_was_made(self) -> bool:
        return self._discovered().refreshes_at == self._file.discovered.refreshes_at

    async def _handle_token_response(self, response: httpx2.Response) -> None:
        if not response.is_success:
            raise self._ended()
        await super()._handle_token_response(response)

    def _ended(self) -> OAuthFlowError:
        return OAuthFlowError(f"the login has ended: {self._advice}")


def registered_client(table: OAuthTable, redirect_uri: str) -> OAuthClientInformationFull | None:
    """The client that the settings name; None lets the login register one."""
    if table.client_id is None:
        return None
    secret = None if table.client_secret is None else table.client_secret.value
    return OAuthClientInformationFull.model_validate(
        {
            "client_id": table.client_id.value,
            "client_secret": secret,
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none" if secret is None else "client_secret_basic",
            "issuer": None if table.issuer is None else table.issuer.value,
        }
    )


def _scope(table: OAuthTable) -> str | None:
    return " ".join(scope.value for scope in table.scopes) or None
