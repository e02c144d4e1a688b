"""CX21xx and CX22xx: why a server cannot start, and rules of its settings."""

from typing import Final

from caxton_core.codes.explanation import Explanation

SERVER_START: Final = (
    Explanation(
        "CX2101",
        "directory in use",
        "a server is already running in {path}{holder}",
        "Two servers in one data directory would overwrite each other's work. The lock belongs to "
        "the process: it is free as soon as that process has ended, however it ended.",
        "Use that server, end it with `caxton server stop`, or start this one with another "
        "--data-dir.",
        right="caxton server start --data-dir ~/second --port 8081",
    ),
    Explanation(
        "CX2102",
        "directory unusable",
        "the data directory {path} cannot be used: {reason}",
        "Agents, conversations and the lock of the server are kept there.",
        "Give it to this user, or name another one with --data-dir or CAXTON_DATA_DIR.",
        right='[server]\ndata_dir = "/var/lib/caxton"',
    ),
    Explanation(
        "CX2103",
        "port in use",
        "port {port} of {host} is in use{holder}",
        "One address can be answered by one program only.",
        "Choose another one with --port {another} (--port 0 takes a free one), or stop the other "
        "program.",
        right="[server]\nport = 8081",
    ),
    Explanation(
        "CX2104",
        "address unusable",
        "cannot listen on {host}, port {port}: {reason}",
        "A server can only answer at an address of its machine that its user may use.",
        "Use --host 127.0.0.1 and a port above 1023.",
        right='[server]\nhost = "127.0.0.1"\nport = 8080',
    ),
    Explanation(
        "CX2105",
        "public without a token",
        "{host} can be reached from the network, and no token is set",
        "Whoever reaches the server could run agents and spend your money.",
        "Set CAXTON_API_TOKEN (or CAXTON_API_TOKEN_FILE), or listen on 127.0.0.1.",
        '[server]\nhost = "0.0.0.0"',
        '[server]\nhost = "0.0.0.0"\ntoken = "${CAXTON_API_TOKEN}"\nbehind_proxy = true',
    ),
    Explanation(
        "CX2106",
        "log unusable",
        "the log file {path} cannot be written: {reason}",
        "A server without a log cannot be looked after.",
        "Give it to this user, or name another one with `[logging] file` or CAXTON_LOG_FILE.",
        right='[logging]\nfile = "/var/log/caxton/server.log"',
    ),
    Explanation(
        "CX2107",
        "settings unreadable",
        "the settings {path} cannot be read: {reason}",
        "A server that ignores its settings would do what nobody asked for.",
        "Correct the path (--config, CAXTON_CONFIG), or let this user read the file.",
        right="caxton server start --config ~/caxton.toml",
    ),
    Explanation(
        "CX2113",
        "public without encryption",
        "{host} can be reached from the network, and what is sent there could be read on the way",
        "Tokens, messages and answers would travel in the open: whoever sees a token once may do "
        "all that it opens.",
        "Give the server a certificate: --tls-certificate FILE --tls-key FILE. Or, where a proxy "
        "in front of it speaks https, say so: --behind-proxy. Or listen on 127.0.0.1.",
        '[server]\nhost = "0.0.0.0"\ntoken = "${CAXTON_API_TOKEN}"',
        '[server]\nhost = "0.0.0.0"\ntoken = "${CAXTON_API_TOKEN}"\n'
        'tls_certificate = "/etc/caxton/tls/fullchain.pem"\ntls_key = "/etc/caxton/tls/key.pem"',
    ),
    Explanation(
        "CX2114",
        "certificate unusable",
        "the certificate {path} cannot be used: {reason}",
        "It tells clients that they speak with this server and with nobody else.",
        "Name a file in PEM form that this user may read: the certificate of the server first, "
        "then those between it and its authority.",
        right='[server]\ntls_certificate = "/etc/caxton/tls/fullchain.pem"\n'
        'tls_key = "/etc/caxton/tls/key.pem"',
    ),
    Explanation(
        "CX2115",
        "key unusable",
        "the key {path} cannot be used: {reason}",
        "With it the server proves that its certificate is its own.",
        "Name the key of the certificate, in PEM form and without a password (`openssl pkey -in "
        "KEY -out NEW` takes it away), and let this user read it.",
        right='[server]\ntls_certificate = "/etc/caxton/tls/fullchain.pem"\n'
        'tls_key = "/etc/caxton/tls/key.pem"',
    ),
    Explanation(
        "CX2116",
        "key not protected",
        "the key {path} is not the server's alone: {reason}",
        "Whoever can read the key can pretend to be this server, and read what is sent to it.",
        "Correct that ({fix}). If others may have read it, ask for a new certificate with another "
        "key.",
        right="chmod 600 /etc/caxton/tls/key.pem",
    ),
    Explanation(
        "CX2117",
        "socket unusable",
        "cannot answer at the UNIX socket {path}: {reason}",
        "The right to the file is the right to call: whoever could put another in its place would "
        "be sent tokens and messages.",
        "Name a path in a directory that only this user may write to (`chmod go-w DIRECTORY`); a "
        "relative one begins in the data directory, which is made so.",
        right='[server]\nunix_socket = "caxton.sock"',
    ),
    Explanation(
        "CX2118",
        "socket in use",
        "another program answers at the UNIX socket {path}",
        "One socket can be answered by one program only. What a server left behind that has ended "
        "would have been replaced.",
        "Use that server, end it with `caxton server stop`, or give this one another "
        "--unix-socket.",
        right="caxton server start --data-dir ~/second --unix-socket second.sock",
    ),
    Explanation(
        "CX2201",
        "variable not set",
        "the environment variable {name} is not set",
        "A setting that silently became empty would be harder to find than this message.",
        "Set the variable, or write the value itself.",
        '[server]\ntoken = "${NOT_SET_ANYWHERE}"',
        '[server]\ntoken = "${CAXTON_API_TOKEN}"',
    ),
    Explanation(
        "CX2202",
        "secret unreadable",
        "{named_by} points to {path}, which cannot be read: {reason}",
        "A server without its secret would fail at the first call, long after its start.",
        "Correct the path, or let this user read the file.",
        right="OPENAI_API_KEY_FILE=/run/secrets/openai",
    ),
    Explanation(
        "CX2203",
        "unknown provider",
        "no provider named {name} is configured",
        "An agent that names no provider is answered by the default one, so it must exist.",
        "Name a configured provider, or add a table `[providers.{name}]`. Configured: {known}.",
        'default_provider = "elsewhere"',
        'default_provider = "here"\n\n[providers.here]\nkind = "local"',
    ),
    Explanation(
        "CX2204",
        "no address",
        "an openai-compatible provider needs the address of its API",
        "Without it the calls, and the key, would go to OpenAI.",
        "Write `base_url`.",
        '[providers.here]\nkind = "openai-compatible"',
        '[providers.here]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:11434/v1"',
    ),
    Explanation(
        "CX2205",
        "half of a pair",
        "`{present}` is of no use without `{absent}`",
        "A server that then spoke without encryption would do what nobody asked for.",
        "Write both; where one file holds both, name it twice.",
        '[server]\ntls_certificate = "/etc/caxton/tls/fullchain.pem"',
        '[server]\ntls_certificate = "/etc/caxton/tls/fullchain.pem"\n'
        'tls_key = "/etc/caxton/tls/key.pem"',
    ),
    Explanation(
        "CX2108",
        "database unusable",
        "the database {path} cannot be used: {reason}",
        "The agents that were deployed are kept there; a server that lost them would be no help.",
        "Give the file to this user, put a backup in its place with `caxton restore FILE`, or "
        "start with another --data-dir. Caxton has changed nothing in it.",
        right="caxton server start --data-dir ~/another",
    ),
    Explanation(
        "CX2109",
        "scenario unusable",
        "the scenario {path} of the provider `{provider}` cannot be played: {reason}",
        "A scripted provider says what its scenario says, and nothing else.",
        "Correct the file, or leave `scenario` out: the built-in one answers any message.",
        right='[providers.demo]\nkind = "scripted"',
    ),
    Explanation(
        "CX2110",
        "backup unusable",
        "the backup {path} cannot be used: {reason}",
        "What is restored takes the place of all that the server keeps, so every page of it is "
        "looked at first.",
        "Use another backup; `caxton verify FILE` looks at one. Nothing was changed.",
        right="caxton verify /var/backups/caxton/monday.db",
    ),
    Explanation(
        "CX2111",
        "backup not made",
        "{path} cannot be written: {reason}",
        "A copy gets its name when it is whole and on the disk. A file that exists is never "
        "replaced: it may be the last good backup.",
        "Name another file, or a directory, and look at its rights and its room. Nothing was "
        "changed.",
        right="caxton backup /var/backups/caxton/monday.db",
    ),
    Explanation(
        "CX2112",
        "database in use",
        "a server already works with the database {path}",
        "Two servers with one database would answer every message twice. The lock belongs to the "
        "process: it is free as soon as that process has ended, however it ended.",
        "End that server with `caxton server stop`, or give this one another --database.",
        right="caxton server start --data-dir ~/second --database ~/second/caxton.db",
    ),
)
