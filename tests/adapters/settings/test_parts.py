from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Success

from caxton_adapters.providers.settings import OPENAI_MODEL, ProviderKind, ToolMode, Transport
from caxton_adapters.settings import Settings, StorageSettings, Surroundings, load, written
from caxton_adapters.settings.parts import provider_settings, rest_settings
from caxton_adapters.settings.showing import shown_settings
from caxton_adapters.settings.written import Synchronous
from caxton_core.primitives import Duration, ModelName

TEXT = """
[server]
host = "10.0.0.1"
token = "canary-token"
allowed_hosts = ["caxton.example.org"]
max_body = "2KB"
[limits]
connections = 7
messages_per_minute = 0
[providers.one]
kind = "openai-compatible"
base_url = "http://h/v1/"
api_key = "canary-key"
cost_per_day = 1.25
scenario = "~/s.toml"
[providers.one.timeouts]
idle = "500ms"
"""


def surroundings(tmp_path: Path) -> Surroundings:
    (tmp_path / "caxton.toml").write_text(TEXT)
    return surroundings_of(tmp_path)


def surroundings_of(tmp_path: Path) -> Surroundings:
    return Surroundings(
        flags={},
        environ={},
        named_file=str(tmp_path / "caxton.toml"),
        usual_files=("caxton.toml",),
        default_data_dir=str(tmp_path),
    )


def settings(tmp_path: Path) -> Settings:
    result = load(surroundings(tmp_path))
    assert isinstance(result, Success)
    return result.unwrap().settings


def test_the_api_is_called_by_its_own_names_and_those_that_are_allowed(tmp_path: Path) -> None:
    rest = rest_settings(settings(tmp_path))
    assert rest.hosts == {"localhost", "127.0.0.1", "[::1]", "10.0.0.1", "caxton.example.org"}
    assert (rest.max_body, rest.max_connections) == (2048, 7)
    assert (rest.messages_per_minute, rest.messages_at_once) == (0, 20)


def test_a_provider_gets_everything_that_was_written(tmp_path: Path) -> None:
    (one,) = provider_settings(settings(tmp_path))
    assert (one.base_url, str(one.cost_per_day)) == ("http://h/v1", "1.25")
    assert one.api_key is not None
    assert one.api_key.reveal() == "canary-key"
    assert (one.timeouts.idle, one.timeouts.connect) == (0.5, 5.0)
    assert one.scenario == Path.home() / "s.toml"


def test_the_written_choices_are_those_of_the_providers() -> None:
    for choices, known in (
        (written.ProviderKind, ProviderKind),
        (written.Transport, Transport),
        (written.ToolMode, ToolMode),
    ):
        assert {one.value for one in choices} == {one.value for one in known}


def test_no_secret_is_shown(tmp_path: Path) -> None:
    result = load(surroundings(tmp_path))
    assert isinstance(result, Success)
    shown = "\n".join(one.toml() for one in shown_settings(result.unwrap()))
    assert 'token = "***"' in shown
    assert "canary" not in shown
    assert "canary" not in repr(result.unwrap().settings)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("", OPENAI_MODEL),
        ('model = "gpt-4o"', ModelName("gpt-4o")),
        ('base_url = "http://h/v1"', None),
        ('kind = "scripted"', None),
    ],
)
def test_a_key_alone_is_enough_at_openai(
    tmp_path: Path, provider: str, model: ModelName | None
) -> None:
    (tmp_path / "caxton.toml").write_text(f"[providers.openai]\n{provider}\n")
    result = load(evolve(surroundings_of(tmp_path), environ={"OPENAI_API_KEY": "sk-1"}))
    assert isinstance(result, Success)
    (openai,) = provider_settings(result.unwrap().settings)
    assert openai.model == model


def storage_of(tmp_path: Path, text: str) -> StorageSettings:
    (tmp_path / "caxton.toml").write_text(text)
    result = load(surroundings_of(tmp_path))
    assert isinstance(result, Success), result
    return result.unwrap().settings.storage


def test_nothing_written_keeps_everything_in_the_data_directory_and_loses_nothing(
    tmp_path: Path,
) -> None:
    storage = storage_of(tmp_path, "")
    assert storage == StorageSettings(
        database=tmp_path / "caxton.db", synchronous=Synchronous.FULL, keep_messages=None
    )


@pytest.mark.parametrize(
    ("written_path", "meant"),
    [("fast/own.db", "{data}/fast/own.db"), ("/srv/own.db", "/srv/own.db"), ("~/o.db", "{home}")],
)
def test_the_database_lies_where_it_was_written(
    tmp_path: Path, written_path: str, meant: str
) -> None:
    storage = storage_of(
        tmp_path,
        f'[storage]\ndatabase = "{written_path}"\nsynchronous = "normal"\nkeep_messages = "90d"',
    )
    assert storage.database == Path(meant.format(data=tmp_path, home=Path.home() / "o.db"))
    assert storage.synchronous is Synchronous.NORMAL
    assert storage.keep_messages == Duration(90 * 86400)


def test_the_whole_path_of_the_database_is_shown_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "caxton.toml").write_text("")
    result = load(evolve(surroundings_of(tmp_path), environ={"CAXTON_DATABASE": "own.db"}))
    assert isinstance(result, Success)
    shown = {one.path: one for one in shown_settings(result.unwrap())}["storage", "database"]
    assert (shown.value, shown.source) == (str(tmp_path / "own.db"), "CAXTON_DATABASE")
