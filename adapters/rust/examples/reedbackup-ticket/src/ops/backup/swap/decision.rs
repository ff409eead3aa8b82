//! What a restore has decided to do, as text: one line a folder.
//!
//! `tables install live=755,1700000000.5 restored=750,1690000000.0`: the step, and the mode and time
//! of the folder itself before and after it, which moving its content or the folder may change.

use super::{DECIDED, STAGING, TAKEN_BACK};
use std::fs::{self, FileTimes, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const FOLDERS: [&str; 2] = ["tables", "indices"];

/// What becomes of one of the live folders.
pub struct Step {
    folder: &'static str,
    /// Whether the restored tree has the folder.
    pub is_installed: bool,
    /// None where there was no such folder.
    pub live_status: Option<Status>,
    pub restored_status: Status,
}

impl Step {
    pub fn live(&self, base: &Path) -> PathBuf {
        base.join(self.folder)
    }

    pub fn old(&self, base: &Path) -> PathBuf {
        base.join(STAGING).join("old").join(self.folder)
    }

    pub fn restored(&self, base: &Path) -> PathBuf {
        base.join(STAGING).join("new").join(self.folder)
    }

    /// What the folders below the live and the restored one were like (see `inner`).
    pub fn inner(&self, base: &Path) -> PathBuf {
        base.join(STAGING).join(format!("inner-{}", self.folder))
    }

    pub fn emptied(&self, base: &Path) -> PathBuf {
        base.join(STAGING).join(format!("emptied-{}", self.folder))
    }
}

/// A folder's own mode and modification time.
#[derive(Default, PartialEq)]
pub struct Status {
    mode: u32,
    seconds: i64,
    nanoseconds: u32,
}

impl Status {
    pub fn of(folder: &Metadata) -> Self {
        let nanoseconds = u32::try_from(folder.mtime_nsec()).unwrap_or(0);
        Status { mode: folder.mode() & 0o7777, seconds: folder.mtime(), nanoseconds }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (mode, time) = text.split_once(',')?;
        let (seconds, nanoseconds) = time.split_once('.')?;
        Some(Status {
            mode: u32::from_str_radix(mode, 8).ok()?,
            seconds: seconds.parse().ok()?,
            nanoseconds: nanoseconds.parse().ok()?,
        })
    }

    /// Gives the folder at `path` this mode and time, where it has others.
    pub fn apply(&self, path: &Path) -> io::Result<()> {
        if Status::of(&path.symlink_metadata()?) == *self {
            return Ok(());
        }
        let shift = Duration::from_secs(self.seconds.unsigned_abs());
        let whole = match self.seconds < 0 {
            true => SystemTime::UNIX_EPOCH.checked_sub(shift),
            false => SystemTime::UNIX_EPOCH.checked_add(shift),
        };
        let time = whole.map(|whole| whole + Duration::from_nanos(self.nanoseconds.into()));
        let time = time.ok_or_else(|| io::Error::other("a time out of range"))?;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW);
        let folder = options.open(path)?;
        folder.set_times(FileTimes::new().set_modified(time))?;
        folder.set_permissions(Permissions::from_mode(self.mode))
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:o},{}.{}", self.mode, self.seconds, self.nanoseconds)
    }
}

/// The text of a decision about the live and the restored tree, as they are now.
pub fn text(base: &Path, has_indices: bool) -> io::Result<String> {
    let mut text = String::new();
    for folder in FOLDERS {
        let is_installed = folder == "tables" || has_indices;
        let live = match base.join(folder).symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "none".to_owned(),
            entry => Status::of(&entry?).to_string(),
        };
        let restored = base.join(STAGING).join("new").join(folder);
        let step = match is_installed {
            true => format!("install live={live} restored={}", Status::of(&restored.metadata()?)),
            false => format!("remove live={live}"),
        };
        text += &format!("{folder} {step}\n");
    }
    Ok(text)
}

/// What `decided` says, which is `taken-back` where that could be renamed; nothing without either.
pub fn read(base: &Path) -> io::Result<Vec<Step>> {
    let mut text = String::new();
    for name in [DECIDED, TAKEN_BACK] {
        match fs::read_to_string(base.join(STAGING).join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => text += &read?,
        }
    }
    let unknown =
        |line: &str| io::Error::other(format!("{STAGING}/{DECIDED}: unknown step '{line}'"));
    text.lines().map(|line| parse(line).ok_or_else(|| unknown(line))).collect()
}

fn parse(line: &str) -> Option<Step> {
    let words: Vec<_> = line.split(' ').collect();
    let (folder, step, live, restored) = match words[..] {
        [folder, "install", live, restored] => (folder, true, live, Some(restored)),
        [folder, "remove", live] => (folder, false, live, None),
        _ => return None,
    };
    let live_status = match live.strip_prefix("live=")? {
        "none" => None,
        status => Some(Status::parse(status)?),
    };
    Some(Step {
        folder: FOLDERS.into_iter().find(|known| *known == folder)?,
        is_installed: step,
        live_status,
        restored_status: match restored {
            Some(status) => Status::parse(status.strip_prefix("restored=")?)?,
            None => Status::default(),
        },
    })
}
