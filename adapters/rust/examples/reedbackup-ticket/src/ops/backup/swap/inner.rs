//! What the folders in a tree that is moved piece by piece were like before.
//!
//! One that is closed to writers is opened up for that. Its mode and time are noted first, so that
//! whoever finishes the restore or undoes it can give them back: a line a folder, such as
//! `restored 555,1700000000.5 7461626c65`, the last being its path in hexadecimal. So are the places
//! where other file systems are mounted: one that is not there any more has what was moved to it.

use super::decision::{Status, Step};
use super::transfer::Mounts;
use super::{is_there, write_whole, STAGING};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

const LIVE: &str = "live";
const RESTORED: &str = "restored";
const MOUNTED: &str = "mounted";

/// Notes them, durably, unless that was done before.
pub fn note(base: &Path, step: &Step) -> io::Result<()> {
    let path = step.inner(base);
    if is_there(&path)? {
        return Ok(());
    }
    let mut text = String::new();
    for (tree, root) in [(LIVE, step.live(base)), (RESTORED, step.restored(base))] {
        if is_there(&root)? {
            add(&mut text, tree, &root, Path::new(""))?;
        }
    }
    let live = step.live(base);
    for point in Mounts::read()?.within(&live) {
        let path = point.strip_prefix(&live).unwrap_or(point);
        text += &line(MOUNTED, &Status::of(&point.metadata()?), path);
    }
    write_whole(&base.join(STAGING), &path, &text)
}

fn add(text: &mut String, tree: &str, root: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let path = folder.join(entry.file_name());
            *text += &line(tree, &Status::of(&entry.metadata()?), &path);
            add(text, tree, root, &path)?;
        }
    }
    Ok(())
}

fn line(tree: &str, status: &Status, path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    let hexadecimal: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    format!("{tree} {status} {hexadecimal}\n")
}

/// Fails where something was mounted when the folder was emptied, and is not now.
pub fn expect_mounted(base: &Path, step: &Step) -> io::Result<()> {
    let mounts = Mounts::read()?;
    for (_, path) in noted(base, step, MOUNTED)? {
        // Without the slash that an empty path adds.
        let place: PathBuf = step.live(base).join(path).components().collect();
        if !mounts.are_at(&place) {
            return Err(io::Error::other(format!(
                "{}: a restore was interrupted, and what was mounted there is not; mount it again",
                place.display()
            )));
        }
    }
    Ok(())
}

/// Makes the folders below the live one what those of the restored tree were like.
pub fn give_restored(base: &Path, step: &Step) -> io::Result<()> {
    give(base, step, RESTORED)
}

/// Makes them what they were like before the restore.
pub fn give_back(base: &Path, step: &Step) -> io::Result<()> {
    give(base, step, LIVE)
}

fn give(base: &Path, step: &Step, tree: &str) -> io::Result<()> {
    // The innermost first, for a folder may forbid to enter it.
    for (status, path) in noted(base, step, tree)?.into_iter().rev() {
        let folder = step.live(base).join(path);
        if is_there(&folder)? {
            status.apply(&folder)?;
        }
    }
    Ok(())
}

/// What was noted of the folders of a tree.
fn noted(base: &Path, step: &Step, tree: &str) -> io::Result<Vec<(Status, PathBuf)>> {
    let text = match fs::read_to_string(step.inner(base)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let mut found = Vec::new();
    for line in text.lines() {
        let (of, status, path) = parse(line)
            .ok_or_else(|| io::Error::other(format!("{STAGING}: unknown folder '{line}'")))?;
        if of == tree {
            found.push((status, path));
        }
    }
    Ok(found)
}

fn parse(line: &str) -> Option<(&str, Status, PathBuf)> {
    let mut words = line.split(' ');
    let (tree, status, path) = (words.next()?, words.next()?, words.next()?);
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok();
    let bytes = path.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some((tree, Status::parse(status)?, OsString::from_vec(bytes).into()))
}
