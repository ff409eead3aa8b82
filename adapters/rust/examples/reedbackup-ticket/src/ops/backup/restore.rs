//! `restore_point_in_time`: makes `tables/` and `indices/` what they were at a backup.

use super::types::RestoreReport;
use super::{archive_name, lock, swap, sync, unpack};
use crate::error::{During, ReedError, ReedResult};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

/// Restores the newest backup at or before `target_timestamp` (Unix seconds).
///
/// The whole archive is checked and extracted beside the live tree before that is touched.
/// `BackupNotFound` where no backup is old enough, `BackupCorrupted` where the one to take is
/// damaged (no older one is taken instead), `BackupUnsafe` where it holds what no backup may.
pub fn restore_point_in_time(base_path: &Path, target_timestamp: u64) -> ReedResult<RestoreReport> {
    let start = Instant::now();
    let _lock = match lock::base(base_path) {
        Err(error) => return Err(unless_missing(base_path, target_timestamp, error)),
        locked => locked?,
    };
    swap::recover(base_path)?;

    let backups = base_path.join("backups");
    let ids = archive_name::newest_first(&backups).during("read_backup_dir", &backups)?;
    let Some(id) = ids.iter().find(|id| id.timestamp <= target_timestamp) else {
        let oldest = ids.last().map(|id| id.timestamp);
        return Err(ReedError::BackupNotFound { target: target_timestamp, oldest });
    };
    let name = id.file_name();
    let archive = backups.join(&name);
    let file = File::open(&archive).during("open_backup", &archive)?;

    let staging = swap::Staging::new(base_path)?;
    let contents = unpack::unpack(file, &name, staging.tree())?;
    let tree = staging.tree();
    sync::tree(tree, contents.files).during("sync_restored", tree)?;
    staging.swap_in(contents.has_indices)?;
    Ok(RestoreReport {
        tables_restored: contents.tables.len(),
        total_bytes: contents.total_bytes,
        duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// A base that does not exist has no backups.
fn unless_missing(base: &Path, target: u64, error: ReedError) -> ReedError {
    match base.symlink_metadata() {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            ReedError::BackupNotFound { target, oldest: None }
        }
        _ => error,
    }
}
