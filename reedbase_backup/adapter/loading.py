"""Python implementations by name: the built-in ones, and any `MODULE:OBJECT`.

An implementation is any object with `create_backup`, `list_backups` and
`restore_point_in_time`. It may say more of itself by the attributes `name`,
`version`, `contracts` (default: only `ticket`) and `capabilities`; one with the
capability `clock` takes `now_ns` as a keyword of `create_backup`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reedbase_backup import __version__
from reedbase_backup.adapter import protocol
from reedbase_backup.adapter.protocol import METHODS, Contract

CLOCK = "clock"
"""The capability to be told the current time with each create_backup."""


class UnusableImplementation(Exception):
    """The name does not lead to an implementation; the message says why and what to do."""


@dataclass(frozen=True)
class PythonImplementation:
    """A Python implementation and what it says of itself."""

    name: str
    version: str
    contracts: tuple[Contract, ...]
    capabilities: tuple[str, ...]
    functions: Mapping[str, Callable[..., Any]]


def load(name: str) -> PythonImplementation:
    """Return the implementation called `python`, `python-last` or `MODULE:OBJECT`.

    Raise UnusableImplementation.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    module_name, colon, path = name.partition(":")
    if not colon or not path:
        raise UnusableImplementation(f"{name!r} is neither python, python-last nor MODULE:OBJECT")
    # As with `python -m`: what is in the working folder can be named.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        implementation: Any = importlib.import_module(module_name)
        for attribute in path.split("."):
            implementation = getattr(implementation, attribute)
        if isinstance(implementation, type):
            implementation = implementation()
    except (Exception, SystemExit) as error:  # whatever: it is the user's code
        raise UnusableImplementation(
            f"{name!r} cannot be loaded: {type(error).__name__}: {error};"
            f" modules are sought in {os.getcwd()} and where Python is installed"
        ) from error
    return describe(implementation, name)


def describe(implementation: Any, name: str) -> PythonImplementation:
    """Return what the object `implementation` says of itself. Raise UnusableImplementation."""
    missing = [method for method in METHODS if not callable(getattr(implementation, method, None))]
    if missing:
        raise UnusableImplementation(
            f"{name!r} has no function {' and no '.join(missing)};"
            f" an implementation has {', '.join(METHODS)}"
        )
    contracts = _names(implementation, name, "contracts", ("ticket",))
    if not contracts or not set(contracts) <= set(protocol.CONTRACTS):
        raise UnusableImplementation(
            f"{name!r} claims the contracts {contracts}; known: {protocol.CONTRACTS}"
        )
    return PythonImplementation(
        name=_said(implementation, "name", name),
        version=_said(implementation, "version", "unknown"),
        contracts=contracts,
        capabilities=_names(implementation, name, "capabilities", ()),
        functions={method: getattr(implementation, method) for method in METHODS},
    )


def _said(implementation: Any, attribute: str, default: str) -> str:
    """Return an attribute that is for people; a method of that name is for something else."""
    said = getattr(implementation, attribute, default)
    return default if callable(said) else str(said)


def _names(implementation: Any, name: str, attribute: str, default: tuple[str, ...]) -> Any:
    """Return an attribute that must be a collection of names, and no bare string."""
    names = getattr(implementation, attribute, default)
    if isinstance(names, list | tuple | set | frozenset) and all(
        isinstance(entry, str) for entry in names
    ):
        return tuple(names)
    raise UnusableImplementation(
        f"{name!r}: its attribute `{attribute}` must be a tuple of names, not {names!r}"
    )


def _reference() -> PythonImplementation:
    from reedbase_backup import create
    from reedbase_backup.list import list_backups
    from reedbase_backup.restore import restore_point_in_time

    def create_backup(base_path: str, now_ns: int | None = None) -> Any:
        if now_ns is None:
            return create.create_backup(base_path)
        return create.create_backup_at(base_path, now_ns)

    return PythonImplementation(
        name="python",
        version=__version__,
        contracts=("ticket",),
        capabilities=(CLOCK,),
        functions={
            "create_backup": create_backup,
            "list_backups": list_backups,
            "restore_point_in_time": restore_point_in_time,
        },
    )


def _port_of_the_baseline() -> PythonImplementation:
    from reedbase_backup.last.served import ServedPort

    port = ServedPort()
    return PythonImplementation(
        name="python-last",
        version=__version__,
        contracts=("last",),
        capabilities=(CLOCK,),
        functions={method: getattr(port, method) for method in METHODS},
    )


BUILT_IN: Mapping[str, Callable[[], PythonImplementation]] = {
    "python": _reference,
    "python-last": _port_of_the_baseline,
}
"""The implementations that come with this package."""
