//! Puts a restored tree in the place of the live one: all of it or nothing, whenever it is killed.
//!
//! A restore works in `.reedbackup-restore/` in the base:
//!
//! | entry | meaning |
//! |---|---|
//! | `new/` | the restored tree, complete and on disk before `decided` is there |
//! | `old/` | the live tree, or as much of it as was moved away |
//! | `decided` | the restore is to be finished, by whoever comes next; says what is to be done |
//! | `taken-back` | the restore failed: what `decided` says is to be undone, by whoever comes next |
//! | `inner-{folder}` | the live folder is emptied in place: what those in it were like before |
//! | `emptied-{folder}` | the live folder could not be renamed, and all that it held is in `old/` |
//!
//! Killed before `decided` is there: the live tree is the old one, the folder is rubbish. Killed
//! later: the next call does the rest. Each step looks at what is there, so it can be repeated.
//! Where a step fails the steps so far are undone, by the next call if that fails too: after an
//! error it is never the new tree that comes.
//!
//! Others may have planted links or files under these names. Nothing is written through them: the
//! folder counts as a decided restore only where it and the three entries are what this module makes.

mod decision;
mod inner;
mod steps;
mod transfer;

use super::{lock, sync};
use crate::error::{During, ReedError, ReedResult};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use steps::{finish, undo};

const STAGING: &str = ".reedbackup-restore";
const DECIDED: &str = "decided";
const TAKEN_BACK: &str = "taken-back";

/// A restored tree that is being built beside the live one. Dropped, it is removed.
pub struct Staging {
    base: PathBuf,
    folder: PathBuf,
    tree: PathBuf,
}

impl Staging {
    /// Makes the empty folder. The base must be locked, and recovered.
    pub fn new(base: &Path) -> ReedResult<Self> {
        for live in ["tables", "indices"] {
            match base.join(live).symlink_metadata() {
                Ok(entry) if !entry.is_dir() => {
                    let reason = "it is not a folder; a restore would replace it".to_owned();
                    return Err(ReedError::BackupUnsafe { path: live.to_owned(), reason });
                }
                _ => {}
            }
        }
        let folder = base.join(STAGING);
        let staging = Staging { base: base.to_path_buf(), tree: folder.join("new"), folder };
        let make = || {
            let mut private = DirBuilder::new();
            private.mode(0o700).create(&staging.folder)?;
            private.create(staging.folder.join("old"))?;
            private.create(&staging.tree)
        };
        make().during("make_staging", &staging.folder)?;
        Ok(staging)
    }

    /// Where the restored `tables/` and `indices/` are to be put.
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// Makes the tree, which is complete and on disk, the live one.
    pub fn swap_in(self, has_indices: bool) -> ReedResult<()> {
        let decide = || {
            let steps = decision::text(&self.base, has_indices)?;
            write_whole(&self.folder, &self.folder.join(DECIDED), &steps)?;
            sync::folder(&self.base)
        };
        decide()
            .and_then(|()| finish(&self.base))
            // Nobody died: the old tree is put back, and nothing has changed.
            .or_else(|error| self.take_back(error))
            .during("swap_in_restored", &self.base)
    }

    /// Undoes a failed swap, and returns why it failed.
    fn take_back(&self, error: io::Error) -> io::Result<()> {
        let (decided, mark) = (self.folder.join(DECIDED), self.folder.join(TAKEN_BACK));
        // First the mark, by either of two system calls: all of one kind may fail from now on.
        let marked = match fs::rename(decided, &mark) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => File::create_new(mark).map(drop),
            renamed => renamed,
        };
        let outcome = match (marked, undo(&self.base)) {
            (_, Ok(())) => return Err(error),
            (Ok(()), Err(second)) => format!(
                "{error}, and then {second}: the next backup, list or restore takes it back"
            ),
            (Err(_), Err(second)) => format!(
                "{error}, and then {second}: the restore is decided, and the next backup or \
                 restore finishes it"
            ),
        };
        Err(io::Error::other(outcome))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let is_over = |name| matches!(is_there(&self.folder.join(name)), Ok(false));
        if is_over(DECIDED) && is_over(TAKEN_BACK) {
            // What cannot be removed now, the old tree perhaps, the next call removes.
            let _ = remove_tree(&self.folder);
        }
    }
}

/// Finishes an interrupted restore, or clears it away. The base must be locked.
pub fn recover(base: &Path) -> ReedResult<()> {
    let folder = base.join(STAGING);
    if is_begun(base) {
        end(base).during("finish_interrupted_restore", base)?;
    }
    refuse_to_lose(&folder).during("clear_interrupted_restore", &folder)?;
    remove_tree(&folder).during("clear_interrupted_restore", &folder)
}

/// Ends an interrupted restore if nobody else does and the base can be written to.
pub fn recover_if_possible(base: &Path) -> ReedResult<()> {
    if !is_begun(base) {
        return Ok(());
    }
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    let finished = lock::base_if_free(base).and_then(|lock| match lock {
        Some(_held) => end(base),
        None => Ok(()),
    });
    match finished {
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied | ReadOnlyFilesystem) => {
            Ok(())
        }
        finished => finished.during("finish_interrupted_restore", base),
    }
}

/// Finishes a decided restore, or undoes one that failed.
fn end(base: &Path) -> io::Result<()> {
    // As the kernel names mount points.
    let real = base.canonicalize()?;
    for step in decision::read(&real)? {
        inner::expect_mounted(&real, &step)?;
    }
    match is_there(&base.join(STAGING).join(TAKEN_BACK))? {
        true => undo(base),
        false => finish(base),
    }
}

/// Writes a file of this folder, durably: it has its name when it is whole.
fn write_whole(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let draft = folder.join("draft");
    match fs::remove_file(&draft) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    let mut file = File::create_new(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync::folder(folder)
}

/// Whether there is anything at `path`, a dangling link too.
fn is_there(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entry => entry.map(|_| true),
    }
}

/// Whatever was done to the folder of a decided restore, the old tree in it is not thrown away.
fn refuse_to_lose(folder: &Path) -> io::Result<()> {
    let old = folder.join("old");
    let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|entry| entry.is_dir());
    let is_changed = is_folder(folder)
        && (is_there(&folder.join(DECIDED))? || is_there(&folder.join(TAKEN_BACK))?)
        && is_folder(&old)
        && fs::read_dir(&old)?.next().is_some();
    match is_changed {
        true => Err(io::Error::other(
            "a restore was interrupted, and then its folder changed; old/ in it holds what was \
             live: put that back by hand, then remove the folder",
        )),
        false => Ok(()),
    }
}

/// Whether there is a decided or a failed restore, and everything is what this module makes.
fn is_begun(base: &Path) -> bool {
    let folder = base.join(STAGING);
    let is = |path: &Path, wanted: fn(&fs::Metadata) -> bool| {
        path.symlink_metadata().is_ok_and(|entry| wanted(&entry))
    };
    is(&folder, fs::Metadata::is_dir)
        && is(&folder.join("new"), fs::Metadata::is_dir)
        && is(&folder.join("old"), fs::Metadata::is_dir)
        && [DECIDED, TAKEN_BACK].iter().any(|name| is(&folder.join(name), fs::Metadata::is_file))
}

/// Removes a folder and all below it, entering folders whose mode forbids that, if it is there.
///
/// What others planted in its place goes without being followed.
fn remove_tree(folder: &Path) -> io::Result<()> {
    if folder.symlink_metadata().is_ok_and(|entry| !entry.is_dir()) {
        return fs::remove_file(folder);
    }
    let remove = || match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    match remove() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            allow_removal(folder)?;
            remove()
        }
        removed => removed,
    }
}

fn allow_removal(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            allow_removal(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
