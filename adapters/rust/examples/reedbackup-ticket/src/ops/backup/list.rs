//! `list_backups`: the archives in `backups/`, newest first.

use super::archive_name::{self, Id};
use super::types::BackupInfo;
use super::{swap, unpack};
use crate::error::{During, ReedResult};
use std::fs::File;
use std::io;
use std::path::Path;

/// The backups of `base_path`, newest first, and of one second the one made last first.
///
/// No base, or no `backups/` in it: an empty list. A file under an archive's name that cannot be
/// a backup is left out. Nothing on disk changes, but that an interrupted restore is finished.
pub fn list_backups(base_path: &Path) -> ReedResult<Vec<BackupInfo>> {
    swap::recover_if_possible(base_path)?;
    let backups = base_path.join("backups");
    let ids = archive_name::newest_first(&backups).during("read_backup_dir", &backups)?;
    let mut list = Vec::with_capacity(ids.len());
    for id in ids {
        list.extend(read(&backups, id)?);
    }
    Ok(list)
}

/// The backup behind an archive's name, or None where the file cannot be one.
pub fn read(backups: &Path, id: Id) -> ReedResult<Option<BackupInfo>> {
    let archive = backups.join(id.file_name());
    let file = match File::open(&archive) {
        // Pruned by another process since the folder was read, or not ours to read.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(None)
        }
        file => file.during("open_backup", &archive)?,
    };
    let size_bytes = file.metadata().during("stat_backup", &archive)?.len();
    let table_count = unpack::table_count(file, &id.file_name())?;
    Ok(table_count.map(|table_count| info(id, size_bytes, table_count)))
}

/// A backup's description.
pub fn info(id: Id, size_bytes: u64, table_count: usize) -> BackupInfo {
    BackupInfo {
        id: id.to_string(),
        timestamp: id.timestamp,
        size_bytes,
        table_count,
        compression: "gzip".to_owned(),
    }
}
