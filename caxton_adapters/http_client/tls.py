"""One TLS context for all connections of a client, which resumes its sessions."""

import ssl
from pathlib import Path

COMMON_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/ssl/cert.pem"),
)


class ResumingContext(ssl.SSLContext):
    """A client context that offers a host the session of an earlier connection to it."""

    _sessions: dict[str, ssl.SSLSession]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 (the signature is ssl's)
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a handshake; the event loop calls this for every new connection."""
        return super().wrap_bio(
            incoming,
            outgoing,
            server_side,
            server_hostname,
            session or self._sessions.get(str(server_hostname)),
        )

    def remember(self, connection: ssl.SSLObject) -> None:
        """Keep the session of a connection that served a request."""
        if connection.session is not None:
            self._sessions[str(connection.server_hostname)] = connection.session


def client_context(authorities: Path | None = None) -> ResumingContext:
    """Trust the authorities of the file and nobody else, or those that the system trusts.

    What the system trusts is what `SSL_CERT_FILE` and `SSL_CERT_DIR` name where they are set.
    Reads files: call it in a thread. Raises `OSError`.
    """
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context._sessions = {}  # noqa: SLF001 (ssl makes contexts in __new__, which takes no more)
    context.set_alpn_protocols(["http/1.1"])
    if authorities is not None:
        context.load_verify_locations(authorities)
        return context
    context.load_default_certs()
    _find_bundle(context)
    return context


def _find_bundle(context: ssl.SSLContext) -> None:
    """Help interpreters whose OpenSSL was built for another system's paths."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath or context.cert_store_stats()["x509_ca"]:
        return
    bundle = next((bundle for bundle in COMMON_BUNDLES if bundle.is_file()), None)
    if bundle is not None:
        context.load_verify_locations(bundle)
