//! Puts a restored tree in the place of the live one: all of it or nothing, whenever it is killed.
//!
//! A restore works in `.reedbackup-restore/` in the base:
//!
//! | entry | meaning |
//! |---|---|
//! | `new/` | the restored tree, complete and on disk before `decided` is there |
//! | `old/` | folders of the live tree that were moved away |
//! | `decided` | the restore is to be finished, by whoever comes next; says what is to be done |
//!
//! Killed before `decided` is there: the live tree is the old one, the folder is rubbish. Killed
//! later: the next call does the rest. Each step looks at what is there, so it can be repeated.

use super::{lock, sync};
use crate::error::{During, ReedError, ReedResult};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const STAGING: &str = ".reedbackup-restore";
const DECIDED: &str = "decided";

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
            fs::create_dir(&staging.folder)?;
            fs::set_permissions(&staging.folder, fs::Permissions::from_mode(0o700))?;
            fs::create_dir(staging.folder.join("old"))?;
            fs::create_dir(&staging.tree)
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
        let indices = if has_indices { "install" } else { "remove" };
        let decide = || {
            let draft = self.folder.join("draft");
            let mut file = File::create_new(&draft)?;
            file.write_all(format!("tables install\nindices {indices}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, self.folder.join(DECIDED))?;
            sync::folder(&self.folder)?;
            sync::folder(&self.base)
        };
        decide().during("decide_restore", &self.folder)?;
        // Nobody died: if this fails the old tree is put back, and nothing has changed.
        finish(&self.base)
            .or_else(|error| undo(&self.base).and(Err(error)))
            .during("swap_in_restored", &self.base)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.folder.join(DECIDED).exists() {
            // What cannot be removed now, the old tree perhaps, the next call removes.
            let _ = remove_tree(&self.folder);
        }
    }
}

/// Finishes an interrupted restore, or clears it away. The base must be locked.
pub fn recover(base: &Path) -> ReedResult<()> {
    let folder = base.join(STAGING);
    if folder.join(DECIDED).exists() {
        finish(base).during("finish_interrupted_restore", base)?;
    }
    remove_tree(&folder).during("clear_interrupted_restore", &folder)
}

/// Finishes a decided restore if nobody else does and the base can be written to.
pub fn recover_if_possible(base: &Path) -> ReedResult<()> {
    if !base.join(STAGING).join(DECIDED).exists() {
        return Ok(());
    }
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    let finished = lock::base_if_free(base).and_then(|lock| match lock {
        Some(_held) => finish(base),
        None => Ok(()),
    });
    match finished {
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied | ReadOnlyFilesystem) => {
            Ok(())
        }
        finished => finished.during("finish_interrupted_restore", base),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Install,
    Remove,
}

/// What `decided` says.
fn plan(base: &Path) -> io::Result<Vec<(&'static str, Step)>> {
    let text = fs::read_to_string(base.join(STAGING).join(DECIDED))?;
    let steps = text.lines().map(|line| match line {
        "tables install" => Ok(("tables", Step::Install)),
        "indices install" => Ok(("indices", Step::Install)),
        "indices remove" => Ok(("indices", Step::Remove)),
        other => Err(io::Error::other(format!("{STAGING}/{DECIDED}: unknown step '{other}'"))),
    });
    steps.collect()
}

/// Does what `decided` says and has not been done yet, then takes the decision away.
///
/// The old tree is whole in `old/` until this returns success.
fn finish(base: &Path) -> io::Result<()> {
    for (folder, step) in plan(base)? {
        match step {
            Step::Install => install(base, folder)?,
            Step::Remove => move_away(base, folder)?,
        }
    }
    sync::folder(base)?;
    let staging = base.join(STAGING);
    fs::remove_file(staging.join(DECIDED))?;
    // The restored tree is live and on disk: were the decision to come back, it would change nothing.
    let _ = sync::folder(&staging);
    Ok(())
}

fn install(base: &Path, folder: &str) -> io::Result<()> {
    let restored = base.join(STAGING).join("new").join(folder);
    // Once it has been moved in, the live folder is the restored one.
    if !restored.try_exists()? {
        return Ok(());
    }
    move_away(base, folder)?;
    fs::rename(restored, base.join(folder))
}

/// Moves the live folder to `old/`, under a name that is free.
fn move_away(base: &Path, folder: &str) -> io::Result<()> {
    let live = base.join(folder);
    if live.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    let old = base.join(STAGING).join("old");
    let mut name = folder.to_owned();
    while old.join(&name).try_exists()? {
        name.push('+');
    }
    fs::rename(live, old.join(name))
}

/// Takes back what `finish` did before it failed, then the decision.
fn undo(base: &Path) -> io::Result<()> {
    let staging = base.join(STAGING);
    for (folder, step) in plan(base)? {
        let (live, old) = (base.join(folder), staging.join("old").join(folder));
        let restored = staging.join("new").join(folder);
        if step == Step::Install && !restored.try_exists()? {
            fs::rename(&live, restored)?;
        }
        if old.try_exists()? {
            fs::rename(old, live)?;
        }
    }
    sync::folder(base)?;
    fs::remove_file(staging.join(DECIDED))
}

/// Removes a folder and all below it, entering folders whose mode forbids that, if it is there.
fn remove_tree(folder: &Path) -> io::Result<()> {
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
