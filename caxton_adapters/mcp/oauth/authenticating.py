"""Which authentication the requests to a server carry; to decide it loads the library."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from caxton_adapters.mcp.registration import Registration
from caxton_core.primitives import ServerName

if TYPE_CHECKING:
    import httpx2

Authenticate: TypeAlias = Callable[[str, Registration], "httpx2.Auth | None"]


def unauthenticated(_: str, __: Registration) -> "httpx2.Auth | None":
    """None: whoever asks is nobody."""
    return None


def with_logins(data_dir: Path) -> Authenticate:
    """As the registration says, with the logins that are kept below this directory."""

    def authenticate(server: str, written: Registration) -> "httpx2.Auth | None":
        if written.url is None or written.oauth is None:
            return None
        from caxton_adapters.mcp.oauth.providers import auth_for  # noqa: PLC0415 - loads the library

        return auth_for(ServerName(server), written.url.value, written.oauth, data_dir)

    return authenticate
