"""Which fields of the schema the whole suite has resolved; one that it has not fails the run.

mypy cannot see a schema's field drift from the row that it is read from; only resolving it tells. Each
worker notes what it resolved, and the controller joins the notes. Hooks of pytest and pytest-xdist,
imported by conftest.py.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from graphql import GraphQLObjectType, default_field_resolver, is_introspection_type

from execution.completion import Completion
from schema.root import schema

_NOTES = "resolved fields"
_fields: set[str] = set()
_resolved: set[str] = set()
_missing = pytest.StashKey[list[str]]()


def watch() -> None:
    """Note from now on which fields of which object types have given a value, be it null."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            for name, field in type_.fields.items():
                field.resolve = _noting(f"{type_.name}.{name}", field.resolve or default_field_resolver)
                _fields.add(f"{type_.name}.{name}")
    _note_what_plans_resolve()


def _note_what_plans_resolve() -> None:
    """Plans go around what graphql-core calls, here as elsewhere: they are noted where they complete values."""
    put = Completion.put

    def noted(self: Completion, values: Sequence[Any], indices: Sequence[int], *, arrived: bool) -> None:
        if any(
            not isinstance(each, Exception) and (arrived or not inspect.isawaitable(each)) for each in values
        ):
            _resolved.add(self._where())
        put(self, values, indices, arrived=arrived)

    Completion.put = noted  # type: ignore[method-assign]


def _noting(place: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
    async def later(value: Awaitable[Any]) -> Any:
        found = await value
        _resolved.add(place)
        return found

    @functools.wraps(resolve)  # keeps Strawberry's marks: the executor compiles what has them
    def noted(source: Any, info: Any, **given: Any) -> Any:
        value = resolve(source, info, **given)
        if inspect.isawaitable(value):
            return later(value)
        _resolved.add(place)
        return value

    return noted


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """On the controller: a worker has ended and hands over its notes."""
    _resolved.update(getattr(node, "workeroutput", {}).get(_NOTES, ()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hand over the notes, or judge them: a run of all tests that passed has to have resolved all fields."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput[_NOTES] = sorted(_resolved)
    elif exitstatus == pytest.ExitCode.OK and _is_whole(config) and (missing := _fields - _resolved):
        config.stash[_missing] = sorted(missing)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which fields were never resolved."""
    if missing := config.stash.get(_missing, []):
        terminalreporter.section("fields of the schema that no test has resolved", red=True)
        for each in missing:
            terminalreporter.line(each)


def _is_whole(config: pytest.Config) -> bool:
    """Whether the command line asked for all tests."""
    option = config.option
    chosen = [option.keyword, option.markexpr, option.deselect, option.lf, option.stepwise, option.ignore]
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS or config.args == ["tests"]
    return everything and not any(chosen) and not option.collectonly
