"""A small HTTP/1.1 client for few servers and many requests."""

from caxton_adapters.http_client.client import Endpoint, HttpClient, StreamedResponse
from caxton_adapters.http_client.failures import (
    ClientClosed,
    ConnectionLost,
    HttpFailure,
    MalformedResponse,
    NameNotResolved,
    NotConnected,
    ProxyFailed,
    RedirectRefused,
    RequestFailed,
    ResponseTooLarge,
    Stage,
    TimedOut,
    TlsFailed,
)
from caxton_adapters.http_client.limits import Limits, Timeouts
from caxton_adapters.http_client.message import Response
from caxton_adapters.http_client.url import Url

__all__ = [
    "ClientClosed",
    "ConnectionLost",
    "Endpoint",
    "HttpClient",
    "HttpFailure",
    "Limits",
    "MalformedResponse",
    "NameNotResolved",
    "NotConnected",
    "ProxyFailed",
    "RedirectRefused",
    "RequestFailed",
    "Response",
    "ResponseTooLarge",
    "Stage",
    "StreamedResponse",
    "TimedOut",
    "Timeouts",
    "TlsFailed",
    "Url",
]
