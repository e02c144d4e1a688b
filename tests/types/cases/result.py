"""What the stub makes of `Result`; a line that mypy must refuse names the error."""

from typing import assert_never, assert_type

from returns.result import Failure, Result, Success


class Missing: ...


class Malformed: ...


def read(text: str) -> Result[str, Missing]:
    return Success(text) if text else Failure(Missing())


def parsed(text: str) -> Result[int, Malformed]:
    return Success(int(text)) if text.isdigit() else Failure(Malformed())


def a_match_over_both_cases_is_exhaustive(result: Result[int, Missing]) -> str:
    match result:
        case Success(value):
            assert_type(value, int)
            return "success"
        case Failure(error):
            assert_type(error, Missing)
            return "failure"


def a_match_without_the_failure_is_not(result: Result[int, Missing]) -> str:  # refused: return
    match result:  # refused: exhaustive-match
        case Success(value):
            return str(value)


def nothing_is_left_after_both(result: Result[int, Missing]) -> None:
    if isinstance(result, Success):
        assert_type(result.unwrap(), int)
    elif isinstance(result, Failure):
        assert_type(result.failure(), Missing)
    else:
        assert_never(result)


def unwrapping_needs_a_look(result: Result[int, Missing]) -> int:
    return result.unwrap()  # refused: union-attr


def so_does_asking_for_the_failure(result: Result[int, Missing]) -> Missing:
    return result.failure()  # refused: union-attr


def leaving_early_narrows_the_rest(text: str) -> Result[int, Missing | Malformed]:
    first = read(text)
    if isinstance(first, Failure):
        return first
    return parsed(first.unwrap())


def a_chain_unites_its_errors(text: str) -> Result[int, Missing | Malformed]:
    chained = read(text).bind(parsed)
    assert_type(chained, Success[int] | Failure[Malformed] | Failure[Missing])
    return chained


def no_error_is_dropped_on_the_way(text: str) -> Result[int, Malformed]:
    return read(text).bind(parsed)  # refused: return-value


def mapping_keeps_the_error(text: str) -> Result[int, Missing]:
    return read(text).map(len)


def the_value_has_its_own_type(text: str) -> Result[int, Missing]:
    return read(text)  # refused: return-value


def a_default_stands_in_for_the_failure(text: str) -> str | None:
    return read(text).value_or(None)
