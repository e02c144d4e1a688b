"""A download counts only when it is whole and what was pinned, however it was interrupted."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from returns.result import Failure, Success

from caxton_adapters.providers.local.model import Local, told
from caxton_adapters.providers.local.weights import (
    Download,
    NotDownloaded,
    NotStored,
    Progress,
    WeightsTooLarge,
    WrongChecksum,
    fetch,
)
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings
from caxton_adapters.testing.model import question
from caxton_core.conversation.model import ModelNotFound
from caxton_core.primitives import ProviderName
from tests.waiting import PATIENCE

BODY = bytes(range(256)) * 20_000
PINNED = hashlib.sha256(BODY).hexdigest()


class Library(ThreadingHTTPServer):
    """A server that does not mind a reader who leaves."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class Shelf(BaseHTTPRequestHandler):
    """Serves BODY: whole, by range, cut in the middle, without a length, or hanging."""

    ranges: ClassVar[list[str | None]] = []
    held: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.ranges.append(asked)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        start = 0
        if asked is not None and self.path != "/no-ranges":
            found = re.fullmatch(r"bytes=(\d+)-", asked)
            start = int(found[1]) if found else 0
        if self.path == "/gone" or start >= len(BODY):
            self.send_error(404 if self.path == "/gone" else 416)
            return
        self.send_response(206 if start else 200)
        if self.path != "/without-length":
            self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        half = len(BODY) // 2
        if self.path == "/cut" and start == 0:
            self.wfile.write(BODY[:half])
            return
        if self.path == "/hang":
            self.wfile.write(BODY[:half])
            self.wfile.flush()
            self.held.wait(20)
            return
        self.wfile.write(BODY[start:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shelf() -> Iterator[str]:
    server = Library(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Shelf.held.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def forgotten() -> None:
    Shelf.ranges.clear()


def sizes(folder: Path) -> list[int]:
    return [file.stat().st_size for file in folder.iterdir()]


def unwatched(_: Progress) -> None:
    pass


@pytest.mark.parametrize("path", ["whole", "without-length", "redirect"])
async def test_a_whole_file_gets_its_name(shelf: str, tmp_path: Path, path: str) -> None:
    target = tmp_path / "models" / "m.gguf"
    seen: list[Progress] = []
    assert await fetch(Download(f"{shelf}/{path}", PINNED), target, seen.append) == Success(target)
    assert target.read_bytes() == BODY
    assert [file.name for file in target.parent.iterdir()] == ["m.gguf"]
    assert seen[-1].done == len(BODY)
    assert seen[-1].total in (len(BODY), None)


async def test_what_is_there_is_not_fetched_again(shelf: str, tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    target.write_bytes(BODY)
    assert await fetch(Download(f"{shelf}/gone", PINNED), target, unwatched) == Success(target)
    assert Shelf.ranges == []


async def test_a_broken_transfer_goes_on_where_it_stopped(shelf: str, tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    download = Download(f"{shelf}/cut", PINNED)
    first = await fetch(download, target, unwatched)
    assert isinstance(first, Failure)
    assert isinstance(first.failure(), NotDownloaded)
    assert not target.exists()
    assert await fetch(download, target, unwatched) == Success(target)
    assert Shelf.ranges == [None, f"bytes={len(BODY) // 2}-"]
    assert target.read_bytes() == BODY


@pytest.mark.parametrize(("path", "begun"), [("no-ranges", 1000), ("whole", len(BODY))])
async def test_any_beginning_is_completed(
    shelf: str, tmp_path: Path, path: str, begun: int
) -> None:
    target = tmp_path / "m.gguf"
    (tmp_path / "m.gguf.part").write_bytes(BODY[:begun])
    assert await fetch(Download(f"{shelf}/{path}", PINNED), target, unwatched) == Success(target)
    assert target.read_bytes() == BODY


async def test_another_file_is_thrown_away(shelf: str, tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    wrong = "0" * 64
    failed = await fetch(Download(f"{shelf}/whole", wrong), target, unwatched)
    assert failed == Failure(WrongChecksum(f"{shelf}/whole", wrong, PINNED))
    assert sizes(tmp_path) == []


@pytest.mark.parametrize("path", ["whole", "without-length"])
async def test_too_much_is_not_taken(shelf: str, tmp_path: Path, path: str) -> None:
    target = tmp_path / "m.gguf"
    failed = await fetch(Download(f"{shelf}/{path}", PINNED, 1_000_000), target, unwatched)
    assert isinstance(failed, Failure)
    assert isinstance(failed.failure(), WeightsTooLarge)
    assert sum(sizes(tmp_path)) <= 1_000_000


@pytest.mark.parametrize("url", ["{shelf}/gone", "http://127.0.0.1:1/m"])
async def test_a_failed_transfer_is_a_value(shelf: str, tmp_path: Path, url: str) -> None:
    failed = await fetch(Download(url.format(shelf=shelf), PINNED), tmp_path / "m", unwatched)
    assert isinstance(failed, Failure)
    assert isinstance(failed.failure(), NotDownloaded)


async def test_a_place_that_cannot_be_written_is_a_value(shelf: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    failed = await fetch(Download(f"{shelf}/whole", PINNED), tmp_path / "file" / "m", unwatched)
    assert isinstance(failed, Failure)
    assert isinstance(failed.failure(), NotStored)
    assert "cannot be written" in told(failed.failure())


async def test_a_download_can_be_given_up(shelf: str, tmp_path: Path) -> None:
    target = tmp_path / "m.gguf"
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            arrived = anyio.Event()
            tasks.start_soon(
                fetch,
                Download(f"{shelf}/hang", PINNED),
                target,
                lambda _: anyio.from_thread.run_sync(arrived.set),
            )
            await arrived.wait()
            tasks.cancel_scope.cancel()
    assert not target.exists()


async def test_a_provider_downloads_what_its_settings_pin(shelf: str, tmp_path: Path) -> None:
    settings = ProviderSettings(
        name=ProviderName("local"),
        kind=ProviderKind.LOCAL,
        model_path=tmp_path / "m.gguf",
        model_url=f"{shelf}/whole",
        checksum=PINNED,
    )
    model = Local(settings)
    answer = await model.complete(question("Hello"))
    assert (tmp_path / "m.gguf").read_bytes() == BODY
    assert isinstance(answer, Failure)  # these bytes are no weights
    assert isinstance(answer.failure(), ModelNotFound)
    assert "llama.cpp cannot load" in str(answer.failure())


async def test_a_download_without_a_checksum_is_refused(shelf: str) -> None:
    settings = ProviderSettings(
        name=ProviderName("local"), kind=ProviderKind.LOCAL, model_url=f"{shelf}/whole"
    )
    answer = await Local(settings).complete(question("Hello"))
    assert answer == Failure(ModelNotFound("local", "`model_url` needs a `checksum`"))
    assert Shelf.ranges == []
