"""Where `reedbase_backup.adapter.rust.modules` finds a crate's functions, by its source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reedbase_backup.adapter.rust.crate import CrateError
from reedbase_backup.adapter.rust.modules import FunctionsPlace, ModuleTree

NAMES = ("create_backup", "list_backups", "restore_point_in_time")

FUNCTIONS = """
pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> { todo!() }
pub fn list_backups(base_path: &Path) -> ReedResult<Vec<BackupInfo>> { todo!() }
pub fn restore_point_in_time(base_path: &Path, target: u64) -> ReedResult<RestoreReport> { todo!() }
"""


def find(
    folder: Path, names: Sequence[str] = NAMES, module: str | None = None, **sources: str
) -> FunctionsPlace:
    """Finds `names` in a library of source files, `ops__backup` meaning ops/backup.rs."""
    for name, source in sources.items():
        path = folder / (name.replace("__", "/") + ".rs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return ModuleTree("my_crate", folder / "lib.rs").find(names, module, "--module")


def test_functions_at_the_root_are_found(tmp_path: Path) -> None:
    assert find(tmp_path, lib=FUNCTIONS).module == ()


def test_functions_reexported_at_the_root_are_used_there(tmp_path: Path) -> None:
    lib = "pub mod backup;\npub use backup::{create_backup, list_backups, restore_point_in_time};"
    assert find(tmp_path, lib=lib, backup=FUNCTIONS).module == ()


def test_functions_in_files_of_their_own_are_found_where_they_are_public(tmp_path: Path) -> None:
    functions = FUNCTIONS.strip().splitlines()
    found = find(
        tmp_path,
        lib="pub mod ops;\nmod error;\npub use error::ReedError;",
        error="pub enum ReedError {}",
        ops__mod="pub mod backup;",
        ops__backup__mod="""
            pub mod create; mod list; mod restore; #[cfg(test)] pub mod tests;
            pub use create::create_backup;
            pub use self::list::*;
            pub use super::backup::restore::{self, restore_point_in_time};
        """,
        ops__backup__create=functions[0],
        ops__backup__list=functions[1],
        ops__backup__restore=functions[2],
        ops__backup__tests=FUNCTIONS,
    )
    assert found.module == ("ops", "backup")


@pytest.mark.parametrize(
    "lib",
    [
        f"mod hidden {{ {FUNCTIONS} }} pub use hidden as shown;",
        f"mod hidden {{ {FUNCTIONS} }} pub mod shown {{ pub use crate::hidden::*; }}",
        f"mod hidden {{ {FUNCTIONS} }} pub mod shown {{ pub use my_crate::hidden::*; }}",
        f"pub mod shown {{ {FUNCTIONS} pub mod again {{ pub use super::*; }} }}",
        "pub mod shown { pub use other_crate::{create_backup, list_backups as list_backups};"
        " pub use other_crate::restore as restore_point_in_time; }",
    ],
)
def test_reexports_are_followed(tmp_path: Path, lib: str) -> None:
    assert find(tmp_path, lib=lib).module == ("shown",)


@pytest.mark.parametrize(
    "lib",
    [
        "",
        FUNCTIONS.replace("pub fn list", "fn list"),
        FUNCTIONS.replace("pub fn list", "pub(crate) fn list"),
        f"mod private {{ {FUNCTIONS} }}",
        f"#[cfg(test)]\n/// comment\npub mod tests {{ {FUNCTIONS} }}",
        f"/* {FUNCTIONS} */",
        "pub mod missing;",
        "pub use self::*;\npub use crate::a::*;\npub mod a { pub use super::*; }",
        "pub fn create_backup( {",
    ],
)
def test_a_crate_that_does_not_show_the_functions_asks_for_the_module(
    tmp_path: Path, lib: str
) -> None:
    with pytest.raises(CrateError, match=r"my_crate .* --module ops::backup$"):
        find(tmp_path, lib=lib)


def test_two_sets_of_functions_ask_for_the_module(tmp_path: Path) -> None:
    sources = {"lib": "pub mod old; pub mod new;", "old": FUNCTIONS, "new": FUNCTIONS}
    with pytest.raises(CrateError, match=r"\(new, old\).*--module PATH"):
        find(tmp_path, **sources)
    assert find(tmp_path, module="new", **sources).module == ("new",)


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("crate", ()),
        ("my_crate", ()),
        ("a::b", ("a", "b")),
        ("crate::a::backup", ("a", "backup")),
        ("my_crate::a", ("a",)),
    ],
)
def test_a_given_module_is_used_as_given(
    tmp_path: Path, module: str, path: tuple[str, ...]
) -> None:
    assert find(tmp_path, module=module, lib="").module == path


@pytest.mark.parametrize("module", ["", "a::", "::a", "a-b", "a b", "a;", "1a", "a::{b}"])
def test_a_module_that_is_no_path_is_refused(tmp_path: Path, module: str) -> None:
    with pytest.raises(CrateError, match=r"^--module .*: give a module's path"):
        find(tmp_path, module=module, lib="")


def test_parameter_types_come_with_the_functions(tmp_path: Path) -> None:
    place = find(tmp_path, lib="pub mod ops; pub use ops::*;", ops=FUNCTIONS)
    assert place.parameters["restore_point_in_time"] == ("&Path", "u64")
    assert find(tmp_path, module="elsewhere", lib=FUNCTIONS).parameters == {}
