"""Where settings are looked for, where data is kept, and at which address the server answers.

Only the standard library, and of it as little as each answer needs: `server status` comes here.
"""

import os
import sys
from collections.abc import Mapping

HOST = "127.0.0.1"
PORT = 8080
SYSTEM_FILE = "/etc/caxton/config.toml"
SYSTEM_POLICY = "/etc/caxton/policy.toml"


def config_files(environ: Mapping[str, str]) -> list[str]:
    """The settings files that are read where they exist, the strongest first.

    CAXTON_HOME takes the place of the user's directories and of the system's file.
    """
    home = environ.get("CAXTON_HOME")
    if home:
        return ["caxton.toml", os.path.join(home, "config.toml")]
    user = os.path.join(_base(environ, "XDG_CONFIG_HOME", ".config"), "caxton", "config.toml")
    return ["caxton.toml", user, SYSTEM_FILE]


def policy_file(environ: Mapping[str, str]) -> str:
    """The policy that holds where it exists and the settings name none."""
    home = environ.get("CAXTON_HOME")
    return os.path.join(os.path.abspath(home), "policy.toml") if home else SYSTEM_POLICY


def default_data_dir(environ: Mapping[str, str]) -> str:
    """Where a server keeps its data unless its settings say otherwise."""
    home = environ.get("CAXTON_HOME")
    if home:
        return os.path.join(os.path.abspath(home), "data")
    return os.path.join(_base(environ, "XDG_DATA_HOME", ".local/share"), "caxton")


def data_dir(environ: Mapping[str, str]) -> str:
    """Where the server that these surroundings configure keeps its data."""
    chosen = environ.get("CAXTON_DATA_DIR") or _configured(environ).get("data_dir")
    return os.path.abspath(os.path.expanduser(str(chosen or default_data_dir(environ))))


def server_url(environ: Mapping[str, str]) -> str:
    """The address to call: CAXTON_URL, else what the server wrote down, else the settings'."""
    return environ.get("CAXTON_URL") or str(
        owner(data_dir(environ)).get("url") or configured_url(environ)
    )


def way_in(environ: Mapping[str, str]) -> str:
    """What to call where no address is named: the UNIX socket of the server, if it has one."""
    if environ.get("CAXTON_URL"):
        return server_url(environ)
    return str(owner(data_dir(environ)).get("socket") or server_url(environ))


def configured_url(environ: Mapping[str, str]) -> str:
    """The address that the settings give to a server on this machine."""
    written = _configured(environ)
    host = environ.get("CAXTON_HOST") or str(written.get("host") or HOST)
    port = environ.get("CAXTON_PORT") or str(written.get("port") or PORT)
    reachable = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 - called, not bound
    certificate = environ.get("CAXTON_TLS_CERTIFICATE") or written.get("tls_certificate")
    scheme = "https" if certificate else "http"
    return (
        f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"
    )


def socket_path(url: str) -> str | None:
    """The file of the UNIX socket that an address `unix:///PATH` names; None of any other."""
    return url.removeprefix("unix://") if url.startswith("unix:///") else None


def owner(directory: str) -> dict[str, object]:
    """Who wrote that it runs in the directory: pid, url, version, started; or nothing."""
    try:
        with open(os.path.join(directory, "caxton.pid"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return {}
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_locked(directory: str) -> bool:
    """Whether a server holds the directory, answering or not."""
    import fcntl

    try:
        with open(os.path.join(directory, "server.lock"), encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _base(environ: Mapping[str, str], variable: str, usual: str) -> str:
    """A base directory of the XDG specification, or the one that macOS has for applications."""
    chosen = environ.get(variable, "")
    if os.path.isabs(chosen):
        return chosen
    here = "Library/Application Support" if sys.platform == "darwin" else usual
    return os.path.join(os.path.expanduser("~"), here)


def _configured(environ: Mapping[str, str]) -> dict[str, object]:
    """The `[server]` table of the settings files as far as it is readable; the server is strict."""
    named = environ.get("CAXTON_CONFIG")
    files = ([named] if named else []) + config_files(environ)
    merged: dict[str, object] = {}
    for path in reversed(files):
        if os.path.isfile(path):
            merged.update(_server_table(path))
    return merged


def _server_table(path: str) -> dict[str, object]:
    import tomllib

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file).get("server")
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(table, dict):
        return {}
    texts = {key: value for key, value in table.items() if isinstance(value, str)}
    return {**table, **{key: os.path.expandvars(text) for key, text in texts.items()}}
