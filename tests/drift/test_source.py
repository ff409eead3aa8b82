"""What is stated of source code, against a small crate of our own with seeded deviations."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.contracts import source as stated
from pytest_reedbackup.drift.source import UnusableSource, read_source
from pytest_reedbackup.drift.statements import source_drift
from pytest_reedbackup.model.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]
TICKET = Path(os.environ.get("REEDBACKUP_SHARED", ROOT.parent / "shared")) / "ticket-060-OPS-01.txt"

TYPES = """\
/// One backup.
#[derive(Debug, Clone)]
pub struct BackupInfo {
    /// Unique.
    pub id: String,
    pub timestamp: u64,
    pub size_bytes: u64,
    pub table_count: usize,
    pub compression: String,
}

pub struct RestoreReport {
    pub tables_restored: usize,
    pub total_bytes: u64,
    pub duration_ms: u64,
}
"""
CREATE = """\
use flate2::write::GzEncoder;

pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> {
    let mut tar = tar::Builder::new(GzEncoder::new(file(base_path)?, Default::default()));
    tar.append_dir_all("tables", base_path.join("tables")).map_err(failed)?;
    named(base_path)
}

fn named(base_path: &Path) -> ReedResult<BackupInfo> {
    todo(base_path)
}
"""
LIST = """\
pub fn list_backups(base_path: &Path) -> ReedResult<Vec<BackupInfo>> {
    todo(base_path)
}
"""
RESTORE = """\
pub fn restore_point_in_time(base_path: &Path, target_timestamp: u64) -> ReedResult<RestoreReport> {
    todo(base_path, target_timestamp)
}
"""
MOD = "mod create;\n"
TESTS = "".join(f"#[test]\nfn {name}() {{}}\n" for name in stated.TESTS)

CRATE = {
    "types.rs": TYPES,
    "create.rs": CREATE,
    "list.rs": LIST,
    "restore.rs": RESTORE,
    "mod.rs": MOD,
    "tests.rs": TESTS,
}

Files = dict[str, str]


def written(folder: Path, files: Files) -> Path:
    """The files, each filled with comment lines up to the stated number of lines."""
    for name, text in files.items():
        missing = stated.LINES.get(name, 0) - text.count("\n")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("//\n" * missing + text)
    return folder


def differing(folder: Path) -> dict[str, str]:
    rows = source_drift(str(folder), read_source(folder)).rows
    assert len(rows) == 14
    return {row.subject: row.found for row in rows if row.outcome is not Outcome.PASS}


def replaced(name: str, old: str, new: str) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        assert old in files[name]
        return {**files, name: files[name].replace(old, new)}

    return change


def moved(files: Files) -> Files:
    function = CREATE[: CREATE.index("fn named")].partition("\n\n")[2]
    return {
        **files,
        "create.rs": CREATE.replace(function, ""),
        "mod.rs": "use tar; mod create;\n",
        "list.rs": function + LIST,
    }


DEVIATIONS: dict[str, tuple[Callable[[Files], Files], dict[str, str]]] = {
    "a-line-more": (
        lambda files: {**files, "types.rs": "//\n" * (67 - TYPES.count("\n")) + TYPES},
        {"types.rs": "67 lines"},
    ),
    "a-file-less": (
        lambda files: {name: text for name, text in files.items() if name != "mod.rs"},
        {"mod.rs": "no such file"},
    ),
    "a-field-less": (
        replaced("types.rs", "    pub compression: String,\n", ""),
        {"BackupInfo": "missing: compression: String"},
    ),
    "a-field-more": (
        replaced("types.rs", "pub id: String,", "pub id: String, pub path: PathBuf,"),
        {"BackupInfo": "id: String, path: PathBuf, timestamp: u64"},
    ),
    "a-field-of-another-type": (
        replaced("types.rs", "total_bytes: u64", "total_bytes: u32"),
        {"RestoreReport": "missing: total_bytes: u64"},
    ),
    "a-private-field": (
        replaced("types.rs", "pub duration_ms", "duration_ms"),
        {"RestoreReport": "duration_ms: u64 (not public)"},
    ),
    "a-type-more": (
        replaced("types.rs", "pub struct BackupInfo", "pub struct Id(u64);\npub struct BackupInfo"),
        {"public types": "3: Id, BackupInfo, RestoreReport"},
    ),
    "a-private-type": (
        replaced("types.rs", "pub struct RestoreReport", "pub(crate) struct RestoreReport"),
        {"public types": "1: BackupInfo", "RestoreReport": "no such `pub struct`"},
    ),
    "another-parameter-type": (
        replaced("restore.rs", "target_timestamp: u64", "target_timestamp: i64"),
        {"restore_point_in_time": "(base_path: &Path, target_timestamp: i64)"},
    ),
    "another-result": (
        replaced("list.rs", "ReedResult<Vec<BackupInfo>>", "Vec<BackupInfo>"),
        {"list_backups": "(base_path: &Path) -> Vec<BackupInfo>"},
    ),
    "an-async-function": (
        replaced("list.rs", "pub fn", "pub async fn"),
        {"list_backups": "in list.rs: async (base_path: &Path)"},
    ),
    "a-private-function": (
        replaced("list.rs", "pub fn", "fn"),
        {
            "public functions": "2: create_backup, restore_point_in_time",
            "list_backups": "no such `pub fn`",
        },
    ),
    "a-function-more": (
        replaced("create.rs", "fn named", "pub fn named"),
        {"public functions": "4: create_backup, named, list_backups, restore_point_in_time"},
    ),
    "a-function-moved": (moved, {"create_backup": "in list.rs: (base_path: &Path)"}),
    "tests-of-other-names": (
        replaced("tests.rs", "fn test_backup_", "fn backup_"),
        {"tests": "missing: test_backup_compression, test_backup_cleanup_old\nothers: backup_"},
    ),
    "a-test-that-is-none": (
        replaced("tests.rs", "#[test]\nfn test_create_backup", "fn test_create_backup"),
        {"tests": "5 tests, 5 of the 6 stated\nmissing: test_create_backup"},
    ),
    "a-command-instead-of-a-crate": (
        replaced("create.rs", "tar::Builder::new(", 'Command::new("tar").args('),
        {"crates": "flate2; runs the command tar"},
    ),
    "a-crate-that-only-tests-use": (
        lambda files: {
            **files,
            "create.rs": CREATE.replace("use flate2::write::GzEncoder;\n", ""),
            "tests.rs": f"use flate2::read::GzDecoder;\n{TESTS}",
        },
        {"crates": "tar"},
    ),
    "what-cannot-be-parsed": (
        lambda files: {**files, "mod.rs": "pub struct {{{\n" + "//\n" * 19 + "\n"},
        {"mod.rs": "21 lines; not all of it could be parsed"},
    ),
}


def test_a_crate_as_the_ticket_states_has_no_drift(tmp_path: Path) -> None:
    assert differing(written(tmp_path, CRATE)) == {}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_each_seeded_deviation_is_found_and_nothing_else(name: str, tmp_path: Path) -> None:
    change, expected = DEVIATIONS[name]
    found = differing(written(tmp_path, change(dict(CRATE))))
    assert found.keys() == expected.keys()
    for subject, evidence in expected.items():
        assert evidence in found[subject]


def test_a_line_without_its_end_is_none_as_for_wc(tmp_path: Path) -> None:
    folder = written(tmp_path, CRATE)
    (folder / "list.rs").write_text((folder / "list.rs").read_text().rstrip("\n"))
    assert differing(folder) == {"list.rs": "90 lines"}


NO_DIFFERENCE: dict[str, Callable[[Files], Files]] = {
    "paths-written-out": replaced("list.rs", "&Path", "&std::path::Path"),
    "results-path": replaced("list.rs", "-> ReedResult", "-> crate :: error::ReedResult"),
    "mut": replaced("list.rs", "base_path: &Path)", "mut base_path: &Path)"),
    "a-signature-in-lines": replaced(
        "restore.rs",
        "(base_path: &Path, target_timestamp: u64)",
        "(\n    base_path: &Path,\n    target_timestamp: u64,\n)",
    ),
    "comments-in-a-signature": replaced(
        "restore.rs",
        "(base_path: &Path, target_timestamp: u64)",
        "(\n    base_path: &Path, // base\n    /* Unix\n seconds */ target_timestamp: u64,\n)",
    ),
    "fields-in-another-order": replaced(
        "types.rs",
        "pub timestamp: u64,\n    pub size_bytes: u64,",
        "pub size_bytes: u64,\n    pub timestamp: u64,",
    ),
    "attributes-on-fields": replaced("types.rs", "pub id", "#[serde(default)]\n    pub id"),
    "methods": replaced(
        "types.rs",
        "pub struct Rest",
        "impl BackupInfo {\n    pub fn a(&self) {}\n}\npub struct Rest",
    ),
    "functions-for-the-crate": replaced("create.rs", "fn named", "pub(crate) fn named"),
    "functions-for-tests": replaced(
        "create.rs", "fn named", "#[cfg(test)]\npub fn helper() {}\nfn named"
    ),
    "inline-tests": lambda files: {
        **{name: text for name, text in files.items() if name != "tests.rs"},
        "list.rs": f"{LIST}#[cfg(test)]\nmod tests {{\n    use super::*;\n{TESTS}}}\n",
    },
    "other-test-attributes": replaced("tests.rs", "#[test]", '#[tokio::test(flavor = "x")]\nasync'),
    "another-file": lambda files: {
        **files,
        "inner/more.rs": "pub struct More;\npub fn more() {}\n",
    },
    "a-command-of-tests": replaced("tests.rs", "{}", '{ Command::new("tar"); }'),
    "a-long-chain": replaced("list.rs", "todo(base_path)", "todo(base_path)" + ".a()" * 3000),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow if n == "a-long-chain" else ()) for n in NO_DIFFERENCE],
)
def test_what_makes_no_difference_is_no_drift(name: str, tmp_path: Path) -> None:
    assert differing(written(tmp_path, NO_DIFFERENCE[name](dict(CRATE)))) == {}


def test_the_baselines_shape_drifts_as_the_baseline_does() -> None:
    crate = ROOT / "adapters" / "rust" / "examples" / "reedbackup-last-shape" / "src" / "backup"
    found = differing(crate)
    for name, fields in stated.BASELINE_STRUCTS.items():
        assert found[name].startswith(", ".join(fields))
    assert found["crates"] == "neither flate2 nor tar; runs the command tar"
    assert not found.keys() & {*stated.FUNCTIONS, "public types", "public functions"}


def test_a_folder_without_the_modules_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src" / "backup").mkdir(parents=True)
    (tmp_path / "src" / "backup" / "types.rs").write_text(TYPES)
    with pytest.raises(UnusableSource, match="as in last/src/backup"):
        read_source(tmp_path)
    with pytest.raises(UnusableSource, match="is no folder"):
        read_source(tmp_path / "src" / "backup" / "types.rs")


@pytest.mark.skipif(not TICKET.is_file(), reason=f"the ticket is not at {TICKET}")
def test_what_is_stated_is_in_the_ticket() -> None:
    ticket = TICKET.read_text("utf-8", "replace")
    lines = re.findall(r"^last/src/backup/(\w+\.rs)\s+(\d+) lines", ticket, re.MULTILINE)
    assert {name: int(count) for name, count in lines} == stated.LINES
    structs = re.findall(r"^pub struct (\w+) \{(.*?)\}", ticket, re.MULTILINE | re.DOTALL)
    assert {
        name: tuple(re.findall(r"pub (\w+: \w+)", body)) for name, body in structs
    } == stated.STRUCTS
    signatures = dict(re.findall(r"^pub fn (\w+)(.*)$", ticket, re.MULTILINE))
    assert signatures == {name: signature for name, (_, signature) in stated.FUNCTIONS.items()}
    assert tuple(re.findall(r"^#\[test\]\nfn (\w+)", ticket, re.MULTILINE)) == stated.TESTS
