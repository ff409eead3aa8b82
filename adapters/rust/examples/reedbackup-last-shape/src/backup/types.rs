//! The two public types of contract `last`.

use crate::error::ReedError;
use std::path::PathBuf;

/// One backup.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupInfo {
    /// Unix seconds when the backup was created.
    pub timestamp: u64,
    /// The archive.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// Its size, in units of 1048576 bytes.
    pub size_mb: f64,
}

impl BackupInfo {
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn new(timestamp: u64, path: PathBuf, size_bytes: u64) -> Self {
        BackupInfo { timestamp, path, size_bytes, size_mb: size_bytes as f64 / 1_048_576.0 }
    }
}

/// What a restore did, table by table.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreReport {
    /// The target, in Unix nanoseconds.
    pub target_timestamp: u64,
    /// Each restored table with the timestamp of the version it was rolled back to.
    pub tables_restored: Vec<(String, u64)>,
    /// Tables without a version at or before the target.
    pub tables_skipped: Vec<String>,
    /// Each table that could not be restored.
    pub errors: Vec<(String, ReedError)>,
}

impl RestoreReport {
    /// Whether no table failed.
    pub fn is_success(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether some tables failed and some were restored.
    pub fn is_partial(&self) -> bool {
        !self.errors.is_empty() && !self.tables_restored.is_empty()
    }

    /// Whether tables failed and none was restored.
    pub fn is_failure(&self) -> bool {
        !self.errors.is_empty() && self.tables_restored.is_empty()
    }
}
