//! The errors of the backup module.

use std::fmt;
use std::io;

/// What every function of the module returns.
pub type ReedResult<T> = Result<T, ReedError>;

/// Why a call failed. Nothing that it was to change has changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReedError {
    /// The operating system refused `operation`.
    IoError {
        /// What was tried, such as `open_base`.
        operation: String,
        /// The path and what the system said.
        reason: String,
    },
    /// The base has no `tables/` folder, so it is not a database.
    NoTablesFound,
    /// Another process held the lock of `table`, or of the whole base, for too long.
    LockTimeout {
        /// The table's name, or the base's path.
        table: String,
        /// How long this process waited, in seconds.
        timeout_secs: u64,
    },
    /// No backup at or before `target`.
    BackupNotFound {
        /// What was asked for, in Unix seconds.
        target: u64,
        /// The oldest backup's timestamp in Unix seconds, if there is any backup.
        oldest: Option<u64>,
    },
    /// The archive is damaged; it was not restored.
    BackupCorrupted {
        /// The archive's file name in `backups/`.
        archive: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of the source or of an archive that must be neither archived nor restored.
    BackupUnsafe {
        /// The entry's path relative to the base.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for ReedError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::IoError { operation, reason } => {
                write!(f, "I/O error during '{operation}': {reason}")
            }
            Self::NoTablesFound => f.write_str("No tables found"),
            Self::LockTimeout { table, timeout_secs } => {
                write!(f, "Lock on '{table}' not free after {timeout_secs} s; try again later")
            }
            Self::BackupNotFound { target, oldest: None } => {
                write!(f, "No backup at or before {target}: there are no backups")
            }
            Self::BackupNotFound { target, oldest: Some(oldest) } => {
                write!(f, "No backup at or before {target}: the oldest is of {oldest}")
            }
            Self::BackupCorrupted { archive, reason } => {
                write!(f, "Backup '{archive}' is corrupted: {reason}")
            }
            Self::BackupUnsafe { path, reason } => write!(f, "Unsafe entry '{path}': {reason}"),
        }
    }
}

impl std::error::Error for ReedError {}

/// Names the operation, and the path it was about, of an I/O error.
pub(crate) trait During<T> {
    fn during(self, operation: &str, path: &std::path::Path) -> ReedResult<T>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, operation: &str, path: &std::path::Path) -> ReedResult<T> {
        self.map_err(|error| ReedError::IoError {
            operation: operation.to_owned(),
            reason: format!("{}: {error}", path.display()),
        })
    }
}
