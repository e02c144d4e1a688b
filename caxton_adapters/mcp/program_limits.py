"""What the kernel bounds in the processes of a program that is a server of tools."""

from collections.abc import Mapping
from typing import Annotated, Final, final

from attrs import frozen

from caxton_core.primitives import Count, Size
from caxton_core.reading.keys import Key

_GIB: Final = 1024 * 1024 * 1024


@final
@frozen
class ProgramLimits:
    """`[mcp.servers.NAME.limits]`: what the kernel bounds in each process of a program."""

    memory: Annotated[
        Size | None,
        Key(
            "The most memory that a process may have for itself, with what it only reserves.",
            '"2GB"',
            default="no limit",
        ),
    ] = None
    open_files: Annotated[
        Count, Key("The most files and connections that a process has open at once.", "4096")
    ] = Count(4096)
    file_size: Annotated[Size, Key("The largest file that a process writes.", '"8GB"')] = Size(
        8 * _GIB
    )

    def written(self) -> Mapping[str, str]:
        """Each limit that there is, by its key."""
        limits = {"open_files": str(self.open_files.value), "file_size": str(self.file_size)}
        return limits if self.memory is None else {"memory": str(self.memory), **limits}
