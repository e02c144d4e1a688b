"""A JSON body as the type that it has to be, or everything that is wrong with it."""

import re
from typing import Final, TypeVar

import msgspec
from returns.result import Failure, Result, Success

from caxton_adapters.rest import problem
from caxton_adapters.rest.problem import ErrorItem, Refused

T = TypeVar("T")

_PLACED: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_IN_WORDS: Final = {
    r"Expected `str` matching regex '\\S'": "Expected a text that is not blank",
}


def read_json(decoder: "msgspec.json.Decoder[T]", body: bytes) -> Result[T, Refused]:
    """Read the body; the content type does not matter, the guard has seen to foreign pages."""
    try:
        return Success(decoder.decode(body))
    except msgspec.ValidationError as error:
        return Failure(invalid(str(error)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Failure(Refused(400, problem.MALFORMED_BODY, f"The body is not JSON: {error}."))
    except RecursionError:
        return Failure(Refused(400, problem.MALFORMED_BODY, "The body is nested too deeply."))


def invalid(message: str, at: str = "") -> Refused:
    """The refusal of a body of the wrong shape, or with one wrong value."""
    placed = _PLACED.fullmatch(message)
    said, where = (placed[1], placed[2]) if placed else (message, at)
    said = _IN_WORDS.get(said, said)
    item = ErrorItem(code=problem.INVALID_BODY, message=said, at=where)
    return Refused(
        422, problem.INVALID_BODY, f"The body is not what it has to be: {said}.", (item,)
    )
