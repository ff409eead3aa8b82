"""What ticket 060-OPS-01 states of the backup module's source code, and what the baseline has.

The baseline's column is BASELINE.md, "API", which compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

LINES: Mapping[str, int] = {
    "types.rs": 66,
    "create.rs": 102,
    "list.rs": 91,
    "restore.rs": 126,
    "mod.rs": 20,
}
"""Lines by file, as `wc -l` counts them ("Files in this ticket"). The baseline has the same."""

STRUCTS: Mapping[str, tuple[str, ...]] = {
    "BackupInfo": (
        "id: String",
        "timestamp: u64",
        "size_bytes: u64",
        "table_count: usize",
        "compression: String",
    ),
    "RestoreReport": ("tables_restored: usize", "total_bytes: u64", "duration_ms: u64"),
}
"""Public types in types.rs with their public fields ("Public Types", 2 structs)."""

BASELINE_STRUCTS: Mapping[str, tuple[str, ...]] = {
    "BackupInfo": ("timestamp: u64", "path: PathBuf", "size_bytes: u64", "size_mb: f64"),
    "RestoreReport": (
        "target_timestamp: u64",
        "tables_restored: Vec<(String, u64)>",
        "tables_skipped: Vec<String>",
        "errors: Vec<(String, ReedError)>",
    ),
}
"""The same two types in the baseline."""

FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "create_backup": ("create.rs", "(base_path: &Path) -> ReedResult<BackupInfo>"),
    "list_backups": ("list.rs", "(base_path: &Path) -> ReedResult<Vec<BackupInfo>>"),
    "restore_point_in_time": (
        "restore.rs",
        "(base_path: &Path, target_timestamp: u64) -> ReedResult<RestoreReport>",
    ),
}
"""Public functions, each with its file and signature ("Public Functions", 3 in all)."""

BASELINE_FUNCTIONS: Mapping[str, str] = {
    "create_backup": "has it, for its own BackupInfo",
    "list_backups": "has it, for its own BackupInfo",
    "restore_point_in_time": "has it; the target is in nanoseconds",
}
"""The same three functions in the baseline."""

TESTS = (
    "test_create_backup",
    "test_list_backups",
    "test_restore_point_in_time",
    "test_backup_compression",
    "test_backup_cleanup_old",
    "test_restore_missing_backup",
)
"""The tests ("Step 5: Create test file"). The baseline has 15, under other names."""

BASELINE_TESTS = 15

CRATES = ("flate2", "tar")
"""External crates that the module uses ("Dependencies"). The baseline runs the command tar."""
