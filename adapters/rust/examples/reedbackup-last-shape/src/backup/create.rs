//! `create_backup`: runs tar on the whole base folder.

use super::types::BackupInfo;
use crate::error::{ReedError, ReedResult};
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Archives the whole base, `backups/` included, to `backups/{unix seconds}.tar.gz`.
pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> {
    let backups = base_path.join("backups");
    fs::create_dir_all(&backups).map_err(ReedError::io("create_backup_dir"))?;
    let (parent, name) = base_path
        .parent()
        .zip(base_path.file_name())
        .ok_or_else(|| ReedError::io("get_basename")(io::Error::other("Invalid base path")))?;

    let timestamp = seconds_now();
    let path = backups.join(format!("{timestamp}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.arg("czf").arg(&path).arg("-C").arg(parent).arg(name);
    let failed = |error: String| ReedError::CommandFailed { command: "tar".to_owned(), error };
    let output = tar.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let size = fs::metadata(&path).map_err(ReedError::io("stat_backup"))?.len();
    Ok(BackupInfo::new(timestamp, path, size))
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
