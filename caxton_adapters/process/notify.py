"""Words to the service supervisor (systemd's notification protocol); silence without one."""

import socket
from collections.abc import MutableMapping
from typing import final

from attrs import frozen


@final
@frozen
class Supervisor:
    """Who started us and wants to hear how it goes: the address of its socket."""

    address: str

    def tell(self, **facts: str | int) -> None:
        """Send facts such as READY=1; a supervisor that is gone is not our failure."""
        message = "\n".join(f"{name}={value}" for name, value in facts.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(message.encode(), self._path())
            except OSError:
                return

    def _path(self) -> str:
        return "\0" + self.address[1:] if self.address.startswith("@") else self.address


def take_from(
    environ: MutableMapping[str, str], pid: int
) -> tuple[Supervisor | None, float | None]:
    """The supervisor, and how often it wants a sign of life in seconds.

    Both leave the environment, so that no child speaks in our name.
    """
    address = environ.pop("NOTIFY_SOCKET", "")
    period = _watchdog_period(
        environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", str(pid)), pid
    )
    if not address.startswith(("/", "@")):
        return None, None
    return Supervisor(address), period


def _watchdog_period(microseconds: str, meant_for: str, pid: int) -> float | None:
    """Half of what the supervisor tolerates, so that one late sign does no harm."""
    if not microseconds.isdecimal() or int(microseconds) == 0 or meant_for != str(pid):
        return None
    return int(microseconds) / 2_000_000
