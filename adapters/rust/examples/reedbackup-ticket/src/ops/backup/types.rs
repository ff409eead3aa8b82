//! The two public types of ticket 060-OPS-01.

/// One backup, as `create_backup` returns it and `list_backups` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInfo {
    /// Unique among the base's backups; the archive's file name without `.tar.gz`.
    pub id: String,
    /// Unix seconds when the backup was created.
    pub timestamp: u64,
    /// Size of the archive file on disk, in bytes.
    pub size_bytes: u64,
    /// Folders directly under `tables/` in the archive.
    pub table_count: usize,
    /// Always `"gzip"`.
    pub compression: String,
}

/// What `restore_point_in_time` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreReport {
    /// Table folders in the restored backup.
    pub tables_restored: usize,
    /// Sum of the sizes of all files restored under `tables/` and `indices/`, in bytes.
    pub total_bytes: u64,
    /// Whole milliseconds that the restore took.
    pub duration_ms: u64,
}
