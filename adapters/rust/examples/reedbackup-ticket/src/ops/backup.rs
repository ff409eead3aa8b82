//! Backups of a whole database: `tables/` and `indices/` in one archive a backup.
//!
//! One writer at a time works on a base, under a lock on the base folder itself. A restore that
//! was interrupted after its decision is finished by the next call; one that was interrupted
//! before it leaves the old tree (see `swap`).

mod archive_name;
mod create;
mod list;
mod lock;
mod pack;
mod restore;
mod seal;
mod swap;
mod sync;
mod types;
mod unpack;

pub use create::create_backup;
pub use list::list_backups;
pub use restore::restore_point_in_time;
pub use types::{BackupInfo, RestoreReport};
