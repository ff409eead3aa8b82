//! The types of contract `last`, and what its adapters owe to process-wide caches.

use crate::failure::Failure;
use crate::implementation::Contract;
use serde::Serialize;
use std::fmt::Debug;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Contract `last`: backups in Unix seconds, restore targets in Unix nanoseconds.
pub struct Last;

impl Contract for Last {
    const NAME: &'static str = "last";
    type BackupInfo = BackupInfo;
    type RestoreReport = RestoreReport;
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BackupInfo {
    /// Unix seconds when the backup was created.
    pub timestamp: u64,
    /// The archive.
    pub path: PathBuf,
    /// Size of the archive file on disk, in bytes.
    pub size_bytes: u64,
    /// `size_bytes / 1048576`.
    pub size_mb: f64,
}

/// What a restore did, table by table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RestoreReport {
    /// The target of the call, in Unix nanoseconds.
    pub target_timestamp: u64,
    /// Each restored table with the timestamp of the version it was rolled back to.
    pub tables_restored: Vec<(String, u64)>,
    /// Tables without a version at or before the target.
    pub tables_skipped: Vec<String>,
    /// Each table that could not be restored, with its error.
    pub errors: Vec<(String, Failure)>,
}

/// Knows when a call goes to another database than the call before it.
///
/// The registry's caches of an implementation of `last` are process-wide, and the kit sends calls
/// on many databases to one process.
#[derive(Debug, Default)]
pub struct CurrentBase(Option<Identity>);

#[derive(Debug, PartialEq)]
struct Identity {
    path: PathBuf,
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl CurrentBase {
    /// Whether `base` is a database that the caches do not stand for yet.
    ///
    /// A folder that was replaced under the same path is another database. A base that does not
    /// exist, or holds neither `tables/` nor `registry/`, never is one: setting a registry up
    /// there would create it, and the call that follows is about its absence.
    pub fn is_another(&mut self, base: &Path) -> bool {
        if !base.join("tables").is_dir() && !base.join("registry").is_dir() {
            return false;
        }
        let identity = fs::metadata(base).ok().map(|folder| Identity {
            path: base.to_path_buf(),
            device: folder.dev(),
            inode: folder.ino(),
            changed: (folder.ctime(), folder.ctime_nsec()),
        });
        let another = identity != self.0;
        self.0 = identity;
        another
    }
}

/// Logs the outcome of `call` on stderr unless it is a success.
///
/// A registry that cannot be set up is no reason to leave out the call under test, whose outcome
/// is what the contract is about. Takes `()` and any `Result`, whichever the function returns.
pub fn log_unless_ok(call: &str, outcome: impl Debug) {
    let text = format!("{outcome:?}");
    if text != "()" && !text.starts_with("Ok(") {
        eprintln!("reedbackup-adapter: {call}: {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::CurrentBase;
    use std::fs;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let base = std::env::temp_dir().join(format!("reedbackup-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        base
    }

    #[test]
    fn a_database_is_another_once() {
        let base = scratch("once");
        fs::create_dir_all(base.join("tables")).unwrap();
        let mut current = CurrentBase::default();
        assert!(current.is_another(&base));
        assert!(!current.is_another(&base));
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn a_folder_replaced_under_the_same_path_is_another() {
        let base = scratch("replaced");
        fs::create_dir_all(base.join("registry")).unwrap();
        let mut current = CurrentBase::default();
        assert!(current.is_another(&base));
        fs::remove_dir_all(&base).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::create_dir_all(base.join("registry")).unwrap();
        assert!(current.is_another(&base));
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn what_is_no_database_is_never_another_and_is_not_created() {
        let base = scratch("missing");
        let mut current = CurrentBase::default();
        assert!(!current.is_another(&base));
        assert!(!base.exists());
        fs::create_dir(&base).unwrap();
        assert!(!current.is_another(&base));
        fs::remove_dir(&base).unwrap();
    }
}
