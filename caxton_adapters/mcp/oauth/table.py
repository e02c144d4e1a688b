"""`[mcp.servers.NAME.oauth]`: how Caxton comes by the tokens of a protected server."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, ClassVar, Final, final

from attrs import frozen
from returns.result import Failure

from caxton_adapters.setting_values import WrittenSecret
from caxton_core.codes.stating import stated
from caxton_core.egress import destination, reach_to, refused, said
from caxton_core.primitives import Count, Text, TextRule
from caxton_core.problems import Problem
from caxton_core.reading.keys import Key

CREDENTIALS_MISSING: Final = "CX2240"
OUT_OF_REACH: Final = "CX2241"
_LAST_PORT: Final = 65535
PORT_UNUSABLE: Final = "CX2242"


@final
class Grant(Enum):
    """As whom Caxton uses a server: as a person who logged in, or as itself."""

    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"


@final
class Signing(Enum):
    """How a client signs what it says of itself."""

    ES256 = "ES256"
    ES384 = "ES384"
    RS256 = "RS256"
    EDDSA = "EdDSA"


@final
@frozen
class ClientId(Text):
    """The name under which an authorization server knows Caxton."""

    rule: ClassVar = TextRule("a client id", r"[!-~]+", "text without blanks", 500, "caxton")


@final
@frozen
class Scope(Text):
    """One right that is asked for."""

    rule: ClassVar = TextRule("a scope", r"[!#-\[\]-~]+", "text without blanks", 200, "files:read")


@final
@frozen
class OAuthUrl(Text):
    """An address of an authorization server or of a document for it."""

    rule: ClassVar = TextRule(
        "an address", r"https?://[!-~]+", "a http(s) URL", 2000, "https://login.example.org"
    )


@final
@frozen
class OAuthTable:
    """`[mcp.servers.NAME.oauth]`: how Caxton comes by the tokens of a protected server."""

    grant: Annotated[
        Grant,
        Key(
            "As whom it is used: `authorization_code` as a person who runs `caxton mcp login`, "
            "`client_credentials` as the client itself.",
            '"authorization_code"',
        ),
    ] = Grant.AUTHORIZATION_CODE
    client_id: Annotated[
        ClientId | None,
        Key("The client's name there.", '"caxton"', default="the login registers a client"),
    ] = None
    client_secret: Annotated[
        WrittenSecret | None, Key("The client's secret.", '"${TOOLS_SECRET}"', default="none")
    ] = None
    signing_key: Annotated[
        WrittenSecret | None,
        Key(
            "The private key (PEM) of a client that signs what it says of itself.",
            '"${TOOLS_KEY}"',
            default="none",
        ),
    ] = None
    signing: Annotated[Signing, Key("How it signs.", '"ES256"')] = Signing.ES256
    issuer: Annotated[
        OAuthUrl | None,
        Key(
            "The authorization server that knows the client; its secret is sent to no other.",
            '"https://login.example.org"',
            default="what the tool server names",
        ),
    ] = None
    scopes: Annotated[
        tuple[Scope, ...],
        Key("The rights to ask for.", '["files:read"]', default="what the server asks for"),
    ] = ()
    redirect_port: Annotated[
        Count | None,
        Key("The port of this machine to which a login returns.", "8765", default="any free port"),
    ] = None
    client_metadata_url: Annotated[
        OAuthUrl | None,
        Key(
            "A public document that describes the client; its address is then the client's name.",
            '"https://example.org/caxton.json"',
            default="none",
        ),
    ] = None


def broken_oauth(table: OAuthTable) -> Iterator[Problem]:
    """What is wrong with the table beyond the form of its values."""
    alone = table.grant is Grant.CLIENT_CREDENTIALS
    proof = () if table.signing_key is not None else ("client_secret",)
    needed = ("client_id", "issuer", *proof) if alone else ("client_id", "issuer")
    for key in needed if alone or table.client_secret is not None else ():
        if getattr(table, key) is None:
            what = "the grant client_credentials" if alone else "a `client_secret`"
            yield Problem((), stated(CREDENTIALS_MISSING, key=key, what=what))
    if table.redirect_port is not None and table.redirect_port.value > _LAST_PORT:
        yield Problem(("redirect_port",), stated(PORT_UNUSABLE))


def unreachable(url: str, *, private_network: bool) -> Iterator[Problem]:
    """Why no request may go to the address, as far as its spelling tells."""
    read = destination(url)
    if isinstance(read, Failure):
        yield Problem((), stated(OUT_OF_REACH, why=f"it cannot be used: {read.failure().why}"))
        return
    refusal = refused(read.unwrap(), reach_to(read.unwrap(), private_network=private_network))
    if refusal is not None:
        yield Problem((), stated(OUT_OF_REACH, why=said(refusal)))
