"""A model's weights: a file that is there, or a download that is checked before it counts.

A download goes to `NAME.part`, is taken up again where it stopped, and gets its name only when its
SHA-256 is the pinned one. So the file is whole or absent, whoever sent it and however often.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from threading import Event
from typing import BinaryIO, TypeAlias, final
from urllib.request import Request, urlopen

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

CHUNK = 1024 * 1024
LARGEST = 64 * 1024**3
STALL = 30.0


@final
@frozen
class Download:
    """Where weights come from; `checksum` is the SHA-256 in hexadecimal."""

    url: str
    checksum: str
    largest: int = LARGEST


@final
@frozen
class Progress:
    """Bytes that are here and bytes there will be, where the sender says it."""

    done: int
    total: int | None


@final
@frozen
class NotDownloaded:
    """The transfer failed; what arrived is kept for the next attempt."""

    url: str
    why: str


@final
@frozen
class WrongChecksum:
    """What arrived is not what was pinned, and was thrown away."""

    url: str
    expected: str
    found: str


@final
@frozen
class WeightsTooLarge:
    """The file is larger than allowed; sizes are in bytes."""

    url: str
    size: int
    limit: int


@final
@frozen
class NotStored:
    """The file cannot be written."""

    path: Path
    why: str


DownloadFailure: TypeAlias = NotDownloaded | WrongChecksum | WeightsTooLarge | NotStored
Fetched: TypeAlias = Result[Path, DownloadFailure]
Watch: TypeAlias = Callable[[Progress], None]


async def is_pinned(path: Path, checksum: str) -> bool:
    """Whether a file that somebody else put there is the pinned one."""
    return await anyio.to_thread.run_sync(_checksum, path) == checksum.lower()


async def fetch(download: Download, target: Path, watch: Watch) -> Fetched:
    """The path of the whole and checked file; `watch` hears of each piece, in another thread."""
    given_up = Event()
    try:
        return await anyio.to_thread.run_sync(
            _fetched, download, target, watch, given_up, abandon_on_cancel=True
        )
    finally:
        given_up.set()


def _fetched(download: Download, target: Path, watch: Watch, given_up: Event) -> Fetched:
    if target.exists():
        return Success(target)
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        failure = _transferred(download, part, watch, given_up)
        if failure is not None:
            return Failure(failure)
        found = _checksum(part)
        if found != download.checksum.lower():
            part.unlink()
            return Failure(WrongChecksum(download.url, download.checksum, found))
        part.replace(target)
    except OSError as error:
        return Failure(NotStored(target, error.strerror or str(error)))
    return Success(target)


def _transferred(
    download: Download, part: Path, watch: Watch, given_up: Event
) -> DownloadFailure | None:
    """Bring the rest of the file into `part`, or say why not."""
    begun = part.stat().st_size if part.exists() else 0
    try:
        request = Request(download.url, headers={"Range": f"bytes={begun}-"} if begun else {})  # noqa: S310 (an operator's own address, and the content is pinned)
        response: HTTPResponse = urlopen(request, timeout=STALL)  # noqa: S310 (as above)
    except (OSError, HTTPException, ValueError) as error:
        if begun and getattr(error, "code", None) == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None  # everything is here; the checksum tells
        return NotDownloaded(download.url, str(error))
    with closing(response):
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            begun = 0
        with part.open("ab" if begun else "wb") as file:
            failure = _received(download, response, file, begun, watch, given_up)
            file.flush()
            os.fsync(file.fileno())
    return failure


def _received(
    download: Download,
    response: HTTPResponse,
    file: BinaryIO,
    begun: int,
    watch: Watch,
    given_up: Event,
) -> DownloadFailure | None:
    """Write what arrives, up to the largest size that is allowed."""
    length = response.headers.get("Content-Length", "")
    total = begun + int(length) if length.isdecimal() else None
    if total is not None and total > download.largest:
        return WeightsTooLarge(download.url, total, download.largest)
    done = begun
    for piece in _pieces(response):
        if isinstance(piece, Exception):
            return NotDownloaded(download.url, str(piece) or type(piece).__name__)
        if given_up.is_set():
            return NotDownloaded(download.url, "given up")
        done += len(piece)
        if done > download.largest:
            return WeightsTooLarge(download.url, done, download.largest)
        file.write(piece)
        watch(Progress(done, total))
    if total is not None and done < total:
        return NotDownloaded(download.url, f"it ended after {done} of {total} bytes")
    return None


def _pieces(response: HTTPResponse) -> Iterator[bytes | Exception]:
    """What arrives; a broken connection is the last piece."""
    try:
        while piece := response.read1(CHUNK):
            yield piece
    except (OSError, HTTPException) as error:
        yield error


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
