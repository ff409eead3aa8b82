"""Where in a crate functions are public: its module tree, read without compiling it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tree_sitter import Node

from reedbase_backup.adapter.rust import syntax
from reedbase_backup.adapter.rust.crate import CrateError

ModulePath = tuple[str, ...]
"""A module's path from the crate's root, such as `("ops", "backup")`."""

_MAX_DEPTH = 8
"""Re-exports can make a module its own descendant; no real module is this deep."""


@dataclass(frozen=True)
class Function:
    """A public function, by the place that defines it."""

    defined_in: str
    name: str
    parameters: tuple[str, ...] = ()
    """The types of its parameters as they are written; none where the place is unknown."""


@dataclass(frozen=True)
class FunctionsPlace:
    """A module, and its functions' parameter types by function, where they are known."""

    module: ModulePath
    parameters: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, module: ModulePath, functions: Sequence[Function]) -> FunctionsPlace:
        """Return the place of `functions` in `module`."""
        return cls(module, {function.name: function.parameters for function in functions})


@dataclass
class _Use:
    path: ModulePath
    """What is used, from the module that uses it; ends in `*` for everything in there."""
    name: str
    """The name it is given; `*` again for everything."""


@dataclass
class _Module:
    path: ModulePath
    functions: dict[str, Function] = field(default_factory=dict)
    public_uses: list[_Use] = field(default_factory=list)
    children: dict[str, _Module] = field(default_factory=dict)
    public_children: set[str] = field(default_factory=set)


class ModuleTree:
    """The modules of a library and what each makes public.

    Macros are not expanded and conditions not evaluated, except that `#[cfg(test)]` modules are
    left out: what only a compiler knows has to be said by an option.
    """

    def __init__(self, library: str, source: Path) -> None:
        self._library = library
        self._root = _read_module((), source, source.parent)

    def find(self, names: Sequence[str], module: str | None, option: str) -> FunctionsPlace:
        """Return the module that has all of `names`: the one given by `option`, or the only one.

        Re-exports of the same functions count as one place, the shortest path. Raise CrateError
        where there is none or more than one.
        """
        places = self.exporters(names)
        if module is not None:
            path = self._given(module, option)
            return FunctionsPlace.of(path, places.get(path, ()))
        if not places:
            raise CrateError(
                f"no public module of {self._library} has the functions {', '.join(names)}; "
                f"if one has, give its path, such as: {option} ops::backup"
            )
        if len(set(places.values())) > 1:
            paths = ", ".join(sorted("::".join(path) or "crate" for path in places))
            raise CrateError(
                f"{self._library} has {names[0]} and its like in more than one module ({paths}); "
                f"say which to use: {option} PATH"
            )
        shortest = min(places, key=lambda path: (len(path), path))
        return FunctionsPlace.of(shortest, places[shortest])

    def _given(self, module: str, option: str) -> ModulePath:
        parts = tuple(module.split("::"))
        if parts[0] in ("crate", self._library):
            parts = parts[1:]
        if not all(re.fullmatch(r"[^\W\d]\w*", part) for part in parts):
            raise CrateError(
                f"{option} {module!r}: give a module's path such as ops::backup, or crate"
            )
        return parts

    def exporters(self, names: Sequence[str]) -> dict[ModulePath, tuple[Function, ...]]:
        """Return the public modules that have all of `names` as functions, with these functions."""
        places = {}
        for path, module in self._public_modules((), self._root):
            functions = [self._function(module, name, frozenset()) for name in names]
            known = tuple(function for function in functions if function)
            if len(known) == len(names):
                places[path] = known
        return places

    def _public_modules(
        self, path: ModulePath, module: _Module
    ) -> Iterator[tuple[ModulePath, _Module]]:
        yield path, module
        if len(path) >= _MAX_DEPTH:
            return
        for name in sorted(module.public_children):
            yield from self._public_modules((*path, name), module.children[name])
        for use in module.public_uses:
            target = self._module(module, use.path)
            if target is not None and use.name != "*" and use.name not in module.public_children:
                yield from self._public_modules((*path, use.name), target)

    def _function(
        self, module: _Module, name: str, seen: frozenset[tuple[ModulePath, str]]
    ) -> Function | None:
        if name in module.functions:
            return module.functions[name]
        if (module.path, name) in seen:
            return None
        seen |= {(module.path, name)}
        for use in module.public_uses:
            if use.name not in (name, "*"):
                continue
            source = self._module(module, use.path[:-1])
            original = name if use.name == "*" else use.path[-1]
            function = self._function(source, original, seen) if source else None
            if function is None and use.name == name:
                # From another crate, or by a way that only a compiler follows.
                function = Function("::".join(use.path[:-1]), original)
            if function is not None:
                return function
        return None

    def _module(self, start: _Module, path: ModulePath) -> _Module | None:
        module: _Module | None = start
        for position, part in enumerate(path):
            if module is None:
                return None
            if part == "crate" or (part == self._library and position == 0):
                module = self._root
            elif part == "super":
                module = self._module(self._root, module.path[:-1])
            elif part != "self":
                module = module.children.get(part)
        return module


def _read_module(path: ModulePath, source: Path, folder: Path) -> _Module:
    """Return the module in a source file; `folder` is where its children's files are."""
    return _module(path, syntax.parse(source.read_bytes()), folder)


def _module(path: ModulePath, body: Node, folder: Path) -> _Module:
    module = _Module(path)
    for node, attributes in syntax.items(body):
        if not any(syntax.is_for_tests(attribute) for attribute in attributes):
            _add_item(module, node, folder)
    return module


def _add_item(module: _Module, node: Node, folder: Path) -> None:
    is_public = syntax.is_public(node)
    if node.type == "mod_item":
        name = syntax.field(node, "name")
        child = _child((*module.path, name), node.child_by_field_name("body"), folder)
        if child is not None:
            module.children[name] = child
            module.public_children |= {name} if is_public else set()
    elif node.type == "function_item" and is_public:
        name = syntax.field(node, "name")
        parameters = node.child_by_field_name("parameters")
        types = tuple(
            syntax.field(parameter, "type")
            for parameter in (parameters.named_children if parameters else ())
            if parameter.type == "parameter"
        )
        module.functions[name] = Function("::".join(module.path), name, types)
    elif node.type == "use_declaration" and is_public:
        argument = node.child_by_field_name("argument")
        module.public_uses += _uses((), argument) if argument else ()


def _child(path: ModulePath, body: Node | None, folder: Path) -> _Module | None:
    below = folder / path[-1]
    if body is not None:
        return _module(path, body, below)
    for source in (folder / f"{path[-1]}.rs", below / "mod.rs"):
        if source.is_file():
            return _read_module(path, source, below)
    return None


def _uses(prefix: ModulePath, node: Node) -> Iterator[_Use]:
    """Yield the names that a `use` tree brings in."""
    match node.type:
        case "use_list":
            for child in node.named_children:
                yield from _uses(prefix, child)
        case "scoped_use_list":
            inner = node.child_by_field_name("list")
            if inner is not None:
                yield from _uses((*prefix, *_segments(syntax.field(node, "path"))), inner)
        case "use_as_clause":
            yield _Use(
                (*prefix, *_segments(syntax.field(node, "path"))),
                syntax.field(node, "alias"),
            )
        case "use_wildcard":
            path = (*prefix, *_segments(syntax.text(node).removesuffix("*")))
            yield _Use((*path, "*"), "*")
        case "self":
            yield _Use(prefix, prefix[-1] if prefix else "self")
        case _:
            path = (*prefix, *_segments(syntax.text(node)))
            yield _Use(path, path[-1] if path else "")


def _segments(path: str) -> list[str]:
    return [part for part in path.replace(" ", "").split("::") if part]
