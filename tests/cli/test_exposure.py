"""What others can reach is started with a token and encryption only: the whole matrix."""

import itertools
from pathlib import Path

import pytest

from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.refusals import PublicInTheOpen, PublicWithoutToken
from caxton_adapters.process.server_process import Wanted, exposure
from caxton_adapters.secrets import Secret
from tests.certificates import issued
from tests.cli.command import Shell

EVERY_ADDRESS = "0.0.0.0"
TOKEN = {"CAXTON_API_TOKEN": "a-token-of-the-settings"}
PLACE = CertificatePlace(Path("certificate.pem"), Path("key.pem"))


def expected(host: str, *, token: bool, tls: bool, proxy: bool) -> object:
    """The rule, in the words of the plan: a token, and TLS or a proxy, unless it is loopback."""
    if host == "127.0.0.1" or (token and (tls or proxy)):
        return None
    return PublicInTheOpen(host) if token else PublicWithoutToken(host)


@pytest.mark.parametrize("host", ["127.0.0.1", EVERY_ADDRESS, "::", "10.0.0.7", "example.org"])
def test_the_matrix_of_address_token_tls_and_proxy(host: str) -> None:
    for token, tls, proxy in itertools.product((False, True), repeat=3):
        wanted = Wanted(
            host=host,
            port=0,
            directory=Path("data"),
            token=Secret("a-token") if token else None,
            certificate=PLACE if tls else None,
            behind_proxy=proxy,
        )
        assert exposure(wanted) == expected(host, token=token, tls=tls, proxy=proxy)


@pytest.mark.parametrize(
    ("tls", "proxy", "token", "code"),
    [
        (False, False, False, "CX2105"),
        (True, False, False, "CX2105"),
        (False, True, False, "CX2105"),
        (False, False, True, "CX2113"),
    ],
)
def test_a_public_server_is_refused_with_the_way_out(
    configured: Shell, *, tls: bool, proxy: bool, token: bool, code: str
) -> None:
    flags = (issued(configured.directory).flags() if tls else ()) + ("--behind-proxy",) * proxy
    variables = TOKEN if token else {}
    where = "--host", EVERY_ADDRESS, "--port", "0"
    refused = configured.run("server", "start", *where, *flags, **variables)
    assert refused.code == 6
    assert code in refused.err
    if token:
        assert "--tls-certificate" in refused.err
        assert "--behind-proxy" in refused.err


def test_a_public_server_with_both_starts_whoever_encrypts(configured: Shell) -> None:
    files = issued(configured.directory)
    for flags in (files.flags(), ("--behind-proxy",)):
        where = "--host", EVERY_ADDRESS, "--port", "0"
        started = configured.run("server", "start", *where, *flags, **TOKEN)
        assert started.code == 0, started.err
        assert configured.run("list", **files.trust()).code == 5
        assert configured.run("list", **files.trust(), **TOKEN).code == 0
        assert configured.run("server", "stop").code == 0


def test_a_proxy_is_declared_in_the_environment_too(configured: Shell) -> None:
    where = {"CAXTON_HOST": EVERY_ADDRESS, **TOKEN}
    for text, code in (("true", 0), ("1", 0), ("false", 6), ("perhaps", 4)):
        started = configured.run(
            "server", "start", "--port", "0", CAXTON_BEHIND_PROXY=text, **where
        )
        assert started.code == code, (text, started.err)
        if code == 0:
            assert configured.run("server", "stop").code == 0


def test_the_doctor_sees_what_would_keep_a_public_server_from_starting(configured: Shell) -> None:
    files = issued(configured.directory)
    pair = {"CAXTON_TLS_CERTIFICATE": str(files.certificate), "CAXTON_TLS_KEY": str(files.key)}
    public = {"CAXTON_HOST": EVERY_ADDRESS, **TOKEN}
    assert "bad  address:" in configured.run("doctor", **public).out
    examined = configured.run("doctor", **public, **pair)
    assert "bad  address" not in examined.out
    assert f"ok   certificate: {files.certificate} holds until 20" in examined.out
    files.key.chmod(0o644)
    examined = configured.run("doctor", **public, **pair)
    assert (examined.code, "[CX2116]" in examined.out) == (1, True)
