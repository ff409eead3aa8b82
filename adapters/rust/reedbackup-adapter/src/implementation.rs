//! What an adapter's author writes: three calls, timed, under one contract.

use crate::failure::Failure;
use serde::Serialize;
use std::fmt::{Debug, Display};
use std::path::Path;
use std::time::{Duration, Instant};

/// One of the two contracts: its name and its types on the wire.
pub trait Contract {
    /// As it stands in requests.
    const NAME: &'static str;
    /// What `create_backup` returns and `list_backups` lists.
    type BackupInfo: Serialize;
    /// What `restore_point_in_time` returns.
    type RestoreReport: Serialize;
}

/// The three functions of a backup module under test.
pub trait Implementation {
    /// The contract that these calls keep.
    type Contract: Contract;

    /// Backs the database in `base` up.
    fn create_backup(&mut self, base: &Path) -> Timed<<Self::Contract as Contract>::BackupInfo>;

    /// The backups of `base`, in the order in which the implementation gives them.
    fn list_backups(&mut self, base: &Path)
        -> Timed<Vec<<Self::Contract as Contract>::BackupInfo>>;

    /// Restores `base` to `target`, in the contract's unit.
    fn restore_point_in_time(
        &mut self,
        base: &Path,
        target: u64,
    ) -> Timed<<Self::Contract as Contract>::RestoreReport>;
}

/// What a library call gave, and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed<T> {
    /// The value as the contract types it, or the implementation's error.
    pub outcome: Result<T, Failure>,
    /// The time of the library call alone, from a monotonic clock.
    pub elapsed: Duration,
}

/// Times `call`, the library call alone, then maps its value to the contract's type.
pub fn timed<T, U, E: Debug + Display>(
    call: impl FnOnce() -> Result<T, E>,
    map: impl FnOnce(T) -> U,
) -> Timed<U> {
    let start = Instant::now();
    let outcome = call();
    let elapsed = start.elapsed();
    Timed { outcome: outcome.map(map).map_err(|error| Failure::of(&error)), elapsed }
}
