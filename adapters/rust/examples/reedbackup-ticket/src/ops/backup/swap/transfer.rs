//! Moves the content of one folder into another, by renames where they work and by copies where not.
//!
//! A mount point cannot be renamed (EBUSY), nor can a folder of an overlay's lower layer or anything
//! to another file system (EXDEV). A folder with a mount point somewhere below it can, and takes the
//! mount along, which then is somewhere else: such a folder stays, too. Every step can be repeated:
//! what was moved already is not there any more, a folder that is half moved is completed, a file
//! that is half copied is copied again. One that is copied whole is not: it can be moved back to
//! where it could not be removed, too, as from a read-only file system.

use super::super::sync;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that is being copied.
const DRAFT: &str = ".reedbackup-copy";

/// Where other file systems are mounted, now.
pub struct Mounts(Vec<PathBuf>);

impl Mounts {
    /// Of Linux: other systems do not rename a folder with a mount point below it.
    pub fn read() -> io::Result<Self> {
        let text = match fs::read("/proc/self/mountinfo") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text?,
        };
        let lines = text.split(|byte| *byte == b'\n');
        let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
        Ok(Mounts(
            points.map(|point| PathBuf::from(OsString::from_vec(unescaped(point)))).collect(),
        ))
    }

    /// Whether `path`, without links in it, is a mount point, or has one below.
    pub fn hold(&self, path: &Path) -> bool {
        self.within(path).next().is_some()
    }

    /// The mount points at `path` and below.
    pub fn within<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Path> {
        self.0.iter().map(PathBuf::as_path).filter(move |point| point.starts_with(path))
    }

    /// Whether `path` is a mount point.
    pub fn are_at(&self, path: &Path) -> bool {
        self.0.iter().any(|point| point == path)
    }
}

/// The kernel writes a space, tab, newline and backslash as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let code = rest.get(1..4).filter(|_| byte == b'\\');
        let code = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 8).ok());
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &rest[4..] } else { after };
    }
    bytes
}

/// Renames a folder or file from `source` to `target`; false where it has to stay where it is.
pub fn renamed(source: &Path, target: &Path, mounts: &Mounts) -> io::Result<bool> {
    if mounts.hold(source) {
        return Ok(false);
    }
    let rename = || fs::rename(source, target);
    let moved = match rename() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // A new parent changes a folder's `..`, which its owner must be allowed to write.
            open_up(source)?;
            rename()
        }
        moved => moved,
    };
    match moved {
        Err(error) if has_to_stay(&error) => Ok(false),
        moved => moved.map(|()| true),
    }
}

/// Lets the owner of a folder into it. Who calls this has noted the folder's mode before.
fn open_up(folder: &Path) -> io::Result<()> {
    let entry = folder.symlink_metadata()?;
    let mode = entry.mode() & 0o7777;
    match entry.is_dir() && mode & 0o700 != 0o700 {
        true => fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o700)),
        false => Ok(()),
    }
}

fn has_to_stay(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EXDEV))
}

/// Moves everything in `source` into the folder `target`, durably. Both folders stay.
///
/// Both are opened up for that, and so are folders below that cannot be renamed as they are.
/// A mount point below `source` stays too, empty, where `may_stay` says yes to its path.
pub fn contents(
    source: &Path,
    target: &Path,
    mounts: &Mounts,
    may_stay: &dyn Fn(&Path) -> bool,
) -> io::Result<()> {
    for folder in [source, target] {
        if !folder.symlink_metadata()?.is_dir() {
            let reason = format!("{}: no folder; move it away", folder.display());
            return Err(io::Error::other(reason));
        }
        open_up(folder)?;
    }
    for entry in fs::read_dir(source)? {
        let name = entry?.file_name();
        if name == DRAFT {
            fs::remove_file(source.join(&name))?;
            continue;
        }
        one(&source.join(&name), &target.join(&name), mounts, may_stay)?;
    }
    sync::folder(target)?;
    sync::folder(source)
}

fn one(
    source: &Path,
    target: &Path,
    mounts: &Mounts,
    may_stay: &dyn Fn(&Path) -> bool,
) -> io::Result<()> {
    let like = source.symlink_metadata()?;
    if !like.is_dir() {
        return match fs::rename(source, target) {
            Err(error) if has_to_stay(&error) => file(source, target),
            moved => moved,
        };
    }
    let is_begun = target.symlink_metadata().is_ok_and(|entry| entry.is_dir());
    if !is_begun && renamed(source, target, mounts)? {
        return make_alike(&File::open(target)?, &like);
    }
    if !is_begun {
        DirBuilder::new().mode(0o700).create(target)?;
        make_alike(&File::open(target)?, &like)?;
    }
    // What was there before is given its mode and time from what is noted (see `inner`).
    contents(source, target, mounts, may_stay)?;
    if !is_begun {
        make_alike(&File::open(target)?, &like)?;
    }
    match fs::remove_dir(source) {
        Err(error) if has_to_stay(&error) && may_stay(source) => Ok(()),
        Err(error) if has_to_stay(&error) => Err(io::Error::other(format!(
            "{}: a mount point, and the backup has no such folder; unmount it",
            source.display()
        ))),
        removed => removed,
    }
}

/// Copies what a rename cannot carry to another file system: it has its name when it is whole.
fn file(source: &Path, target: &Path) -> io::Result<()> {
    let entry = source.symlink_metadata()?;
    if entry.is_symlink() {
        let link = fs::read_link(source)?;
        if !fs::read_link(target).is_ok_and(|copied| copied == link) {
            std::os::unix::fs::symlink(link, target)?;
        }
        return fs::remove_file(source);
    }
    if !entry.is_file() {
        let reason = format!("{}: neither a file nor a folder; move it away", source.display());
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    if is_copied(source, target, &entry)? {
        return fs::remove_file(source);
    }
    let draft = target.with_file_name(DRAFT);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    let mut from = open(source)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    io::copy(&mut from, &mut to)?;
    make_alike(&to, &entry)?;
    to.sync_all()?;
    fs::rename(&draft, target)?;
    sync::folder(target.parent().expect("a file is in a folder"))?;
    fs::remove_file(source)
}

fn open(file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(file)
}

/// Whether `target` is what `source`, which is like `entry`, was or will be copied to.
fn is_copied(source: &Path, target: &Path, entry: &Metadata) -> io::Result<bool> {
    let copy = match target.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        copy => copy?,
    };
    Ok(is_alike(&copy, entry) && have_same_bytes(open(source)?, open(target)?)?)
}

fn have_same_bytes(mut one: File, mut other: File) -> io::Result<bool> {
    let (mut some, mut same) = (Vec::new(), Vec::new());
    loop {
        some.clear();
        same.clear();
        one.by_ref().take(1 << 16).read_to_end(&mut some)?;
        other.by_ref().take(1 << 16).read_to_end(&mut same)?;
        if some != same || some.is_empty() {
            return Ok(some == same);
        }
    }
}

fn is_alike(one: &Metadata, other: &Metadata) -> bool {
    let facts = |entry: &Metadata| {
        let time = (entry.mtime(), entry.mtime_nsec());
        (entry.mode(), entry.uid(), entry.gid(), time, entry.is_file().then_some(entry.len()))
    };
    facts(one) == facts(other)
}

/// Gives a file or folder the owner, times and mode of another, in an order that keeps all three.
fn make_alike(file: &File, like: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if is_alike(&now, like) {
        return Ok(());
    }
    if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(like.permissions())?;
    file.set_times(FileTimes::new().set_modified(like.modified()?).set_accessed(like.accessed()?))
}
