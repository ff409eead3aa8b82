//! `list_backups`: what is in `backups/` under a number.

use super::types::BackupInfo;
use crate::error::{ReedError, ReedResult};
use std::cmp::Reverse;
use std::fs;
use std::path::Path;

/// Everything in `backups/` whose name is a number and `.tar.gz`, the largest number first.
pub fn list_backups(base_path: &Path) -> ReedResult<Vec<BackupInfo>> {
    let backups = base_path.join("backups");
    if !backups.exists() {
        return Ok(Vec::new());
    }
    let mut list = Vec::new();
    for entry in fs::read_dir(&backups).map_err(ReedError::io("read_backup_dir"))? {
        let entry = entry.map_err(ReedError::io("read_dir_entry"))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".tar.gz")?.parse().ok());
        if let Some(timestamp) = number {
            let size = entry.metadata().map_err(ReedError::io("stat_backup"))?.len();
            list.push(BackupInfo::new(timestamp, entry.path(), size));
        }
    }
    list.sort_by_key(|info| Reverse(info.timestamp));
    Ok(list)
}
