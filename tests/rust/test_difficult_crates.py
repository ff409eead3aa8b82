"""Crates that make it hard for their adapter: noisy, crashing, oddly named, of odd signatures."""

from __future__ import annotations

from pathlib import Path

import pytest
from rust.adapters import Adapter, Build, Start, WriteCrate

pytestmark = pytest.mark.slow

NOISY = {
    "Cargo.toml": """
        [workspace]
        members = ["current"]
        [workspace.package]
        version = "0.2.1"
    """,
    "current/Cargo.toml": """
        [package]
        name = "noisy-port"
        version.workspace = true
        edition = "2024"
        [lib]
        name = "reedbase"
    """,
    "current/src/lib.rs": "mod error;\npub mod ops;\npub use error::{ReedError, ReedResult};\n",
    "current/src/error.rs": """
        use std::fmt;
        pub type ReedResult<T> = Result<T, ReedError>;
        #[derive(Debug, Clone)]
        pub enum ReedError { Wrapped(Box<ReedError>, Option<u8>), Inner { text: String } }
        impl fmt::Display for ReedError {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { f.write_str("odd") }
        }
    """,
    "current/src/ops/mod.rs": "pub mod backup;\n",
    "current/src/ops/backup.rs": r"""
        use crate::{ReedError, ReedResult};
        use std::io::{Read, Write};
        use std::path::Path;
        use std::process::Command;
        pub struct BackupInfo {
            pub id: String, pub timestamp: u64, pub size_bytes: u64, pub table_count: usize,
            pub compression: String,
        }
        pub struct RestoreReport {
            pub tables_restored: usize, pub total_bytes: u64, pub duration_ms: u64,
        }
        pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> {
            println!("{{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": null}}");
            print!("half a line");
            std::io::stdout().flush().unwrap();
            let mut eaten = String::new();
            std::io::stdin().read_to_string(&mut eaten).unwrap();
            let child = Command::new("sh").args(["-c", "echo noise; cat"]).status().unwrap();
            assert!(child.success() && eaten.is_empty());
            Ok(BackupInfo {
                id: base_path.display().to_string(), timestamp: u64::MAX, size_bytes: 1,
                table_count: usize::MAX, compression: String::new(),
            })
        }
        pub fn list_backups(_: impl AsRef<Path>) -> ReedResult<Vec<BackupInfo>> {
            let text = "a \"quote\", a } brace\n".to_string();
            Err(ReedError::Wrapped(Box::new(ReedError::Inner { text }), Some(255)))
        }
        pub fn restore_point_in_time(_: &Path, target: u64) -> ReedResult<RestoreReport> {
            match target {
                0 => panic!("the tree is on fire"),
                code => std::process::exit(code as i32),
            }
        }
    """,
}

ODD_SIGNATURES = {
    "Cargo.toml": '[package]\nname = "odd_last"\nedition = "2021"\n',
    "src/lib.rs": """
        pub mod registry;
        use std::path::{Path, PathBuf};
        #[derive(Debug)] pub struct Never;
        impl std::fmt::Display for Never {
            fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) }
        }
        pub struct BackupInfo {
            pub timestamp: u64, pub path: PathBuf, pub size_bytes: u64, pub size_mb: f64,
        }
        pub struct RestoreReport {
            pub target_timestamp: u64, pub tables_restored: Vec<(String, u64)>,
            pub tables_skipped: Vec<String>, pub errors: Vec<(String, Never)>,
        }
        pub fn create_backup(_: &Path) -> Result<BackupInfo, Never> { Err(Never) }
        pub fn list_backups<P: AsRef<Path>>(_: P) -> Result<Vec<BackupInfo>, Never> {
            Ok(Vec::new())
        }
        pub fn restore_point_in_time(_: &Path, t: u64) -> Result<RestoreReport, Never> {
            Ok(RestoreReport {
                target_timestamp: t, tables_restored: Vec::new(),
                tables_skipped: registry::calls(), errors: vec![("t".into(), Never)],
            })
        }
    """,
    "src/registry.rs": """
        use std::path::{Path, PathBuf};
        use std::sync::Mutex;
        static CALLS: Mutex<Vec<String>> = Mutex::new(Vec::new());
        pub fn calls() -> Vec<String> { CALLS.lock().unwrap().clone() }
        pub fn init_registry(base: PathBuf) -> bool {
            CALLS.lock().unwrap().push(format!("init {}", base.display()));
            false
        }
        pub fn set_base_path<P: AsRef<Path>>(base: P) -> Result<(), String> {
            CALLS.lock().unwrap().push(format!("set {}", base.as_ref().display()));
            Ok(())
        }
        pub fn reload_dictionaries() { CALLS.lock().unwrap().push("reload".into()) }
    """,
}


@pytest.fixture(scope="session")
def crates(request: pytest.FixtureRequest) -> WriteCrate:
    """Writes a crate to pytest's cache folder, where it stays at one path from run to run."""
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir("rust-crates")

    def write(name: str, files: dict[str, str]) -> Path:
        for path, text in files.items():
            file = folder / name / path
            if not file.is_file() or file.read_text() != text:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        return folder / name

    return write


@pytest.fixture
def noisy(crates: WriteCrate, build: Build, start: Start) -> Adapter:
    return start(build(crates("noisy", NOISY) / "current", "ticket", binary="noisy"))


def test_what_the_crate_and_its_children_print_stays_out_of_the_replies(noisy: Adapter) -> None:
    made = noisy.value("create_backup", contract="ticket", base_path="/a b")
    assert made == {
        "id": "/a b",
        "timestamp": 2**64 - 1,
        "size_bytes": 1,
        "table_count": 2**64 - 1,
        "compression": "",
    }
    assert noisy.call("hello", {"protocol": 1})["result"]["version"] == "0.2.1"
    status, log = noisy.close()
    assert status == 0
    assert log == '{"jsonrpc": "2.0", "id": 1, "result": null}\nhalf a linenoise\n'


def test_a_nested_error_is_read_from_its_debug_text(noisy: Adapter) -> None:
    error = noisy.error("list_backups", contract="ticket", base_path="/")
    inner = {"kind": "Inner", "fields": {"text": 'a "quote", a } brace\n'}}
    assert error["message"] == "odd"
    assert error["data"]["kind"] == "Wrapped"
    assert error["data"]["fields"] == {"0": inner, "1": 255}


@pytest.mark.parametrize(("target", "status", "words"), [(0, 101, "on fire"), (9, 9, "")])
def test_a_crash_is_a_crash_and_no_half_a_reply(
    noisy: Adapter, target: int, status: int, words: str
) -> None:
    params = {"contract": "ticket", "base_path": "/", "target_timestamp": target}
    with pytest.raises(EOFError):
        noisy.call("restore_point_in_time", params)
    assert noisy.process.wait(timeout=10) == status
    assert noisy.process.stderr is not None
    assert words in noisy.process.stderr.read().decode()


def test_registry_functions_of_other_signatures_are_called_too(
    crates: WriteCrate, build: Build, start: Start, base: Path, tmp_path: Path
) -> None:
    adapter = start(build(crates("odd", ODD_SIGNATURES), "last"))
    params = {"contract": "last", "base_path": base, "target_timestamp": 1}
    duty = [f"init {base}", f"set {base}", "reload"]
    adapter.value("list_backups", contract="last", base_path=tmp_path / "missing")
    for _ in range(2):
        report = adapter.value("restore_point_in_time", **params)
        assert report["tables_skipped"] == duty
        assert report["errors"] == [["t", {"kind": "Never"}]]
    status, log = adapter.close()
    assert (status, log) == (0, "reedbackup-adapter: init_registry: false\n")
