//! The variants of `ReedError` that this crate raises.

use std::fmt;
use std::io;

/// What every function returns.
pub type ReedResult<T> = Result<T, ReedError>;

/// Why a call, or one table's part of a restore, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ReedError {
    IoError { operation: String, reason: String },
    CommandFailed { command: String, error: String },
    NoTablesFound,
    TableNotFound { name: String },
    VersionNotFound { timestamp: u64 },
    LogCorrupted { reason: String },
    DecompressionFailed { reason: String },
    DeltaApplicationFailed { reason: String },
    DeltaGenerationFailed { reason: String },
}

impl ReedError {
    /// Names the operation of an I/O error.
    pub(crate) fn io(operation: &str) -> impl FnOnce(io::Error) -> ReedError + '_ {
        move |error| ReedError::IoError {
            operation: operation.to_owned(),
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for ReedError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::IoError { operation, reason } => {
                write!(f, "I/O error during '{operation}': {reason}")
            }
            Self::CommandFailed { command, error } => {
                write!(f, "Command '{command}' failed: {error}")
            }
            Self::NoTablesFound => f.write_str("No tables found"),
            Self::TableNotFound { name } => write!(f, "Table '{name}' not found"),
            Self::VersionNotFound { timestamp } => write!(f, "Version {timestamp} not found"),
            Self::LogCorrupted { reason } => write!(f, "Version log corrupted: {reason}"),
            Self::DecompressionFailed { reason } => write!(f, "Decompression failed: {reason}"),
            Self::DeltaApplicationFailed { reason } => {
                write!(f, "Delta application failed: {reason}")
            }
            Self::DeltaGenerationFailed { reason } => {
                write!(f, "Delta generation failed: {reason}")
            }
        }
    }
}

impl std::error::Error for ReedError {}
