//! One writer at a time: advisory locks (`flock`) on the base folder and on tables.

use crate::error::{During, ReedError, ReedResult};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than any backup or restore that this one may have to wait for is meant to take.
const BASE_PATIENCE: Duration = Duration::from_secs(30);
/// The database's own writers hold a table for milliseconds.
const TABLE_PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// Locks the whole base until the file is dropped. The lock is on the folder: no file is made.
pub fn base(base: &Path) -> ReedResult<File> {
    let folder = open_base(base).during("open_base", base)?;
    wait(&folder, &base.display().to_string(), base, BASE_PATIENCE)?;
    Ok(folder)
}

/// Locks the whole base if nobody else holds it.
pub fn base_if_free(base: &Path) -> io::Result<Option<File>> {
    let folder = open_base(base)?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks one table as the database's writers do, if it has a `.lock` file.
pub fn table(folder: &Path) -> ReedResult<Option<File>> {
    let path = folder.join(".lock");
    match path.symlink_metadata() {
        Ok(entry) if entry.is_file() => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).during("lock_table", &path);
        }
        _ => return Ok(None),
    }
    // What has become a link or a FIFO since is neither followed nor waited for.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(&path).during("lock_table", &path)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    wait(&file, &name, &path, TABLE_PATIENCE)?;
    Ok(Some(file))
}

fn open_base(base: &Path) -> io::Result<File> {
    let folder = File::open(base)?;
    match folder.metadata()?.is_dir() {
        true => Ok(folder),
        false => Err(io::Error::from_raw_os_error(libc::ENOTDIR)),
    }
}

fn wait(file: &File, name: &str, path: &Path, patience: Duration) -> ReedResult<()> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let timeout_secs = patience.as_secs();
                return Err(ReedError::LockTimeout { table: name.to_owned(), timeout_secs });
            }
            Err(TryLockError::Error(error)) => return Err(error).during("lock", path),
        }
    }
}
