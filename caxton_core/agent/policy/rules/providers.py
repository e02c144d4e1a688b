"""Rules about who answers for an agent: providers and models, those of fall-backs included."""

from collections.abc import Iterable, Iterator
from typing import Final

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.primitives import NameGlob
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.problems import Path
from caxton_core.reading.nearest import nearest


def _providers(case: Case) -> Iterator[tuple[Path, str]]:
    if case.config.llm_provider is not None:
        yield ("llm_provider",), case.config.llm_provider.value
    for index, fallback in enumerate(case.config.llm.fallback):
        yield ("llm", "fallback", index, "provider"), fallback.provider.value


def _models(case: Case) -> Iterator[tuple[Path, str, str | None]]:
    """Every model that is named, and the provider that would be asked for it, if one is named."""
    llm, named = case.config.llm, case.config.llm_provider
    if llm.model is not None:
        chosen = case.facts.default_provider if named is None else named.value
        yield ("llm", "model"), llm.model.value, chosen
    for index, fallback in enumerate(llm.fallback):
        if fallback.model is not None:
            at = ("llm", "fallback", index, "model")
            yield at, fallback.model.value, fallback.provider.value


def _unknown(case: Case) -> Iterator[Found]:
    known = case.facts.providers
    for at, name in _providers(case) if known is not None else ():
        if known is not None and name not in known:
            shown = ", ".join(sorted(known)) or "none"
            yield found(*at, suggestion=nearest(name, known), provider=name, known=shown)


def _forbidden_providers(case: Case) -> Iterator[Found]:
    rules = case.policy.providers
    for at, name in _providers(case):
        why = _why(rules.only, rules.never, "providers", (name,))
        if why is not None:
            yield found(*at, provider=name, why=why)


def _forbidden_models(case: Case) -> Iterator[Found]:
    rules = case.policy.models
    for at, name, provider in _models(case):
        names = (name,) if provider is None else (name, f"{provider}/{name}")
        why = _why(rules.only, rules.never, "models", names)
        if why is not None:
            yield found(*at, model=name, why=why)


def _why(
    only: Iterable[NameGlob], never: Iterable[NameGlob], table: str, names: tuple[str, ...]
) -> str | None:
    """Why none of the names may be used; None where they may."""
    glob = next((glob.value for glob in never if any(map(glob.covers, names))), None)
    if glob is not None:
        return f"`{glob}` is in `{table}.never`"
    permitted = tuple(only)
    if permitted and not any(glob.covers(name) for glob in permitted for name in names):
        return f"it is not in `{table}.only`"
    return None


PROVIDERS: Final = (
    Rule("CX1334", lambda policy: policy.providers.unknown, _unknown),
    Rule("CX1335", lambda policy: policy.providers.forbidden, _forbidden_providers),
    Rule("CX1336", lambda policy: policy.models.forbidden, _forbidden_models),
)
