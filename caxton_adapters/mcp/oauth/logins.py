"""What a person's login left behind: a file for each server, which only Caxton's user can read."""

import time
from pathlib import Path
from typing import final

from anyio import to_thread
from mcp.client.auth import TokenStorage
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from caxton_adapters.process.private import DIRECTORY_MODE, replace_text
from caxton_core.primitives import ServerName


@final
class Discovered(BaseModel):
    """What the servers said of themselves: without it no token could be refreshed later."""

    model_config = ConfigDict(frozen=True)

    issuer: str | None = None
    authorization: OAuthMetadata | None = None
    resource: ProtectedResourceMetadata | None = None

    @property
    def refreshes_at(self) -> tuple[str | None, str | None]:
        """The authorization server, and the address at which it gives tokens."""
        said = self.authorization
        return self.issuer, None if said is None else str(said.token_endpoint)


@final
class Login(BaseModel):
    """The tokens for one address, whom they were given to, and until when they hold."""

    model_config = ConfigDict(frozen=True)

    server: str
    tokens: OAuthToken = Field(repr=False)
    client: OAuthClientInformationFull = Field(repr=False)
    expires_at: float | None = None
    discovered: Discovered = Discovered()


@final
class LoginFile(TokenStorage):
    """The login for the server at one address; `client` is one that was registered by hand."""

    def __init__(
        self, path: Path, server: str, client: OAuthClientInformationFull | None = None
    ) -> None:
        self._path = path
        self._server = server
        self._client = client
        self._seen: int | None = None
        self.discovered = Discovered()

    @property
    def changed(self) -> bool:
        """Whether it was written since it was read: by a login, which is another process."""
        return self._stamp() != self._seen

    @property
    def exists(self) -> bool:
        """Whether anybody has logged in."""
        return self._stamp() is not None

    async def login(self) -> Login | None:
        """The login; None where there is none for this address."""
        login = await to_thread.run_sync(self._read)
        if login is not None:
            self._client = login.client
            self.discovered = login.discovered
        return login

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens of the login."""
        login = await self.login()
        return None if login is None else login.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Write the login anew."""
        if self._client is None:
            return
        login = Login(
            server=self._server,
            tokens=tokens,
            client=self._client,
            expires_at=None if tokens.expires_in is None else time.time() + tokens.expires_in,
            discovered=self.discovered,
        )
        await to_thread.run_sync(self._write, login)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """As whom Caxton is known to the authorization server."""
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Remember it until there are tokens to be written with it."""
        self._client = client_info

    def _read(self) -> Login | None:
        self._seen = self._stamp()
        try:
            login = Login.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return None
        return login if login.server == self._server else None

    def _write(self, login: Login) -> None:
        for directory in (self._path.parent.parent, self._path.parent):
            directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        replace_text(self._path, login.model_dump_json(exclude_none=True))
        self._seen = self._stamp()

    def _stamp(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None


@final
class NoFile(TokenStorage):
    """Tokens that are not kept: who can ask for them anew at any time needs no file."""

    def __init__(self) -> None:
        self._tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens of this connection."""
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Hold them."""
        self._tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """As whom Caxton is known to the authorization server."""
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Hold it."""
        self._client = client_info


def login_path(data_dir: Path, server: ServerName) -> Path:
    """Where the login for a server is kept."""
    return data_dir / "logins" / f"{server.value}.json"
