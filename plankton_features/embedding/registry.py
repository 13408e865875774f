"""Registries of what may come from other packages: entries by name, loaded when they are needed.

An entry comes with this package, is registered by a call, or is offered by an entry point in the
metadata of another package: ``NAME = module:object``, in the registry's group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar, cast

from plankton_features.errors import InputError, PluginError, one_line

#: Names that folders and recipes may hold.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")

#: A function, or where to find it: ``module:name``.
Hook = str | Callable[..., Any]


class Entry(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...


T = TypeVar("T", bound=Entry)


@dataclass(frozen=True)
class Plugin:
    """An entry point of another package.

    Attributes
    ----------
    what : str
        ``engine`` or ``backbone``.
    name : str
    package : str
        That offers it, as pip knows it.
    module : str
        That is imported for it.
    problem : str
        Why it cannot be used, in one line; empty if it can, or was not looked at.
    """

    what: str
    name: str
    package: str
    module: str
    problem: str = ""


class Registry(Generic[T]):
    """Entries of one kind.

    Parameters
    ----------
    what : str
        What an entry is, for messages.
    kind : type
        Of the entries.
    group : str
        Of entry points.
    built_in : mapping of str to entry or str
        Entries of this package, or where to find them (``module:name``).
    """

    def __init__(self, what: str, kind: type[T], group: str, built_in: Mapping[str, T | str]):
        self.what, self.group = what, group
        self._kind, self._built_in = kind, built_in
        self._loaded: dict[str, T] = {}
        self._called: dict[str, T] = {}
        self._problems: dict[str, str] = {}

    def register(self, entry: T) -> T:
        """Add an entry for this process; one that was registered before by a call is replaced.

        Raises
        ------
        InputError
            If it is of another kind, or its name will not do or is taken.
        """
        if problem := self._misfit(entry):
            raise InputError(f"{self.what}: {problem}.")
        if entry.name in self._built_in or entry.name in self._points():
            raise InputError(f"{self.what} '{entry.name}': the name is taken. Give it another.")
        self._called[entry.name] = entry
        return entry

    def names(self) -> list[str]:
        """All names, in the order they are shown; nothing is loaded for it."""
        return list(dict.fromkeys((*self._built_in, *self._points(), *self._called)))

    def get(self, name: str) -> T:
        """Look an entry up.

        Raises
        ------
        InputError
            If there is none of that name.
        PluginError
            If the package that offers it does not give it.
        """
        if name in self._built_in:
            entry = self._built_in[name]
            return resolve(entry) if isinstance(entry, str) else entry
        if name in self._called:
            return self._called[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def find(self, name: str) -> T | None:
        """The same, None if it is not there or cannot be loaded."""
        try:
            return self.get(name)
        except (InputError, PluginError):
            return None

    def entries(self) -> list[T]:
        """All entries that can be loaded."""
        found = [self.find(name) for name in self.names()]
        return [entry for entry in found if entry is not None]

    def is_called(self, name: str) -> bool:
        """Whether an entry was registered by a call, and so is known to this process alone."""
        return name in self._called

    def plugins(self) -> list[Plugin]:
        """Entry points of other packages, each with the problem that it has shown so far."""
        return [Plugin(self.what, point.name, point.dist.name if point.dist else "", point.module,
                       _TAKEN if point.name in self._built_in else
                       self._problems.get(point.name, ""))
                for point in entry_points(group=self.group)]

    def set_aside(self, name: str, problem: str) -> None:
        """Do not load this entry point again in this process: it was seen to fail."""
        self._problems[name] = problem

    def _points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _load(self, name: str) -> T:
        point = self._points().get(name)
        if point is None:
            raise InputError(f"{self.what} '{name}' is not known. Choose one of: "
                             f"{', '.join(self.names())}. Another comes with the package that "
                             "brings it: install that.")
        if name not in self._problems:
            try:
                entry = point.load()
                if not (problem := self._misfit(entry, name)):
                    return cast(T, entry)
            except KeyboardInterrupt:
                raise
            # Code of others raises errors of any kind, and may want to end the process.
            except BaseException as error:  # noqa: BLE001
                problem = f"{type(error).__name__}: {one_line(error)}"
            self.set_aside(name, problem)
        package = point.dist.name if point.dist else point.module
        raise PluginError(f"{self.what} '{name}': the package {package} does not give it "
                          f"({self._problems[name]}). Install another version of that package; "
                          "plankton-features doctor says more.")

    def _misfit(self, entry: object, name: str | None = None) -> str:
        """Why something is no entry, or not the one of that name; empty if it is."""
        if not isinstance(entry, self._kind):
            return f"expected {self._kind.__name__}, got {type(entry).__name__}"
        if not isinstance(entry.name, str) or not NAME.fullmatch(entry.name):
            return (f"expected a name of letters, digits, '_', '.', '+' and '-', got "
                    f"{entry.name!r}")
        if entry.name == "auto":
            return "the name 'auto' is for choosing among all"
        return "" if name in (None, entry.name) else f"it is named '{entry.name}'"


_TAKEN = "the name is taken by this package"


def resolve(hook: Hook) -> Any:
    """A function, wherever it is."""
    if callable(hook):
        return hook
    module, name = hook.split(":")
    return getattr(import_module(module), name)
