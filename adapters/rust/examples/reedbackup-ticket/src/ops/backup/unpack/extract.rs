//! Writes an archive's members into a fresh folder: regular files and folders, nothing else.

use super::stream::{Bytes, Stream};
use super::{table_of, Contents, Refusal};
use crate::ops::backup::sync;
use std::collections::HashMap;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tar::Entry;

/// The database's own folders that no backup may write to.
const FORBIDDEN: [&str; 2] = ["registry", "backups"];

pub fn extract(stream: &mut Stream, root: &Path) -> Result<Contents, Refusal> {
    let room = sync::free_bytes(root).map_err(|error| Refusal::writing(root, &error))?;
    let mut target = Target {
        root,
        room,
        max_bytes: stream.max_bytes,
        contents: Contents::default(),
        seen: HashMap::new(),
        folders: Vec::new(),
        buffer: vec![0; 1 << 16],
    };
    stream.for_each(|member, path| target.add(member, path).map(ControlFlow::Continue))?;
    target.finish()
}

#[derive(Clone, Copy, PartialEq)]
enum Seen {
    File,
    Folder,
    /// A folder that so far only its members' names tell of.
    Implied,
}

struct Target<'a> {
    root: &'a Path,
    /// Free bytes of the file system.
    room: u64,
    /// The most bytes that the archive can hold.
    max_bytes: u64,
    contents: Contents,
    seen: HashMap<PathBuf, Seen>,
    /// Modes and times of folders, set when nothing is written into them any more.
    folders: Vec<(PathBuf, Permissions, Option<SystemTime>)>,
    buffer: Vec<u8>,
}

impl Target<'_> {
    fn add(&mut self, member: &mut Entry<'_, Bytes>, path: &Path) -> Result<(), Refusal> {
        let kind = member.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        if !kind.is_file() && !kind.is_dir() {
            return refuse(path, "it is neither a file nor a folder");
        }
        if has_sparse_attributes(member)? {
            return refuse(path, "it is a sparse file");
        }
        if self.seen.get(path).is_some_and(|seen| *seen != Seen::Implied) {
            return refuse(path, "the archive holds it twice");
        }
        if !path.starts_with("tables") && !path.starts_with("indices") {
            return self.pass_over(path);
        }
        self.make_parents(path)?;
        match kind.is_dir() {
            true => self.add_folder(member, path),
            false => self.add_file(member, path),
        }
    }

    /// A member that another implementation keeps for itself is not restored.
    fn pass_over(&mut self, path: &Path) -> Result<(), Refusal> {
        if FORBIDDEN.iter().any(|folder| path.starts_with(folder)) {
            return refuse(path, "a backup may only hold tables/ and indices/");
        }
        if path != Path::new("") {
            self.seen.insert(path.to_path_buf(), Seen::File);
        }
        Ok(())
    }

    fn make_parents(&mut self, path: &Path) -> Result<(), Refusal> {
        let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) else {
            return Ok(());
        };
        match self.seen.get(parent) {
            Some(Seen::Folder | Seen::Implied) => Ok(()),
            Some(Seen::File) => refuse(path, "it is in what the archive also holds as a file"),
            None => {
                self.make_parents(parent)?;
                self.make_folder(parent, Seen::Implied)
            }
        }
    }

    fn make_folder(&mut self, path: &Path, seen: Seen) -> Result<(), Refusal> {
        let is_new = self.seen.insert(path.to_path_buf(), seen).is_none();
        let full = self.root.join(path);
        if is_new {
            fs::create_dir(&full).map_err(|error| Refusal::writing(&full, &error))?;
        }
        self.contents.tables.extend(table_of(path, true));
        self.contents.has_indices |= path == Path::new("indices");
        Ok(())
    }

    fn add_folder(&mut self, member: &mut Entry<'_, Bytes>, path: &Path) -> Result<(), Refusal> {
        if member.size() != 0 {
            return refuse(path, "it is a folder with content");
        }
        self.make_folder(path, Seen::Folder)?;
        self.folders.push((self.root.join(path), mode(member)?, modified(member)));
        Ok(())
    }

    fn add_file(&mut self, member: &mut Entry<'_, Bytes>, path: &Path) -> Result<(), Refusal> {
        if path.components().count() == 1 || member.path_bytes().ends_with(b"/") {
            return refuse(path, "it is a file where a folder belongs");
        }
        let total = self.contents.total_bytes.saturating_add(member.size());
        if total > self.max_bytes {
            return refuse(path, "it claims more bytes than the archive can hold");
        }
        let full = self.root.join(path);
        if total > self.room {
            let reason = format!("the backup needs {total} bytes, {} are free", self.room);
            return Err(Refusal::Io { operation: "write_restored", reason });
        }
        self.seen.insert(path.to_path_buf(), Seen::File);
        self.write_file(member, &full)?;
        self.contents.files += 1;
        self.contents.total_bytes = total;
        Ok(())
    }

    fn write_file(&mut self, member: &mut Entry<'_, Bytes>, path: &Path) -> Result<(), Refusal> {
        let writing = |error| Refusal::writing(path, &error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(path).map_err(writing)?;
        let mut left = member.size();
        while left > 0 {
            match member.read(&mut self.buffer).map_err(|error| Refusal::reading(&error))? {
                0 => return Err(Refusal::Corrupted("it ends within a file".to_owned())),
                count => {
                    file.write_all(&self.buffer[..count]).map_err(writing)?;
                    left -= count as u64;
                }
            }
        }
        file.set_permissions(mode(member)?).map_err(writing)?;
        set_modified(&file, modified(member)).map_err(writing)
    }

    fn finish(self) -> Result<Contents, Refusal> {
        if !self.seen.contains_key(Path::new("tables")) {
            return Err(Refusal::Corrupted("it holds no tables/ folder".to_owned()));
        }
        // The innermost first, for a folder may forbid to enter it.
        for (path, mode, modified) in self.folders.into_iter().rev() {
            let set = || {
                let folder = File::open(&path)?;
                set_modified(&folder, modified)?;
                folder.set_permissions(mode)
            };
            set().map_err(|error| Refusal::writing(&path, &error))?;
        }
        Ok(self.contents)
    }
}

fn refuse<T>(path: &Path, reason: &str) -> Result<T, Refusal> {
    let path = path.display().to_string();
    Err(Refusal::Unsafe { path, reason: reason.to_owned() })
}

fn mode(member: &Entry<'_, Bytes>) -> Result<Permissions, Refusal> {
    let mode = member.header().mode().map_err(|error| Refusal::reading(&error))?;
    Ok(Permissions::from_mode(mode & 0o7777))
}

/// GNU's sparse files in pax format look like regular ones, with a map before their content.
fn has_sparse_attributes(member: &mut Entry<'_, Bytes>) -> Result<bool, Refusal> {
    let attributes = member.pax_extensions().map_err(|error| Refusal::reading(&error))?;
    let mut keys = attributes.into_iter().flatten().flatten();
    Ok(keys.any(|attribute| attribute.key_bytes().starts_with(b"GNU.sparse.")))
}

/// A time that the system cannot represent is left as it is: no contract is about it.
fn set_modified(file: &File, modified: Option<SystemTime>) -> io::Result<()> {
    match modified {
        Some(modified) => file.set_times(FileTimes::new().set_modified(modified)),
        None => Ok(()),
    }
}

/// The member's modification time, from its pax attributes or else from its header.
fn modified(member: &mut Entry<'_, Bytes>) -> Option<SystemTime> {
    let attributes = member.pax_extensions().ok().flatten().into_iter().flatten().flatten();
    let pax = attributes.filter(|a| a.key_bytes() == b"mtime").last();
    if let Some(time) = pax.and_then(|attribute| decimal_time(attribute.value().ok()?)) {
        return Some(time);
    }
    let field = member.header().as_old().mtime;
    match field[0] {
        // GNU tar's binary form of a time before 1970: two's complement, big endian.
        0xff => since_1970(i64::from_be_bytes(field[4..].try_into().ok()?), 0),
        _ => since_1970(i64::try_from(member.header().mtime().ok()?).ok()?, 0),
    }
}

/// `-1.5` and its like: seconds since 1970 with at most nine decimals.
fn decimal_time(text: &str) -> Option<SystemTime> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let nanoseconds: i64 = format!("{decimals:0<9.9}").parse().ok()?;
    let is_negative = seconds.starts_with('-');
    since_1970(seconds.parse().ok()?, if is_negative { -nanoseconds } else { nanoseconds })
}

fn since_1970(seconds: i64, nanoseconds: i64) -> Option<SystemTime> {
    let shift = |time: SystemTime, by: Duration, is_negative| match is_negative {
        true => time.checked_sub(by),
        false => time.checked_add(by),
    };
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let rest = Duration::from_nanos(nanoseconds.unsigned_abs());
    shift(SystemTime::UNIX_EPOCH, whole, seconds < 0)
        .and_then(|time| shift(time, rest, nanoseconds < 0))
}
