//! Tables: a current state, and versions as a chain of deltas.

mod delta;
mod version_log;

pub use version_log::Version;

use crate::error::{ReedError, ReedResult};
use crate::registry;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

const UPDATE: u8 = 2;

/// One table of a database.
#[derive(Debug, Clone)]
pub struct Table {
    name: String,
    folder: PathBuf,
}

impl Table {
    /// The table `name` of the database in `base`; nothing is read or made.
    pub fn new(base: &Path, name: &str) -> Self {
        Table { name: name.to_owned(), folder: base.join("tables").join(name) }
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the table has a current state.
    pub fn exists(&self) -> bool {
        self.folder.join("current.csv").exists()
    }

    /// The versions in the log's order, oldest first.
    pub fn list_versions(&self) -> ReedResult<Vec<Version>> {
        version_log::read(&self.folder.join("version.log"))
    }

    /// Writes the content of the version of `timestamp` as a new version by `user`.
    pub fn rollback(&self, timestamp: u64, user: &str) -> ReedResult<()> {
        let versions = self.list_versions()?;
        let index = versions.iter().position(|version| version.timestamp == timestamp);
        let index = index.ok_or(ReedError::VersionNotFound { timestamp })?;
        let content = self.rebuild(&versions[..=index])?;
        self.write(&content, user)
    }

    /// The first delta is the content itself; the others are applied in the log's order.
    fn rebuild(&self, versions: &[Version]) -> ReedResult<Vec<u8>> {
        let path = |version: &Version| self.folder.join(format!("{}.bsdiff", version.timestamp));
        let init = fs::read(path(&versions[0])).map_err(ReedError::io("copy_init_delta"))?;
        versions[1..].iter().try_fold(init, |old, version| {
            let path = path(version);
            let operation = format!("read_delta_file: {}", path.display());
            let packed = fs::read(path).map_err(ReedError::io(&operation))?;
            delta::apply(&old, &delta::decompress(&packed)?)
        })
    }

    fn write(&self, content: &[u8], user: &str) -> ReedResult<()> {
        let user = registry::user_code(user)?;
        let _lock = self.lock()?;
        let packed = delta::compress(&delta::replacing(content))?;
        let timestamp = self.next_timestamp()?;
        let file = self.folder.join(format!("{timestamp}.bsdiff"));
        fs::write(file, &packed).map_err(ReedError::io("write_delta"))?;
        let current = self.folder.join("current.csv");
        fs::write(current, content).map_err(ReedError::io("write_current"))?;
        let mut options = OpenOptions::new();
        let log = options.append(true).create(true).open(self.folder.join("version.log"));
        writeln!(
            log.map_err(ReedError::io("open_log"))?,
            "{timestamp}|{UPDATE}|{user}|{}",
            packed.len()
        )
        .map_err(ReedError::io("append_log"))
    }

    fn next_timestamp(&self) -> ReedResult<u64> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let newest = self.list_versions()?.iter().map(|version| version.timestamp).max();
        Ok(newest.map_or(now, |newest| now.max(newest.saturating_add(1))))
    }

    fn lock(&self) -> ReedResult<File> {
        let path = self.folder.join(".lock");
        let options = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = options.map_err(ReedError::io("open_lock"))?;
        for attempt in 1..=50 {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(2 * attempt)),
                Err(TryLockError::Error(error)) => return Err(ReedError::io("lock")(error)),
            }
        }
        Err(ReedError::LockTimeout { table: self.name.clone(), timeout_secs: 2 })
    }
}
