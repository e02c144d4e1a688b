"""Which proxy the environment prescribes for an origin."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from caxton_adapters.http_client.failures import ProxyFailed, RequestFailed
from caxton_adapters.http_client.url import Origin, Url


def proxy_for(origin: Origin, environment: Mapping[str, str]) -> Url | None:
    """The proxy to go through; None is a direct connection.

    Read are `HTTPS_PROXY` or `HTTP_PROXY` after the origin's scheme, then `ALL_PROXY`, and
    `NO_PROXY`, in lower case first. `HTTP_PROXY` in capitals is ignored where a web server may
    have set it from a request's `Proxy` header (`REQUEST_METHOD` is set).
    """
    text = _prescribed(origin.scheme, environment)
    if not text or _exempt(origin, _variable("no_proxy", environment)):
        return None
    try:
        return Url.parse(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise RequestFailed(ProxyFailed(_without_credentials(text), str(error))) from error


def _prescribed(scheme: str, environment: Mapping[str, str]) -> str:
    if scheme == "http" and "REQUEST_METHOD" in environment:
        specific = environment.get("http_proxy", "")
    else:
        specific = _variable(f"{scheme}_proxy", environment)
    return specific or _variable("all_proxy", environment)


def _variable(name: str, environment: Mapping[str, str]) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _exempt(origin: Origin, no_proxy: str) -> bool:
    patterns = (pattern.strip().lower() for pattern in no_proxy.split(","))
    return any(_matches(origin, pattern) for pattern in patterns if pattern)


def _matches(origin: Origin, pattern: str) -> bool:
    if pattern == "*" or _in_network(origin.host, pattern):
        return True
    if pattern == origin.host or pattern.strip("[]") == origin.host:
        return True
    host, _, port = pattern.rpartition(":")
    if host and port.isdigit() and not pattern.endswith("]"):
        return int(port) == origin.port and _matches(origin, host)
    return origin.host.endswith("." + pattern.removeprefix("*").lstrip("."))


def _in_network(host: str, pattern: str) -> bool:
    if "/" not in pattern:
        return False
    try:
        return ip_address(host) in ip_network(pattern, strict=False)
    except ValueError:
        return False


def _without_credentials(text: str) -> str:
    return text.rpartition("@")[2]
