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


@pytest.mark.parametrize("there", ["nothing", "an empty registry", "no users.dict"])
def test_a_missing_registry_is_made_before_the_code_is_given(there: str, tmp_path: Path) -> None:
    if there == "no users.dict":
        init_registry(tmp_path)
        (tmp_path / "registry" / "users.dict").unlink()
    elif there == "an empty registry":
        (tmp_path / "registry").mkdir()
    assert user_names(tmp_path) == {0: "system", 1: "admin"}
    assert action_names(tmp_path)[5] == "init"
    assert user_code(tmp_path, SYSTEM, clock=clock) == 0
    assert users(tmp_path)[1:] == ["0|system|1700000000", "1|admin|1700000000"]
    assert (tmp_path / "registry" / "actions.dict").is_file()


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


HEADER = b"code|username|created_at\n"

SOUND = {
    "header-only": (HEADER, 1),
    "any-first-line": (b"9|system|1\n7|system|1\n", 7),
    "two-fields": (HEADER + b"7|system\n", 7),
    "blank-and-short-lines": (HEADER + b"\n \nalone\n7|system|1\n", 7),
    "crlf": (HEADER[:-1] + b"\r\n7|system\r\n", 7),
    "a-lone-cr-is-part-of-the-name": (HEADER + b"7|system\r", 8),
    "plus-and-zeros": (HEADER + b"+07|system|1\n", 7),
    "the-later-line-wins": (HEADER + b"7|system|1\n5|system|1\n", 5),
    "names-as-they-stand": (HEADER + b"7|System|1\n3| system|1\n4|system |1\n", 8),
    "no-final-newline": (HEADER + b"7|other|1", 8),
    "a-gap": (HEADER + b"1|a|1\n9|b|1\n4|c|1\n", 10),
    "after-the-last-code": (HEADER + b"4294967295|other|1\n", 0),
    "a-lost-header": (b"0|system|1\n1|admin|1\n", 2),
    "only-system-without-a-header": (b"1|system|1\n", 1),
}

DAMAGED = {
    "system-behind-a-bad-code": (HEADER + b"x|other|1\n7|system|1\n", 7),
    "others-behind-a-bad-code": (HEADER + b"1|a|1\nx|b|1\n7|c|1\n", 8),
    "others-behind-a-code-too-large": (HEADER + b"4294967296|a|1\n7|other|1\n", 8),
    "others-behind-a-negative-code": (HEADER + b"-1|a|1\n7|other|1\n", 8),
    "others-behind-a-code-with-a-space": (HEADER + b" 1|a|1\n7|other|1\n", 8),
    "an-unreadable-system": (HEADER + b"x|system|1\n", 1),
    "not-utf-8-in-the-header": (b"\xff|username\n7|system|1\n", 7),
    "not-utf-8-midway": (HEADER + b"7|other|1\n\xff|x|1\n9|last|1\n", 10),
    "not-utf-8-at-the-end": (HEADER + b"0|system|1\n\xff\n", 0),
    "not-utf-8-without-a-final-newline": (HEADER + b"1|a|1\n2|\xff", 2),
    "a-code-that-no-line-has": (HEADER + b"4294967295|a|1\n0|b|1\n2|c|1\n", 1),
    "a-first-line-that-is-no-header": (b"1|admin|1\n", 2),
    "a-first-line-with-the-next-code": (b"8|zoe|1\n7|bob|1\n", 9),
}


@pytest.mark.parametrize(
    ("content", "code"),
    [pytest.param(*both, id=name) for name, both in (SOUND | DAMAGED).items()],
)
def test_system_gets_its_own_code_or_one_that_no_readable_line_has(
    content: bytes, code: int, tmp_path: Path
) -> None:
    init_registry(tmp_path)
    path = tmp_path / "registry" / "users.dict"
    path.write_bytes(content)
    assert user_code(tmp_path, SYSTEM, clock=clock) == code
    added = path.read_bytes().removeprefix(content)
    newline = b"\n" if content and not content.endswith(b"\n") else b""
    assert added in (b"", newline + b"%d|system|1700000000\n" % code)
    has_code = [line.split(b"|")[0].lstrip(b"+0") or b"0" for line in content.split(b"\n")[1:]]
    assert added or b"%d" % code in has_code
    assert path.read_bytes().startswith(content)
    assert user_code(tmp_path, SYSTEM) == code


def test_in_an_empty_dictionary_the_line_comes_after_a_header_so_that_it_is_found_again(
    tmp_path: Path,
) -> None:
    init_registry(tmp_path)
    path = tmp_path / "registry" / "users.dict"
    path.write_bytes(b"")
    assert [user_code(tmp_path, SYSTEM, clock=clock) for _ in range(3)] == [1, 1, 1]
    assert path.read_bytes() == HEADER + b"1|system|1700000000\n"


@pytest.mark.parametrize(
    ("in_the_way", "reason"),
    [
        ("a folder for users.dict", "Is a directory (os error 21)"),
        ("a file for registry", "Not a directory (os error 20)"),
        ("a dangling registry", "No such file or directory (os error 2)"),
        ("a users.dict that leads nowhere", "No such file or directory (os error 2)"),
    ],
)
def test_where_the_code_cannot_be_added_the_error_says_so(
    in_the_way: str, reason: str, tmp_path: Path
) -> None:
    registry = tmp_path / "registry"
    match in_the_way:
        case "a folder for users.dict":
            (registry / "users.dict").mkdir(parents=True)
        case "a file for registry":
            registry.write_text("")
        case "a dangling registry":
            registry.symlink_to("nowhere")
        case _:
            registry.mkdir()
            (registry / "users.dict").symlink_to("nowhere/users.dict")
    with pytest.raises(IoError) as caught:
        user_code(tmp_path, SYSTEM)
    assert caught.value.fields == {"operation": "append_users_dict", "reason": reason}


def test_users_dict_may_be_a_symlink_and_stays_one(tmp_path: Path) -> None:
    init_registry(tmp_path)
    path = tmp_path / "registry" / "users.dict"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(HEADER)
    path.unlink()
    path.symlink_to(elsewhere)
    assert user_code(tmp_path, SYSTEM, clock=clock) == 1
    assert path.is_symlink()
    assert elsewhere.read_bytes() == HEADER + b"1|system|1700000000\n"
