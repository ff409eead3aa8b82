//! `restore_point_in_time`: rolls each table back through its own version log.

use super::types::RestoreReport;
use crate::error::{ReedError, ReedResult};
use crate::tables::Table;
use std::fs;
use std::io;
use std::path::Path;

/// Rolls every table back to its newest version at or before `target_timestamp` (nanoseconds).
///
/// A table's error is reported and does not stop the others.
pub fn restore_point_in_time(base_path: &Path, target_timestamp: u64) -> ReedResult<RestoreReport> {
    let tables = fs::read_dir(base_path.join("tables")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ReedError::NoTablesFound,
        _ => ReedError::io("read_tables_dir")(error),
    })?;
    let mut report = RestoreReport {
        target_timestamp,
        tables_restored: Vec::new(),
        tables_skipped: Vec::new(),
        errors: Vec::new(),
    };
    for entry in tables {
        let entry = entry.map_err(ReedError::io("read_dir_entry"))?;
        if !entry.file_type().map_err(ReedError::io("stat_table"))?.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        match restore_table(&Table::new(base_path, &name), target_timestamp) {
            Ok(Some(version)) => report.tables_restored.push((name, version)),
            Ok(None) => report.tables_skipped.push(name),
            Err(error) => report.errors.push((name, error)),
        }
    }
    Ok(report)
}

fn restore_table(table: &Table, target: u64) -> ReedResult<Option<u64>> {
    if !table.exists() {
        return Err(ReedError::TableNotFound { name: table.name().to_owned() });
    }
    let versions = table.list_versions()?;
    let newest = versions.iter().map(|version| version.timestamp).filter(|ts| *ts <= target).max();
    if let Some(timestamp) = newest {
        table.rollback(timestamp, "system")?;
    }
    Ok(newest)
}
