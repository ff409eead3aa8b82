"""`reedbackup adapter rust`: what it reads in a crate, what it refuses, what it writes."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Literal

import pytest
from fixture_types import FindTool

from reedbase_backup.adapter.rust.crate import CrateError, read_crate
from reedbase_backup.adapter.rust.generator import generate
from reedbase_backup.cli.commands import main as reedbackup

FUNCTIONS = """
pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> { todo!() }
pub fn list_backups(base_path: &Path) -> ReedResult<Vec<BackupInfo>> { todo!() }
pub fn restore_point_in_time(base_path: &Path, target: u64) -> ReedResult<RestoreReport> { todo!() }
"""

REGISTRY = """
pub fn init_registry(base: &Path) -> ReedResult<()> { todo!() }
pub fn set_base_path(base: PathBuf) { todo!() }
pub fn reload_dictionaries() -> ReedResult<()> { todo!() }
"""


@pytest.fixture(autouse=True)
def _cargo(tool: FindTool) -> None:
    """What a crate is called, Cargo says."""
    tool("cargo")


def crate(folder: Path, manifest: str = "", **sources: str) -> Path:
    """A crate with a manifest and source files, `ops__backup` meaning src/ops/backup.rs."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    text = manifest or '[package]\nname = "my-crate"\nversion = "1.2.3"\nedition = "2021"\n'
    (folder / "Cargo.toml").write_text(text, encoding="utf-8")
    for name, source in sources.items():
        path = folder / "src" / (name.replace("__", "/") + ".rs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder


def main(out: Path) -> str:
    return (out / "src/main.rs").read_text(encoding="utf-8")


def uses(
    tmp_path: Path, contract: Literal["ticket", "last"] = "ticket", **sources: str
) -> list[str]:
    """The `use` lines for the crate's own modules that are written for a crate."""
    generate(crate(tmp_path / "crate", **sources), contract, tmp_path / "out")
    lines = main(tmp_path / "out").splitlines()
    return [line for line in lines if line.startswith("use my_crate")]


def refusal(crate: Path, out: Path, **options: str) -> str:
    """The message of a refusal that writes nothing."""
    existed = out.exists()
    with pytest.raises(CrateError) as error:
        generate(crate, "ticket", out, **options)
    assert out.exists() == existed
    return str(error.value)


def test_the_functions_are_used_where_they_are(tmp_path: Path) -> None:
    assert uses(tmp_path, lib=FUNCTIONS) == ["use my_crate as backup;"]
    lib = "pub mod ops { pub mod backup; }"
    assert uses(tmp_path, lib=lib, ops__backup=FUNCTIONS) == ["use my_crate::ops::backup;"]
    generate(tmp_path / "crate", "ticket", tmp_path / "out", module="crate::a")
    assert "use my_crate::a as backup;" in main(tmp_path / "out")


def test_a_crate_that_does_not_show_its_functions_is_refused(tmp_path: Path) -> None:
    assert "--module" in refusal(crate(tmp_path / "crate", lib=""), tmp_path / "out")


def test_the_registry_of_contract_last_is_found_and_called_by_its_signatures(
    tmp_path: Path,
) -> None:
    lib = FUNCTIONS + "pub mod registry;"
    assert uses(tmp_path, "last", lib=lib, registry=REGISTRY) == [
        "use my_crate as backup;",
        "use my_crate::registry;",
    ]
    text = main(tmp_path / "out")
    assert "registry::init_registry(&base)" in text
    assert "registry::set_base_path(base.clone())" in text
    swapped = REGISTRY.replace("base: &Path", "base: PathBuf", 1)
    swapped = swapped.replace(
        "set_base_path(base: PathBuf)", "set_base_path(base: impl AsRef<Path>)"
    )
    uses(tmp_path, "last", lib=lib, registry=swapped)
    text = main(tmp_path / "out")
    assert "registry::init_registry(base.clone())" in text
    assert "registry::set_base_path(&base)" in text


def test_contract_last_without_a_registry_asks_for_it(tmp_path: Path) -> None:
    source = crate(tmp_path / "crate", lib=FUNCTIONS)
    with pytest.raises(CrateError, match=r"init_registry.*--registry"):
        generate(source, "last", tmp_path / "out")
    generate(source, "last", tmp_path / "out", registry="a::registry")
    assert "use my_crate::a::registry;" in main(tmp_path / "out")


def test_the_project_names_the_crate_as_its_manifest_does(tmp_path: Path) -> None:
    manifest = '[package]\nname = "my-crate"\n[lib]\nname = "other_name"\npath = "lib/main.rs"\n'
    source = crate(tmp_path / "crate", manifest)
    (source / "lib").mkdir()
    (source / "lib/main.rs").write_text("pub mod ops;")
    (source / "lib/ops.rs").write_text(FUNCTIONS)
    executable = generate(source, "ticket", tmp_path / "deep/er/out")
    assert executable == tmp_path / "deep/er/out/target/release/my-crate-adapter"
    project = tomllib.loads((tmp_path / "deep/er/out/Cargo.toml").read_text())
    assert project["workspace"] == {}
    dependency = project["dependencies"]["other_name"]
    assert dependency == {"package": "my-crate", "path": "../../../crate"}
    text = main(tmp_path / "deep/er/out")
    assert "use other_name::ops as backup;" in text
    assert 'const NAME: &str = "my-crate";\nconst VERSION: &str = "0.0.0";' in text


def test_names_given_by_options_are_used(tmp_path: Path) -> None:
    source = crate(tmp_path / "crate", lib=FUNCTIONS)
    executable = generate(
        source, "ticket", tmp_path / "out", name='The "port" \\ 表', binary="port_2"
    )
    assert executable.name == "port_2"
    assert 'const NAME: &str = "The \\"port\\" \\\\ 表";' in main(tmp_path / "out")
    assert "--binary 'a/b'" in refusal(source, tmp_path / "out", binary="a/b")
    assert "--name ''" in refusal(source, tmp_path / "out", name="")


def test_a_workspace_member_inherits_its_version(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(
        '[workspace]\nmembers = ["member"]\n[workspace.package]\nversion = "4.5.6"\n'
    )
    (tmp_path / "Cargo.lock").write_text("# the workspace's versions\nversion = 4\n")
    manifest = '[package]\nname = "member"\nversion.workspace = true\n'
    member = crate(tmp_path / "member", manifest, lib=FUNCTIONS)
    assert read_crate(member / "Cargo.toml").version == "4.5.6"
    generate(member, "ticket", tmp_path / "out")
    assert 'VERSION: &str = "4.5.6"' in main(tmp_path / "out")
    assert (tmp_path / "out/Cargo.lock").read_text().startswith("# the workspace's")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("", "cannot be read"),
        ("[package", "cannot be read"),
        ('[package]\nname = "binary-only"\n', "the crate has no library"),
        ('[package]\nname = "macros"\n[lib]\nproc-macro = true\n', "the crate has no library"),
    ],
)
def test_what_is_no_library_crate_is_refused(tmp_path: Path, manifest: str, words: str) -> None:
    folder = tmp_path / "crate"
    (folder / "src").mkdir(parents=True)
    kind = "lib" if "[lib]" in manifest else "main"
    (folder / "src" / f"{kind}.rs").write_text("")
    (folder / "Cargo.toml").write_text(manifest)
    assert words in refusal(folder, tmp_path / "out")


def test_a_workspace_is_refused_with_the_members_to_choose_from(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text('[workspace]\nmembers = ["last", "curr*"]\n')
    for name in ("last", "current"):
        crate(tmp_path / name, f'[package]\nname = "{name}"\n', lib=FUNCTIONS)
    words = refusal(tmp_path, tmp_path / "out")
    assert f"one of its members ({tmp_path}/current, {tmp_path}/last)" in words


def test_a_machine_without_cargo_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "cargo is not installed" in refusal(crate(tmp_path / "c", lib=""), tmp_path / "out")


def test_a_missing_crate_is_refused(tmp_path: Path) -> None:
    assert "--crate" in refusal(tmp_path / "missing", tmp_path / "out")
    (tmp_path / "file").write_text("")
    assert "--crate" in refusal(tmp_path / "file", tmp_path / "out")


def test_an_earlier_adapter_is_replaced_and_unchanged_files_are_not_touched(
    tmp_path: Path,
) -> None:
    source, out = crate(tmp_path / "crate", lib=FUNCTIONS), tmp_path / "out"
    generate(source, "ticket", out)
    stale = out / "reedbackup-adapter/src/stale.rs"
    stale.write_text("")
    (out / "target").mkdir()
    paths = [path for path in out.rglob("*") if path.is_file() and path != stale]
    for path in paths:
        os.utime(path, (1, 1))
    generate(source, "ticket", out)
    assert not stale.exists()
    assert (out / "target").is_dir()
    assert {path for path in paths if path.stat().st_mtime != 1} == set()
    generate(source, "ticket", out, name="other")
    assert {path.name for path in paths if path.stat().st_mtime != 1} == {"main.rs"}


def test_what_the_command_did_not_write_is_not_overwritten(tmp_path: Path) -> None:
    source, out = crate(tmp_path / "crate", lib=FUNCTIONS), tmp_path / "out"
    generate(source, "ticket", out)
    edited = out / "src/main.rs"
    edited.write_text(edited.read_text().replace("fn main", "fn  main"))
    assert f"{edited} was edited" in refusal(source, out)
    edited.unlink()
    generate(source, "ticket", out)

    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    assert "holds no adapter" in refusal(source, other)
    assert "not written by this command" in refusal(source, source)
    assert "is a file" in refusal(source, other / "notes.txt")


def test_the_library_is_the_one_of_the_checkout(tmp_path: Path) -> None:
    generate(crate(tmp_path / "crate", lib=FUNCTIONS), "ticket", tmp_path / "out")
    library = Path(__file__).resolve().parents[2] / "adapters/rust/reedbackup-adapter"
    sources = sorted(path.relative_to(library) for path in (library / "src").rglob("*.rs"))
    assert len(sources) > 5
    for path in [Path("Cargo.toml"), Path("rustfmt.toml"), *sources]:
        assert (tmp_path / "out/reedbackup-adapter" / path).read_bytes() == (
            library / path
        ).read_bytes()


def command(*arguments: str | Path) -> int:
    return reedbackup(["adapter", "rust", *map(str, arguments)])


def test_the_command_says_how_to_build_and_use_the_adapter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = crate(tmp_path / "crate", lib=FUNCTIONS)
    options = ("--crate", source, "--contract", "ticket", "--out", tmp_path / "out")
    assert command(*options) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Build it:  cargo build --release --manifest-path {tmp_path}/out/Cargo.toml",
        f"Use it:    pytest --reedbackup-impl={tmp_path}/out/target/release/my-crate-adapter",
    ]


def test_the_command_exits_2_where_an_option_must_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--crate", tmp_path, "--contract", "last", "--out", tmp_path / "out") == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("reedbackup: ")
    assert "--crate" in output.err


def test_generated_code_is_formatted(tmp_path: Path, tool: FindTool) -> None:
    rustfmt = tool("rustfmt")
    source = crate(tmp_path / "crate", lib=FUNCTIONS + "pub mod registry;", registry=REGISTRY)
    contracts: tuple[Literal["ticket"], Literal["last"]] = ("ticket", "last")
    for contract in contracts:
        generate(source, contract, tmp_path / contract)
        # `cargo fmt --check` in the project goes through the library too.
        for source_file in ("src/main.rs", "reedbackup-adapter/src/lib.rs"):
            file = tmp_path / contract / source_file
            check = [rustfmt, "--edition", "2021", "--check", str(file)]
            assert subprocess.run(check, capture_output=True, text=True).stdout == ""
