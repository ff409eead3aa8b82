"""What a backup module's Rust source has: read by its syntax, nothing compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tree_sitter import Node

from pytest_reedbackup.contracts.source import CRATES, LINES
from reedbase_backup.adapter.rust import syntax
from reedbase_backup.adapter.rust.syntax import field, text

_FUNCTION = "function_item"


class UnusableSource(Exception):
    """There is no such module to read; the message says what to do."""


@dataclass(frozen=True)
class SourceFile:
    """One Rust file of the module."""

    name: str
    """Its path in the module's folder."""
    lines: int
    """As `wc -l` counts them."""
    structs: Mapping[str, tuple[str, ...]]
    """Public types with their fields, as in `id: String`."""
    functions: Mapping[str, str]
    """Public functions outside of types, with their signatures."""
    tests: tuple[str, ...]
    crates: frozenset[str]
    """Those that the ticket names and the file uses outside of tests."""
    commands: tuple[str, ...]
    """Programs that `Command::new` names outside of tests."""
    is_whole: bool
    """Whether all of it could be parsed."""


def read_source(folder: Path) -> dict[str, SourceFile]:
    """Return the Rust files in and below `folder`, by name. Raise UnusableSource."""
    if not folder.is_dir():
        raise UnusableSource(f"{folder} is no folder; give that of the module's source files")
    paths = sorted(path for path in folder.rglob("*.rs") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    if not files.keys() & LINES.keys():
        raise UnusableSource(
            f"{folder} holds none of {', '.join(LINES)}; give the folder of the backup module"
            " itself, as in last/src/backup"
        )
    try:
        return {name: _read(name, path.read_bytes()) for name, path in files.items()}
    except OSError as error:
        raise UnusableSource(f"{error.filename}: {error.strerror}") from error


def normal_form(rust: str) -> str:
    """Return a type or a signature without comments, paths, line ends and `mut`."""
    rust = " ".join(re.sub(r"//[^\n]*|/\*.*?\*/", " ", rust, flags=re.DOTALL).split())
    rust = re.sub(r"(\w+ ?:: ?)+(?=\w)", "", rust)
    rust = re.sub(r"\bmut (?=\w+ ?:)", "", rust)
    return re.sub(r",? ?\)", ")", rust.replace("( ", "("))


def _read(name: str, content: bytes) -> SourceFile:
    root = syntax.parse(content)
    items = [
        node
        for node, attributes in syntax.items(root)
        if not any(syntax.is_for_tests(attribute) for attribute in attributes)
        and not name.endswith("tests.rs")
    ]
    public = [node for node in items if syntax.is_public(node)]
    nodes = [node for item in items for node in _walk(item)]
    return SourceFile(
        name=name,
        lines=content.count(b"\n"),
        structs={field(n, "name"): _fields(n) for n in public if n.type == "struct_item"},
        functions={field(n, "name"): _signature(n) for n in public if n.type == _FUNCTION},
        tests=tuple(_tests(root)),
        crates=frozenset(CRATES) & {text(node) for node in nodes if _begins_a_path(node)},
        commands=tuple(dict.fromkeys(command for node in nodes for command in _commands(node))),
        is_whole=not root.has_error,
    )


def _fields(struct: Node) -> tuple[str, ...]:
    body = struct.child_by_field_name("body")
    return tuple(
        normal_form(f"{field(node, 'name')}: {field(node, 'type')}")
        + ("" if syntax.is_public(node) else " (not public)")
        for node in (body.named_children if body else ())
        if node.type == "field_declaration"
    )


def _signature(function: Node) -> str:
    name, body = function.child_by_field_name("name"), function.child_by_field_name("body")
    assert name
    assert body
    source, start = function.text or b"", function.start_byte
    signature = source[name.end_byte - start : body.start_byte - start].decode("utf-8", "replace")
    modifiers = [text(n) for n in function.named_children if n.type == "function_modifiers"]
    return " ".join([*modifiers, normal_form(signature)])


def _tests(body: Node) -> Iterator[str]:
    """Yield the names of the functions with the attribute `test`, `tokio::test` and the like."""
    for node, attributes in syntax.items(body):
        if node.type == _FUNCTION and any(_is_test(attribute) for attribute in attributes):
            yield field(node, "name")
        elif node.type == "mod_item" and (inner := node.child_by_field_name("body")):
            yield from _tests(inner)


def _is_test(attribute: Node) -> bool:
    return re.fullmatch(r"#\[(\w+::)*test(\(.*\))?\]", text(attribute), re.DOTALL) is not None


def _begins_a_path(node: Node) -> bool:
    parent = node.parent
    return (
        node.type == "identifier"
        and parent is not None
        and parent.type in _PATHS
        and parent.named_children[0] == node
    )


_PATHS = (
    "scoped_identifier",
    "scoped_type_identifier",
    "scoped_use_list",
    "use_declaration",
    "use_as_clause",
    "extern_crate_declaration",
)


def _commands(node: Node) -> Iterator[str]:
    if node.type == "call_expression" and normal_form(field(node, "function")) == "new":
        called = field(node, "function").replace(" ", "")
        arguments = node.child_by_field_name("arguments")
        first = arguments.named_children[0] if arguments and arguments.named_children else None
        if called.endswith("Command::new") and first and first.type == "string_literal":
            yield text(first).strip('"')


def _walk(node: Node) -> Iterator[Node]:
    # No recursion: a chain of a thousand calls is a tree a thousand levels deep.
    waiting = [node]
    while waiting:
        yield (node := waiting.pop())
        waiting += reversed(node.named_children)
