//! The types of contract `ticket`, as ticket 060-OPS-01 declares them.

use crate::implementation::Contract;
use serde::Serialize;

/// Contract `ticket`: timestamps and restore targets are Unix seconds.
pub struct Ticket;

impl Contract for Ticket {
    const NAME: &'static str = "ticket";
    type BackupInfo = BackupInfo;
    type RestoreReport = RestoreReport;
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupInfo {
    /// Unique among the base's backups; the archive's file name without `.tar.gz`.
    pub id: String,
    /// Unix seconds when the backup was created.
    pub timestamp: u64,
    /// Size of the archive file on disk, in bytes.
    pub size_bytes: u64,
    /// Folders directly under `tables/` in the archive.
    pub table_count: usize,
    /// `"gzip"`.
    pub compression: String,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestoreReport {
    /// Table folders in the restored backup.
    pub tables_restored: usize,
    /// Sum of the sizes of all restored files, in bytes.
    pub total_bytes: u64,
    /// Whole milliseconds that the restore took.
    pub duration_ms: u64,
}
