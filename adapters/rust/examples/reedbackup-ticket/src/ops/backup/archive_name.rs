//! Which files in `backups/` are archives of this module, and in what order they were made.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

const SUFFIX: &str = ".tar.gz";

/// A backup's id: `{unix seconds}`, or `{unix seconds}-{n}` for the n-th more in one second.
///
/// Ordered by timestamp, then by order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub timestamp: u64,
    pub again: u64,
}

impl Id {
    /// The id in an archive's file name. Only the canonical form counts: not `+5`, `007`, `5-0`.
    pub fn of_file_name(name: &OsStr) -> Option<Id> {
        let stem = name.to_str()?.strip_suffix(SUFFIX)?;
        let (seconds, again) = stem.split_once('-').unwrap_or((stem, "0"));
        let id = Id { timestamp: seconds.parse().ok()?, again: again.parse().ok()? };
        (id.to_string() == stem).then_some(id)
    }

    pub fn file_name(self) -> String {
        format!("{self}{SUFFIX}")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Id { timestamp, again: 0 } => write!(f, "{timestamp}"),
            Id { timestamp, again } => write!(f, "{timestamp}-{again}"),
        }
    }
}

/// The id that a backup made at `timestamp` gets: after every entry of that second in `backups`,
/// whatever kind of entry it is.
pub fn next(backups: &Path, timestamp: u64) -> io::Result<Id> {
    let mut again = 0;
    for entry in fs::read_dir(backups)? {
        match Id::of_file_name(&entry?.file_name()) {
            Some(taken) if taken.timestamp == timestamp => again = again.max(taken.again + 1),
            _ => {}
        }
    }
    Ok(Id { timestamp, again })
}

/// Ids of the regular files under an archive's name, newest first; none without the folder.
pub fn newest_first(backups: &Path) -> io::Result<Vec<Id>> {
    let entries = match fs::read_dir(backups) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(id) = Id::of_file_name(&entry.file_name()) {
            if entry.file_type()?.is_file() {
                ids.push(id);
            }
        }
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::Id;
    use std::ffi::OsStr;

    fn id(name: &str) -> Option<(u64, u64)> {
        Id::of_file_name(OsStr::new(name)).map(|id| (id.timestamp, id.again))
    }

    #[test]
    fn canonical_names_are_archives() {
        assert_eq!(id("0.tar.gz"), Some((0, 0)));
        assert_eq!(id("1700000000.tar.gz"), Some((1_700_000_000, 0)));
        assert_eq!(id("1700000000-12.tar.gz"), Some((1_700_000_000, 12)));
        assert_eq!(id("18446744073709551615.tar.gz"), Some((u64::MAX, 0)));
    }

    #[test]
    fn other_names_are_foreign() {
        for name in [
            "+5.tar.gz",
            "007.tar.gz",
            "5-0.tar.gz",
            "5-01.tar.gz",
            "5-.tar.gz",
            "-5.tar.gz",
            "5-1-1.tar.gz",
            " 5.tar.gz",
            "1.5.tar.gz",
            ".tar.gz",
            "5.tar",
            "5.tgz",
            "5.TAR.GZ",
            "18446744073709551616.tar.gz",
            "٥.tar.gz",
            "5.tar.gz.bak",
        ] {
            assert_eq!(id(name), None, "{name}");
        }
    }

    #[test]
    fn later_in_one_second_is_newer_by_number_not_by_text() {
        let (ten, nine) = (Id { timestamp: 5, again: 10 }, Id { timestamp: 5, again: 9 });
        assert!(ten > nine && Id { timestamp: 6, again: 0 } > ten);
        assert_eq!(ten.file_name(), "5-10.tar.gz");
    }
}
