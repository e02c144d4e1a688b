"""`python -m caxton_adapters.providers.local.serving`: llama.cpp on a free port of 127.0.0.1.

A process of its own, because llama.cpp holds Python's lock while it loads: the whole server would
stand still. It also gives its memory back when it ends, and takes nobody with it when it crashes.
Standard input brings one line of JSON and ends when the parent does; then this ends too.
Standard output answers with one line: `{"url": ...}` or `{"error": ...}`.
"""

import json
import os
import sys

import xllamacpp

CONTEXT = 8192
CONVERSATIONS = 4


def parameters(path: str, name: str, key: str, threads: int) -> xllamacpp.CommonParams:
    """How the model is served: every conversation may use the whole context."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = path
    chosen.model_alias = {name}
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.api_keys = [key]
    chosen.n_ctx = CONTEXT
    chosen.n_parallel = CONVERSATIONS
    chosen.kv_unified = True
    chosen.use_jinja = True
    chosen.warmup = False
    chosen.ui = False
    chosen.verbosity = 0
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = threads
    return chosen


def main() -> None:
    """Serve until standard input ends."""
    asked = json.loads(sys.stdin.readline())
    try:
        server = xllamacpp.Server(parameters(**asked))
    except RuntimeError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 (that is the protocol)
        return
    print(json.dumps({"url": server.listening_address}), flush=True)  # noqa: T201 (as above)
    sys.stdin.read()
    os._exit(0)  # nothing is left to save, and requests under way need not be waited for


if __name__ == "__main__":
    main()
