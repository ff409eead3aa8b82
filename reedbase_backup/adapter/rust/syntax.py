"""Rust source as a syntax tree, without compiling it."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_rust
from tree_sitter import Language, Node, Parser


def parse(source: bytes) -> Node:
    """Return the root of the tree; what cannot be parsed is an error node in it."""
    return Parser(Language(tree_sitter_rust.language())).parse(source).root_node


def text(node: Node) -> str:
    """Return the source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def field(node: Node, name: str) -> str:
    """Return the source text of a node's field; "" where it has none."""
    child = node.child_by_field_name(name)
    return text(child) if child else ""


def items(body: Node) -> Iterator[tuple[Node, list[Node]]]:
    """Yield the items in a file, a module or an impl, each with its attributes."""
    attributes: list[Node] = []
    for node in body.named_children:
        if node.type == "attribute_item":
            attributes.append(node)
        elif node.type not in ("line_comment", "block_comment"):
            yield node, attributes
            attributes = []


def is_public(node: Node) -> bool:
    """Return whether an item is `pub`, for everyone."""
    return any(text(child) == "pub" for child in node.named_children)


def is_for_tests(attribute: Node) -> bool:
    """Return whether an attribute keeps its item out of all builds but tests."""
    return text(attribute).replace(" ", "") == "#[cfg(test)]"
