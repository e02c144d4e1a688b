import json
import os
from pathlib import Path

import pytest

from caxton_cli import places


def test_one_directory_holds_everything_if_it_is_named(tmp_path: Path) -> None:
    environ = {"CAXTON_HOME": str(tmp_path), "XDG_DATA_HOME": "/elsewhere"}
    assert places.config_files(environ) == ["caxton.toml", str(tmp_path / "config.toml")]
    assert places.data_dir(environ) == str(tmp_path / "data")


def test_the_usual_places_are_those_of_the_xdg_specification() -> None:
    environ = {"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}
    assert places.config_files(environ) == [
        "caxton.toml",
        "/c/caxton/config.toml",
        "/etc/caxton/config.toml",
    ]
    assert places.default_data_dir(environ) == "/d/caxton"


def test_a_relative_base_directory_is_ignored_as_the_specification_says() -> None:
    assert places.default_data_dir({"XDG_DATA_HOME": "relative"}) == places.default_data_dir({})


def test_the_variable_stands_above_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("caxton.toml").write_text('[server]\ndata_dir = "/from/file"\nport = 9999')
    assert places.data_dir({}) == "/from/file"
    assert places.data_dir({"CAXTON_DATA_DIR": "/from/env"}) == "/from/env"
    assert places.configured_url({}) == "http://127.0.0.1:9999"
    assert places.configured_url({"CAXTON_PORT": "1"}) == "http://127.0.0.1:1"


def test_the_address_is_what_the_running_server_wrote_down(tmp_path: Path) -> None:
    environ = {"CAXTON_DATA_DIR": str(tmp_path)}
    (tmp_path / "caxton.pid").write_text(json.dumps({"url": "http://127.0.0.1:5", "pid": 1}))
    assert places.server_url(environ) == "http://127.0.0.1:5"
    assert places.server_url({**environ, "CAXTON_URL": "http://far"}) == "http://far"


def test_commands_go_through_the_socket_of_the_running_server(tmp_path: Path) -> None:
    environ = {"CAXTON_DATA_DIR": str(tmp_path)}
    where = {"url": "https://127.0.0.1:5", "socket": "unix:///run/caxton.sock"}
    (tmp_path / "caxton.pid").write_text(json.dumps(where))
    assert places.server_url(environ) == "https://127.0.0.1:5"
    assert places.way_in(environ) == "unix:///run/caxton.sock"
    assert places.way_in({**environ, "CAXTON_URL": "http://far"}) == "http://far"


def test_a_server_with_a_certificate_is_called_through_tls() -> None:
    environ = {"CAXTON_TLS_CERTIFICATE": "c.pem", "CAXTON_HOME": os.devnull}
    assert places.configured_url(environ) == "https://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("example.org", "http://example.org:8080"),
    ],
)
def test_a_client_calls_an_address_that_it_can_reach(host: str, url: str) -> None:
    assert places.configured_url({"CAXTON_HOST": host, "CAXTON_HOME": os.devnull}) == url


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xff", b'{"url": 1'])
def test_a_damaged_pid_file_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "caxton.pid").write_bytes(content)
    assert places.owner(str(tmp_path)) == {}


@pytest.mark.parametrize("content", [b"[server", b"\xff", b"server = 1"])
def test_a_damaged_settings_file_does_not_keep_status_from_answering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("caxton.toml").write_bytes(content)
    assert places.configured_url({"CAXTON_HOME": str(tmp_path)}) == "http://127.0.0.1:8080"
