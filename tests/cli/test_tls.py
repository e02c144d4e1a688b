"""A server with a certificate of its own, and commands that know it by that."""

import json
import ssl
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import trustme

from tests.certificates import Files, issued, write
from tests.cli.command import Shell
from tests.cli.processes import log_of, owner, until_told


@pytest.fixture
def files(configured: Shell) -> Files:
    """A certificate for this machine."""
    return issued(configured.directory)


@pytest.fixture
def secure(configured: Shell, files: Files) -> Iterator[Shell]:
    """A shell whose server has a certificate; commands are not told yet who vouches for it."""
    started = configured.run("server", "start", "--port", "0", *files.flags())
    assert started.code == 0, started.err
    yield configured
    assert configured.run("server", "stop", "--force").code in (0, 3)


def test_a_message_is_answered_through_tls(secure: Shell, files: Files) -> None:
    url = str(owner(secure)["url"])
    assert url.startswith("https://127.0.0.1:")
    status = secure.run("server", "status", **files.trust())
    assert (status.code, status.out.startswith(f"caxton is running at {url}")) == (0, True)
    health = secure.run("health", "--url", url, **files.trust())
    assert (health.code, health.out.split()[0]) == (0, "pass")
    assert secure.run("deploy", "talker.toml", **files.trust()).code == 0
    said = secure.run("send", "talker", "hello", **files.trust())
    assert (said.code, said.out) == (0, "You said: hello\n")


def test_a_server_that_an_unknown_authority_vouches_for_is_not_asked(secure: Shell) -> None:
    other = secure.directory / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for trust in ({}, {"CAXTON_CA_FILE": str(other)}):
        refused = secure.run("list", **trust)
        assert refused.code == 3
        assert "certificate" in refused.err
        assert "CAXTON_CA_FILE" in refused.err
        status = secure.run("server", "status", **trust)
        assert (status.code, "its certificate is not accepted" in status.out) == (3, True)
    told = json.loads(secure.run("server", "status", "--json").out)
    assert (told["running"], "not accepted" in told["reasons"][0]) == (False, True)


def test_a_certificate_for_another_name_is_not_accepted(configured: Shell) -> None:
    files = issued(configured.directory, "caxton.example.org")
    assert configured.run("server", "start", "--port", "0", *files.flags()).code == 0
    refused = configured.run("list", **files.trust())
    assert (refused.code, "certificate is not valid for" in refused.err) == (3, True)
    assert configured.run("server", "stop").code == 0


def test_authorities_that_cannot_be_read_are_told(secure: Shell) -> None:
    refused = secure.run("list", CAXTON_CA_FILE="nowhere.pem")
    assert (refused.code, "nowhere.pem (CAXTON_CA_FILE)" in refused.err) == (1, True)


def test_a_server_that_expects_tls_is_told_from_one_that_is_down(secure: Shell) -> None:
    plain = str(owner(secure)["url"]).replace("https", "http")
    refused = secure.run("list", "--url", plain)
    assert (refused.code, "begins with https://" in refused.err) == (3, True)
    assert secure.run("server", "status", "--url", plain).code == 3
    assert {line["level"] for line in log_of(secure)} == {"info"}


def test_a_server_without_a_certificate_is_told_from_one_that_is_down(running: Shell) -> None:
    encrypted = str(owner(running)["url"]).replace("http", "https")
    refused = running.run("list", "--url", encrypted)
    assert (refused.code, "begins with http://" in refused.err) == (3, True)


def test_a_certificate_that_cannot_be_used_keeps_the_server_from_starting(
    configured: Shell, files: Files
) -> None:
    files.key.chmod(0o644)
    refused = configured.run("server", "start", "--port", "0", *files.flags())
    assert (refused.code, "CX2116" in refused.err, "chmod 600" in refused.err) == (6, True, True)
    alone = configured.run("server", "start", "--tls-key", str(files.key))
    assert (alone.code, "CX2205" in alone.err, "--tls-key" in alone.err) == (4, True, True)


def test_a_certificate_that_has_ended_is_told_and_served(configured: Shell) -> None:
    files = issued(configured.directory, ends=timedelta(days=-1))
    started = configured.run("server", "start", "--port", "0", *files.flags())
    told = "clients will not accept its certificate: certificate has expired"
    assert (started.code, told in started.err) == (0, True)
    refused = configured.run("list", **files.trust())
    assert (refused.code, "certificate has expired" in refused.err) == (3, True)
    lines = [line for line in log_of(configured) if line["event"] == "tls.certificate"]
    assert [line["doubt"] for line in lines] == ["certificate has expired"]
    assert configured.run("server", "stop").code == 0


def test_a_renewed_certificate_needs_no_restart(secure: Shell, files: Files) -> None:
    address = urlsplit(str(owner(secure)["url"]))
    where = (str(address.hostname), int(address.port or 0))
    assert ssl.get_server_certificate(where) == files.certificate.read_text()
    write(trustme.CA().issue_cert("127.0.0.1"), files)
    fresh = files.certificate.read_text()
    assert until_told(lambda: ssl.get_server_certificate(where), fresh) == fresh
    assert "tls.renewed" in {line["event"] for line in log_of(secure)}


def test_the_settings_tell_a_status_check_that_it_is_https(configured: Shell, files: Files) -> None:
    table = (
        f'[server]\nport = 1\ntls_certificate = "{files.certificate}"\ntls_key = "{files.key}"\n'
    )
    configured.write("caxton.toml", table)
    assert "https://127.0.0.1:1" in configured.run("server", "status").out
