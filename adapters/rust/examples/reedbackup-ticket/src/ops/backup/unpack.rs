//! Reads an archive, trusting nothing in it, and extracts it to a fresh folder.

mod extract;
mod stream;

use super::seal;
use crate::error::{ReedError, ReedResult};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use stream::Stream;

/// What an archive held.
#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    /// Folders directly under `tables/`.
    pub tables: BTreeSet<PathBuf>,
    /// Whether there is an `indices/`.
    pub has_indices: bool,
    /// How many files there are under `tables/` and `indices/`.
    pub files: usize,
    /// The sum of their sizes, in bytes.
    pub total_bytes: u64,
}

/// Why an archive is refused.
#[derive(Debug)]
enum Refusal {
    /// Damaged: not what was once written.
    Corrupted(String),
    /// Whole, but with a member that must not be restored.
    Unsafe { path: String, reason: String },
    /// The file system failed.
    Io { operation: &'static str, reason: String },
}

impl Refusal {
    fn into_error(self, archive: &str) -> ReedError {
        match self {
            Self::Corrupted(reason) => {
                ReedError::BackupCorrupted { archive: archive.to_owned(), reason }
            }
            Self::Unsafe { path, reason } => ReedError::BackupUnsafe { path, reason },
            Self::Io { operation, reason } => {
                ReedError::IoError { operation: operation.to_owned(), reason }
            }
        }
    }

    /// An error of reading the archive: a failing disk is not a damaged archive.
    fn reading(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Self::Io { operation: "read_backup", reason: error.to_string() },
            None => Self::Corrupted(error.to_string()),
        }
    }

    fn writing(path: &Path, error: &io::Error) -> Self {
        Self::Io { operation: "write_restored", reason: format!("{}: {error}", path.display()) }
    }
}

/// Extracts `tables/` and `indices/` of the archive into `folder`, which is new and empty.
///
/// Returns only when every byte has been checked against gzip's CRC. After an error `folder` may
/// hold a part, which is not to be used.
pub fn unpack(file: File, archive: &str, folder: &Path) -> ReedResult<Contents> {
    extract_checked(file, folder).map_err(|refusal| refusal.into_error(archive))
}

fn extract_checked(file: File, folder: &Path) -> Result<Contents, Refusal> {
    if !seal::is_intact(&file).map_err(|error| Refusal::reading(&error))? {
        return Err(Refusal::Corrupted("it is not as it was when it was written".to_owned()));
    }
    let mut stream = Stream::new(file)?;
    match extract::extract(&mut stream, folder) {
        Ok(contents) => stream.finish().map(|()| contents),
        // A flipped byte can make any member look hostile: damage is the better explanation.
        Err(hostile @ Refusal::Unsafe { .. }) => Err(stream.finish().err().unwrap_or(hostile)),
        Err(refusal) => Err(refusal),
    }
}

/// The number of table folders in the archive, or None where it cannot be a complete backup.
///
/// Of this module's own archives only the head is read.
pub fn table_count(file: File, archive: &str) -> ReedResult<Option<usize>> {
    match count_tables(file) {
        Ok(count) => Ok(Some(count)),
        Err(io @ Refusal::Io { .. }) => Err(io.into_error(archive)),
        Err(Refusal::Corrupted(_) | Refusal::Unsafe { .. }) => Ok(None),
    }
}

fn count_tables(file: File) -> Result<usize, Refusal> {
    let sealed = seal::table_count(&file).map_err(|error| Refusal::reading(&error))?;
    let mut tables = BTreeSet::new();
    let mut has_tables = false;
    Stream::new(file)?.for_each(|member, path| {
        has_tables |= path.starts_with("tables");
        tables.extend(table_of(path, member.header().entry_type().is_dir()));
        Ok(if sealed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    match has_tables {
        true => Ok(sealed.unwrap_or(tables.len())),
        false => Err(Refusal::Corrupted("it holds no tables/ folder".to_owned())),
    }
}

/// The table folder that a member is, or is in.
fn table_of(path: &Path, is_folder: bool) -> Option<PathBuf> {
    let mut below = path.strip_prefix("tables").ok()?.components();
    let table = below.next()?;
    (is_folder || below.next().is_some()).then(|| PathBuf::from(table.as_os_str()))
}
