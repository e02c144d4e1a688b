"""One server for each database, wherever it lies."""

from tests.cli.command import Shell
from tests.cli.processes import foreground


def test_a_second_server_does_not_get_the_database_of_the_first(configured: Shell) -> None:
    database = str(configured.directory / "elsewhere" / "deep" / "our.db")
    with foreground(configured, "--database", database):
        second = configured.run(
            "server", "start", "--port", "0", "--data-dir", "second", "--database", database
        )
        assert (second.code, second.out) == (6, "")
        assert "CX2112" in second.err


def test_a_backup_is_not_put_under_a_server_that_runs(configured: Shell) -> None:
    database = str(configured.directory / "our.db")
    with foreground(configured, "--database", database):
        assert configured.run("backup", "saved.db", "--database", database).code == 0
        restored = configured.run(
            "restore", "saved.db", "--data-dir", "second", "--database", database
        )
        assert restored.code == 6
        assert "CX2112" in restored.err
    again = configured.run("restore", "saved.db", "--data-dir", "second", "--database", database)
    assert again.code == 0
