use std::path::Path;

use serde_json::{json, Value};

use crate::Refused;

fn to_be_written(operation: &str) -> Refused {
    let message = format!("{operation} is to be written");
    Refused { kind: "ToBeWritten", message, fields: json!({"operation": operation}) }
}

/// Returns `id`, `timestamp`, `size_bytes`, `table_count` and `compression` ("gzip").
pub fn create_backup(_base: &Path) -> Result<Value, Refused> {
    Err(to_be_written("create_backup"))
}

/// Returns an array of what `create_backup` returns, newest first.
pub fn list_backups(_base: &Path) -> Result<Value, Refused> {
    Err(to_be_written("list_backups"))
}

/// Returns `tables_restored`, `total_bytes` and `duration_ms`. The target is in Unix seconds.
pub fn restore_point_in_time(_base: &Path, _target: u64) -> Result<Value, Refused> {
    Err(to_be_written("restore_point_in_time"))
}
