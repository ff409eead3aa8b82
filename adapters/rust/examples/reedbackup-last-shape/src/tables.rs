//! Tables: a current state, and versions as a chain of deltas.

mod delta;
mod version_log;

pub use version_log::Version;

use crate::error::{ReedError, ReedResult};
use crate::registry;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

const UPDATE: u8 = 2;
const TRIES: u32 = 50;
const EAGAIN: i32 = 11;

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
        let rebuilt = self.rebuild(&versions[..=index])?;
        let content = fs::read(&rebuilt).map_err(ReedError::io("read_rollback"))?;
        fs::remove_file(rebuilt).map_err(ReedError::io("remove_rollback"))?;
        self.write(&content, user)
    }

    /// The first delta is the content itself; the others are applied in the log's order.
    ///
    /// Each version is a temporary file, which an error leaves behind (defect D10).
    fn rebuild(&self, versions: &[Version]) -> ReedResult<PathBuf> {
        let path = |version: &Version| self.folder.join(format!("{}.bsdiff", version.timestamp));
        let mut before = self.folder.join("rollback.tmp");
        fs::copy(path(&versions[0]), &before).map_err(ReedError::io("copy_init_delta"))?;
        for (number, version) in (1..).zip(&versions[1..]) {
            let path = path(version);
            let operation = format!("read_delta_file: {}", path.display());
            let packed = fs::read(path).map_err(ReedError::io(&operation))?;
            let old = fs::read(&before).map_err(ReedError::io("read_rollback"))?;
            let new = delta::apply(&old, &delta::decompress(&packed)?)?;
            let after = self.folder.join(format!("rollback_{number}.tmp"));
            fs::write(&after, new).map_err(ReedError::io("write_rollback"))?;
            fs::remove_file(before).map_err(ReedError::io("remove_rollback"))?;
            before = after;
        }
        Ok(before)
    }

    /// In the baseline's order: the user's code comes when current.csv is overwritten (defect D15).
    fn write(&self, content: &[u8], user: &str) -> ReedResult<()> {
        let _lock = self.lock()?;
        let temporary = self.folder.join("current.new.tmp");
        fs::write(&temporary, content).map_err(ReedError::io("write_temp_new"))?;
        let current = self.folder.join("current.csv");
        let operation = format!("read_old_file: {}", current.display());
        fs::read(&current).map_err(ReedError::io(&operation))?;
        let packed = delta::compress(&delta::replacing(content))?;
        fs::remove_file(temporary).map_err(ReedError::io("remove_temp_new"))?;
        let timestamp = self.next_timestamp()?;
        let file = self.folder.join(format!("{timestamp}.bsdiff"));
        fs::write(file, &packed).map_err(ReedError::io("write_delta"))?;
        fs::write(current, content).map_err(ReedError::io("write_current"))?;
        let user = registry::user_code(user)?;
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
        let file = options.map_err(ReedError::io("create_lock_file"))?;
        for pause in (0..TRIES).map(|attempt| Duration::from_millis(100.min(5 << attempt.min(5)))) {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => sleep(pause),
                Err(TryLockError::Error(error)) => return Err(ReedError::io("lock")(error)),
            }
        }
        let busy = io::Error::from_raw_os_error(EAGAIN);
        Err(ReedError::IoError {
            operation: "acquire_write_lock".to_owned(),
            reason: format!("Failed to acquire lock after {TRIES} attempts: {busy}"),
        })
    }
}
