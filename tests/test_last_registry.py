"""The registry: dictionaries that the real crate reads, and codes that stay what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from reedbase_backup.errors import IoError
from reedbase_backup.last import init_registry
from reedbase_backup.last.registry import SYSTEM, action_names, user_code, user_names


def clock() -> int:
    return 1_700_000_000_999_999_999


def users(base: Path) -> list[str]:
    return (base / "registry" / "users.dict").read_text().splitlines()


def test_a_new_registry_has_the_headers_and_codes_of_the_format(tmp_path: Path) -> None:
    init_registry(tmp_path, clock=clock)
    assert users(tmp_path) == [
        "code|username|created_at",
        "0|system|1700000000",
        "1|admin|1700000000",
    ]
    header, *actions = (tmp_path / "registry" / "actions.dict").read_text().splitlines()
    assert header == "code|name|description"
    assert " ".join(line.rpartition("|")[0] for line in actions) == (
        "0|delete 1|create 2|update 3|rollback 4|compact "
        "5|init 6|snapshot 7|automerge 8|conflict 9|resolve"
    )


def test_init_leaves_an_existing_registry_as_it_is(tmp_path: Path) -> None:
    init_registry(tmp_path, clock=clock)
    user_code(tmp_path, "editor", clock=clock)
    before = users(tmp_path)
    init_registry(tmp_path)
    assert users(tmp_path) == before


def test_a_new_user_gets_the_next_code_once(tmp_path: Path) -> None:
    assert user_code(tmp_path, "übersetzer", clock=clock) == 2
    assert user_code(tmp_path, "editor", clock=clock) == 3
    assert user_code(tmp_path, "übersetzer", clock=clock) == 2
    assert users(tmp_path)[3:] == ["2|übersetzer|1700000000", "3|editor|1700000000"]


def test_known_users_need_no_registry_and_make_none(tmp_path: Path) -> None:
    assert user_code(tmp_path, SYSTEM) == 0
    assert user_names(tmp_path) == {0: "system", 1: "admin"}
    assert action_names(tmp_path)[5] == "init"
    assert list(tmp_path.iterdir()) == []


def test_a_later_line_with_the_same_name_wins(tmp_path: Path) -> None:
    init_registry(tmp_path)
    with (tmp_path / "registry" / "users.dict").open("a") as file:
        file.write("7|system|1\n")
    assert user_code(tmp_path, SYSTEM) == 7
    assert user_code(tmp_path, "new") == 8


def test_a_dictionary_without_final_newline_gets_one_before_the_new_line(tmp_path: Path) -> None:
    init_registry(tmp_path, clock=clock)
    path = tmp_path / "registry" / "users.dict"
    path.write_text(path.read_text().rstrip("\n"))
    user_code(tmp_path, "editor", clock=clock)
    assert users(tmp_path)[2:] == ["1|admin|1700000000", "2|editor|1700000000"]


@pytest.mark.parametrize("name", ["", "  ", "a|b", "a\nb", "a\rb"])
def test_a_name_that_would_break_the_dictionary_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="user name"):
        user_code(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"code|username|created_at\nx|editor|1\n", "Invalid format at line 2"),
        (b"code|username|created_at\n2|editor\n", "Invalid format at line 2"),
        (b"0|system|1\n4294967296|editor|1\n", "Invalid format at line 2"),
        (b"\xff", "stream did not contain valid UTF-8"),
    ],
)
def test_a_damaged_dictionary_is_reported_with_its_line(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    init_registry(tmp_path)
    (tmp_path / "registry" / "users.dict").write_bytes(content)
    with pytest.raises(IoError) as caught:
        user_code(tmp_path, SYSTEM)
    assert caught.value.fields == {"operation": "read_users_dict", "reason": reason}


def test_codes_do_not_run_over_what_a_log_line_can_hold(tmp_path: Path) -> None:
    init_registry(tmp_path)
    with (tmp_path / "registry" / "users.dict").open("a") as file:
        file.write("4294967295|last|1\n")
    before = users(tmp_path)
    with pytest.raises(IoError, match="no code is left"):
        user_code(tmp_path, "one more")
    assert users(tmp_path) == before
