//! Makes what was written survive a power failure, and asks whether more fits.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Waits until a folder's entries are on disk, where the file system has such a wait (CIFS has none).
pub fn folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Waits until everything under `root` is on disk.
///
/// From many files on, Linux flushes the whole file system once: for 10,000 small files an fsync
/// of each takes 2.4 s, one syncfs 0.1 s (measured, design notes).
pub fn tree(root: &Path, files: usize) -> io::Result<()> {
    const MANY: usize = 64;
    if cfg!(target_os = "linux") && files > MANY {
        return file_system(root);
    }
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => tree(&entry.path(), 0)?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    folder(root)
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn file_system(root: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let folder = File::open(root)?;
    // SAFETY: the descriptor is open for the length of the call.
    match unsafe { libc::syncfs(folder.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn file_system(root: &Path) -> io::Result<()> {
    tree(root, 0)
}

/// Bytes that may still be written to the file system of `path`.
#[allow(unsafe_code)]
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name ends in NUL and `stat` has room for the answer, which is read after success.
    let stat = match unsafe { libc::statvfs(name.as_ptr(), stat.as_mut_ptr()) } {
        0 => unsafe { stat.assume_init() },
        _ => return Err(io::Error::last_os_error()),
    };
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    Ok((stat.f_bavail as u64).saturating_mul(stat.f_frsize as u64))
}
