"""The guide and the protocol say what contracts, schemas and the reference's adapter say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from documents.pages import PROJECT
from fixture_types import MakeBase

from pytest_reedbackup.contracts import RULES
from reedbase_backup.adapter import schemas
from reedbase_backup.adapter.schemas.complaints import complaints
from reedbase_backup.types import U64_MAX

GUIDE = (PROJECT / "docs/porting.md").read_text()
PROTOCOL = (PROJECT / "docs/protocol.md").read_text()
WORDS = " ".join(GUIDE.split())
TYPES = {"string": "string", "integer": "integer"}


def section(heading: str) -> str:
    return GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables in a text whose first cell is code: the other cells by that."""
    found = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split(" | ")] for name, cells in found}


@pytest.mark.parametrize(
    ("contract", "heading"),
    [("ticket", "The rules of contract `ticket`"), ("last", "Contract `last`")],
)
def test_every_rule_is_there_in_its_own_words_and_in_order(contract: str, heading: str) -> None:
    rules = RULES[contract]
    assert re.findall(r"^- `([\w/-]+)`: ", section(heading), re.MULTILINE) == list(rules)
    for rule, words in rules.items():
        assert f"- `{rule}`: {words[0].upper()}{words[1:]}." in WORDS


@pytest.mark.parametrize(
    ("name", "method"),
    [("BackupInfo", "create_backup"), ("RestoreReport", "restore_point_in_time")],
)
def test_the_fields_of_a_type_are_those_of_its_schema(name: str, method: str) -> None:
    schema = schemas.schema(schemas.reply_to(method, "ticket"))
    (fields,) = [
        each["properties"]
        for title, each in schema["$defs"].items()
        if title not in ("Reply", "Result")
    ]
    table = section("The three functions, under contract `ticket`").partition(f"\n{name}:\n")[2]
    found = rows(table.strip().partition("\n\n")[0])
    assert {field: cells[0] for field, cells in found.items()} == {
        field: TYPES[each["type"]] for field, each in fields.items()
    }


def test_the_fields_of_every_kind_of_error_are_those_of_the_schema() -> None:
    def shown(name: str, field: Mapping[str, Any]) -> str:
        kinds = [each["type"] for each in field.get("anyOf", [field])]
        return f"`{name}`" if kinds == ["string"] else f"`{name}` ({' or '.join(kinds)})"

    wanted = {}
    for kind, schema in schemas.schema("kinds")["$defs"].items():
        fields = schema["properties"]["fields"]["properties"]
        wanted[kind] = ", ".join(shown(name, field) for name, field in fields.items()) or "none"
    assert {kind: cells[0] for kind, cells in rows(section("Errors")).items()} == wanted


def session() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    requests = re.findall(r"^> (.*)$", PROTOCOL, re.MULTILINE)
    replies = re.findall(r"^< (.*)$", PROTOCOL, re.MULTILINE)
    return [(json.loads(a), json.loads(b)) for a, b in zip(requests, replies, strict=True)]


def schema_of(request: Mapping[str, Any], reply: Mapping[str, Any]) -> str:
    contract = request["params"].get("contract", "")
    return schemas.ERROR if "error" in reply else schemas.reply_to(request["method"], contract)


def test_every_message_of_the_session_fits_its_schema() -> None:
    assert {request["method"] for request, _ in session()} == {
        name.removeprefix("requests/") for name in schemas.names() if name.startswith("requests/")
    }
    for request, reply in session():
        assert complaints(f"requests/{request['method']}", request) == []
        assert complaints(schema_of(request, reply), reply) == []


def test_the_reference_answers_the_session_as_the_guide_says(make_base: MakeBase) -> None:
    base = str(make_base("text", "routes"))
    lines = [json.dumps(request).replace("/data/.reed", base) for request, _ in session()]
    ended = subprocess.run(
        [sys.executable, "-m", "reedbase_backup", "serve"],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    replies = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(replies) == len(lines)
    for (_, said), reply in zip(session(), replies, strict=True):
        assert shape(reply) == shape(said)
    assert replies[-2]["error"]["data"]["kind"] == "BackupNotFound"


def shape(value: Any) -> Any:
    """What is in a message but for texts and numbers."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def test_a_target_of_the_session_is_the_largest_that_there_is() -> None:
    targets = [request["params"].get("target_timestamp") for request, _ in session()]
    assert U64_MAX in targets
