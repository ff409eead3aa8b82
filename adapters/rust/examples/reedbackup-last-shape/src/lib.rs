//! A backup module with the public API and types of contract `last`.
//!
//! The adapter kit's proof for that contract: functions at the crate's root, process-wide
//! registry, errors that are not Serialize. Its behaviour is simple but real, and it has the
//! baseline's defects, but for the cost of D12 and the words of its xz decoder: not to be used on
//! data that matters.

mod backup;
mod error;
pub mod registry;
pub mod tables;

pub use backup::{create_backup, list_backups, restore_point_in_time, BackupInfo, RestoreReport};
pub use error::{ReedError, ReedResult};
