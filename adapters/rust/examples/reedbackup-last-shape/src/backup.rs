//! create, list and restore, as contract `last` has them.

mod create;
mod list;
mod restore;
mod types;

pub use create::create_backup;
pub use list::list_backups;
pub use restore::restore_point_in_time;
pub use types::{BackupInfo, RestoreReport};
