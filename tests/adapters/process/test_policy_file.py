"""The policy's file is read where nobody but its owner and root can change it."""

import os
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from returns.result import Failure, Success

from caxton_adapters.process.capacity import measured
from caxton_adapters.process.policy_file import (
    PolicyTrouble,
    PolicyUnprotected,
    PolicyUnreadable,
    PolicyWrong,
    in_words,
    read_place,
)
from caxton_adapters.process.policy_place import PolicyPlace
from caxton_core.agent.policy.file import BUILT_IN
from caxton_core.agent.policy.levels import Preset

TEXT = 'preset = "strict"\n'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT)
    path.chmod(0o644)
    return path


def trouble(path: Path) -> PolicyTrouble:
    read = read_place(PolicyPlace(path))
    assert isinstance(read, Failure), read
    return read.failure()


def test_a_file_that_only_its_owner_writes_is_read(policy: Path) -> None:
    read = read_place(PolicyPlace(policy))
    assert isinstance(read, Success)
    in_force = read.unwrap()
    assert (in_force.file, in_force.policy.preset) == (str(policy), Preset.STRICT)
    assert in_force.digest == sha256(TEXT.encode()).hexdigest()


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602, 0o646])
def test_a_file_that_others_may_write_is_refused_with_the_way_out(policy: Path, mode: int) -> None:
    policy.chmod(mode)
    found = trouble(policy)
    assert isinstance(found, PolicyUnprotected)
    words = in_words(found)
    assert (words.code, str(policy) in words.what) == ("CX2221", True)
    assert words.advice.endswith(f"chmod go-w {policy}")


def test_a_dry_run_reads_it_all_the_same(policy: Path) -> None:
    policy.chmod(0o666)
    assert isinstance(read_place(PolicyPlace(policy), guarded=False), Success)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_refused(policy: Path) -> None:
    os.chown(policy, 4711, -1)
    found = trouble(policy)
    assert isinstance(found, PolicyUnprotected)
    assert "4711" in found.reason


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_folder_in_which_others_may_put_files_is_refused_however_far_above(
    tmp_path: Path, mode: int, above: int
) -> None:
    policy = tmp_path / "a" / "b" / "c" / "policy.toml"
    policy.parent.mkdir(parents=True)
    policy.write_text(TEXT)
    folder = policy.parents[above]
    folder.chmod(mode)
    found = trouble(policy)
    assert isinstance(found, PolicyUnprotected)
    assert found.fix == f"chmod go-w {folder}"
    folder.chmod(mode | 0o1000)
    assert isinstance(read_place(PolicyPlace(policy)), Success)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_refused(policy: Path) -> None:
    os.chown(policy.parent, 4711, -1)
    found = trouble(policy)
    assert isinstance(found, PolicyUnprotected)
    assert found.fix == f"chown root {policy.parent}"


def test_nobody_changes_what_is_mounted_read_only(
    policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.parent.chmod(0o777)
    assert isinstance(trouble(policy), PolicyUnprotected)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert isinstance(read_place(PolicyPlace(policy)), Success)


def test_a_link_that_others_may_replace_is_refused(policy: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    link = shared / "policy.toml"
    link.symlink_to(policy)
    assert isinstance(read_place(PolicyPlace(link)), Success)
    shared.chmod(0o777)
    assert isinstance(trouble(link), PolicyUnprotected)


@pytest.mark.parametrize("name", ["policy.toml", "there/policy.toml", "there/../NAME/policy.toml"])
def test_a_link_on_the_way_of_another_link_counts_with_its_folder(
    policy: Path, tmp_path: Path, name: str
) -> None:
    first, shared = tmp_path / "first", tmp_path / "shared"
    path = first / name.replace("NAME", tmp_path.name)
    for folder, relative, target in (
        (shared, "policy.toml", policy),
        (shared, "there", policy.parent),
        (first, "policy.toml", Path("../shared/policy.toml")),
        (first, "there", shared / "there"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / relative).symlink_to(target)
    assert isinstance(read_place(PolicyPlace(path)), Success)
    shared.chmod(0o777)
    found = trouble(path)
    assert isinstance(found, PolicyUnprotected)
    assert found.fix == f"chmod go-w {shared}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives links away")
def test_a_link_of_another_user_is_refused_where_nobody_moves_it(
    policy: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / "policy.toml"
    link.symlink_to(policy)
    assert isinstance(read_place(PolicyPlace(link)), Success)
    os.chown(link, 4711, -1, follow_symlinks=False)
    found = trouble(link)
    assert isinstance(found, PolicyUnprotected)
    assert found.fix == f"chown -h root {link}"


def test_what_a_link_leads_to_counts(policy: Path, tmp_path: Path) -> None:
    policy.chmod(0o666)
    link = tmp_path / "link.toml"
    link.symlink_to(policy)
    assert isinstance(trouble(link), PolicyUnprotected)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "missing.toml", tmp_path, pipe):
        found = trouble(path)
        assert isinstance(found, PolicyUnreadable), path
        assert in_words(found).code == "CX2220"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"preset = ", b"#" * (300 * 1024)])
def test_a_file_that_is_no_policy_is_told_with_its_problems(policy: Path, content: bytes) -> None:
    policy.write_bytes(content)
    found = trouble(policy)
    assert isinstance(found, PolicyWrong)
    assert found.report.errors


def test_without_a_file_the_built_in_policy_holds_unless_one_was_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    for place in (PolicyPlace(), PolicyPlace(missing, named=False)):
        read = read_place(place)
        assert isinstance(read, Success)
        assert (read.unwrap().file, read.unwrap().policy.preset) == (BUILT_IN, Preset.DEFAULT)
    assert isinstance(trouble(missing), PolicyUnreadable)


def test_the_machine_has_memory_and_processors() -> None:
    machine = measured()
    assert machine.memory is None or machine.memory > 1 << 20
    assert machine.cores is None or machine.cores >= 1
