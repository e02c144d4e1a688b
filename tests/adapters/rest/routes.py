"""Every route of the API, as its handlers declare them."""

import re
from collections.abc import Iterator
from typing import Final

from caxton_adapters.rest.controllers import CONTROLLERS

PARAMETER: Final = re.compile(r"\{[^}]*\}")
"""The part of a path that names what a request is about."""


def _routes() -> Iterator[tuple[str, str]]:
    for controller in CONTROLLERS:
        for name in dir(controller):
            handler = getattr(controller, name)
            for path in getattr(handler, "paths", ()) if hasattr(handler, "http_methods") else ():
                yield from ((method, path) for method in handler.http_methods)


ROUTES: Final = sorted(
    {(str(m), PARAMETER.sub("nobody", p)) for m, p in _routes() if m != "OPTIONS"}
)
"""Method and path; what a path is about is called `nobody`."""
