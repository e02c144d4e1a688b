from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.refusals import SettingsUnreadable
from caxton_adapters.settings import InvalidSettings, Loaded, Surroundings, load
from caxton_adapters.settings.layers import VARIABLES
from caxton_core.primitives import ProviderName
from caxton_core.reading.report import human

FULL = """
[server]
port = 9000
[providers.here]
kind = "openai-compatible"
base_url = "http://127.0.0.1:11434/v1"
"""


def around(
    *files: Path,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    named: Path | None = None,
) -> Surroundings:
    return Surroundings(
        flags=flags or {},
        environ=environ or {},
        named_file=None if named is None else str(named),
        usual_files=tuple(map(str, files)) or ("/nonexistent/caxton.toml",),
        default_data_dir="/var/lib/caxton",
    )


def loaded(surroundings: Surroundings) -> Loaded:
    result = load(surroundings)
    assert isinstance(result, Success), result
    return result.unwrap()


def told(surroundings: Surroundings) -> str:
    result = load(surroundings)
    assert isinstance(result, Failure)
    problem = result.failure()
    assert isinstance(problem, InvalidSettings)
    return "".join(map(human, problem.reports))


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_nothing_written_is_a_safe_server() -> None:
    server = loaded(around()).settings.server
    assert (server.host, server.port, server.token) == ("127.0.0.1", 8080, None)
    assert server.data_dir == Path("/var/lib/caxton")


def test_flags_stand_above_environment_above_files_above_defaults(tmp_path: Path) -> None:
    near = written(tmp_path, "near.toml", "[server]\nport = 2\n[logging]\nlevel = 'error'")
    far = written(
        tmp_path, "far.toml", "[server]\nport = 1\nmax_body = '2MB'\n[logging]\nlevel = 'debug'"
    )
    found = loaded(
        around(near, far, flags={"port": 4}, environ={"CAXTON_PORT": "3", "CAXTON_HOST": "::1"})
    )
    assert {path: name for path, name in found.sources.items() if path[0] == "server"} == {
        ("server", "port"): "--port",
        ("server", "host"): "CAXTON_HOST",
        ("server", "max_body"): str(far),
    }
    assert found.settings.server.port == 4
    assert found.settings.logging.level.name == "ERROR"
    assert found.sources["logging", "level"] == str(near)


def test_a_named_file_takes_the_place_of_the_first_usual_one(tmp_path: Path) -> None:
    usual = written(tmp_path, "usual.toml", "[server]\nport = 1")
    far = written(tmp_path, "far.toml", "[server]\nhost = '::1'")
    named = written(tmp_path, "named.toml", "[logging]\nlevel = 'debug'")
    server = loaded(around(usual, far, named=named)).settings.server
    assert (server.port, server.host) == (8080, "::1")


def test_a_named_file_that_is_missing_is_told(tmp_path: Path) -> None:
    result = load(around(named=tmp_path / "missing.toml"))
    assert isinstance(result, Failure)
    assert isinstance(result.failure(), SettingsUnreadable)


def test_all_problems_of_all_places_come_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "caxton.toml", "[server]\nhots = 'x'\ntoken = '${NOWHERE}'\nport = -1")
    text = told(around(file, flags={"log_level": "loud"}, environ={"CAXTON_PORT": "many"}))
    for code in ("CX1002", "CX2201", "CX1103", "CX1004", "CX1105"):
        assert code in text
    assert "Did you mean `host`?" in text
    assert f"{file}:4:8" in text
    assert 'CAXTON_PORT = "many"' in text
    assert '--log-level = "loud"' in text


def test_an_empty_list_of_what_is_allowed_is_refused_as_it_is_in_a_policy(tmp_path: Path) -> None:
    file = written(tmp_path, "caxton.toml", "port = 1\n[permissions]\nask = []\nallow = []\n")
    text = told(around(file))
    for words in ("CX1005", "CX2223", f"{file}:4:", "`allow = []` would be read as no list at all"):
        assert words in text
    fine = written(tmp_path, "fine.toml", "[permissions]\ndeny = []\n")
    assert loaded(around(fine)).settings.permissions.allow == ()


def test_a_stronger_file_takes_back_no_list_with_an_empty_one(tmp_path: Path) -> None:
    weak = written(tmp_path, "weak.toml", '[permissions]\nallow = ["files.read"]\n')
    strong = written(tmp_path, "strong.toml", "[permissions]\nallow = []\n")
    assert f"{strong}:2:" in told(around(strong, weak))


def test_variables_are_substituted_in_files(tmp_path: Path) -> None:
    file = written(tmp_path, "c.toml", "[server]\ndata_dir = '${BASE}/x'\ntoken = '$${BASE}'")
    server = loaded(around(file, environ={"BASE": "/srv"})).settings.server
    assert server.data_dir == Path("/srv/x")
    assert server.token is not None
    assert server.token.reveal() == "${BASE}"


def test_variables_are_not_substituted_in_variables() -> None:
    environ = {"CAXTON_DATA_DIR": "/srv/${HOME}", "HOME": "/root"}
    assert loaded(around(environ=environ)).settings.server.data_dir == Path("/srv/${HOME}")


def test_lists_in_the_environment_are_separated_by_commas() -> None:
    environ = {"CAXTON_ALLOWED_HOSTS": "a.example, b.example"}
    assert loaded(around(environ=environ)).settings.server.allowed_hosts == (
        "a.example",
        "b.example",
    )


def test_a_file_that_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "caxton.toml", "[server]\nport = = 1\n")
    assert f"{file}:2:8" in told(around(file))


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "caxton.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert "CX1011" in told(around(file))


@pytest.mark.parametrize(
    ("environ", "files", "default"),
    [
        ({}, "", None),
        ({"OPENAI_API_KEY": "sk-x"}, "", "openai"),
        ({"OPENAI_API_KEY": "sk-x"}, FULL, "openai"),
        ({"OPENAI_BASE_URL": "http://h/v1"}, "", "openai"),
        ({}, FULL, "here"),
        ({}, FULL + "[providers.there]\nkind = 'scripted'", None),
        ({"CAXTON_DEFAULT_PROVIDER": "here", "OPENAI_API_KEY": "sk-x"}, FULL, "here"),
    ],
)
def test_the_default_provider_is_the_obvious_one(
    tmp_path: Path, environ: Mapping[str, str], files: str, default: str | None
) -> None:
    file = written(tmp_path, "caxton.toml", files)
    chosen = loaded(around(file, environ=environ)).settings.default_provider
    assert chosen == (None if default is None else ProviderName(default))


def test_a_default_provider_must_be_configured(tmp_path: Path) -> None:
    file = written(tmp_path, "caxton.toml", 'default_provider = "hear"\n' + FULL)
    text = told(around(file))
    assert "CX2203" in text
    assert "Configured: here" in text


def test_an_openai_compatible_provider_needs_an_address(tmp_path: Path) -> None:
    file = written(tmp_path, "caxton.toml", '[providers.x]\nkind = "openai-compatible"')
    assert "CX2204" in told(around(file))


def test_an_address_in_the_environment_must_be_one() -> None:
    assert "CX1102" in told(around(environ={"OPENAI_BASE_URL": "localhost:11434"}))


@given(environ=st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=20)))
@example(environ={"CAXTON_PORT": "80\x1f"})
@example(environ={"CAXTON_PORT": "9" * 5000})
def test_loading_answers_whatever_the_environment_says(environ: dict[str, str]) -> None:
    load(around(environ=environ))


@given(content=st.binary(max_size=200))
def test_loading_answers_whatever_the_file_says(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "caxton.toml"
    file.write_bytes(content)
    load(around(file))


def test_a_certificate_and_its_key_come_together(tmp_path: Path) -> None:
    both = "tls_certificate = 'c.pem'\ntls_key = '~/k.pem'"
    file = written(tmp_path, "caxton.toml", f"[server]\n{both}\nbehind_proxy = true")
    server = loaded(around(file)).settings.server
    place = CertificatePlace(Path("c.pem").absolute(), Path("~/k.pem").expanduser())
    assert (server.certificate, server.behind_proxy) == (place, True)
    half = written(tmp_path, "half.toml", "[server]\ntls_key = 'k.pem'")
    assert "CX2205" in told(around(half))
    assert "half.toml:2:11" in told(around(half))
    variable = told(around(environ={"CAXTON_TLS_CERTIFICATE": "c.pem"}))
    assert "`tls_certificate` is of no use without `tls_key`" in variable
    environ = {"CAXTON_TLS_CERTIFICATE": "c.pem"}
    assert loaded(around(half, environ=environ)).settings.server.certificate is not None


@pytest.mark.parametrize(("text", "meant"), [("true", True), ("1", True), ("FALSE", False)])
def test_a_yes_or_no_in_the_environment(text: str, *, meant: bool) -> None:
    server = loaded(around(environ={"CAXTON_BEHIND_PROXY": text})).settings.server
    assert server.behind_proxy is meant
    assert "CAXTON_BEHIND_PROXY" in told(around(environ={"CAXTON_BEHIND_PROXY": "perhaps"}))


def test_a_socket_is_in_the_data_directory_unless_its_path_is_absolute() -> None:
    for path, place in (("caxton.sock", "/var/lib/caxton/caxton.sock"), ("/run/c", "/run/c")):
        server = loaded(around(environ={"CAXTON_UNIX_SOCKET": path})).settings.server
        assert server.unix_socket == Path(place)
