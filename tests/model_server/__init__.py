"""A zero-latency OpenAI-compatible model server: real HTTP, its own process, deterministic answers.

    with model_server() as server:
        base_url = server.url                        # .../v1
        failing = server.at("status=503,times=2")    # .../o/status=503,times=2/v1

The answer to a message is its text; `behaviour.py` lists what a base URL can ask for,
`answering.py` how tools are called; `server.stats(failing)` tells what arrived there, and
`server.asked(url)` each prompt, where the base URL says `unique=1`.
"""

from tests.model_server.process import Asked, ModelServer, Stats, model_server

__all__ = ["Asked", "ModelServer", "Stats", "model_server"]
