//! The steps of a decided restore, forwards and back; each can be repeated.

use super::decision::{self, Step};
use super::transfer::{self, Mounts};
use super::{inner, is_there, DECIDED, STAGING, TAKEN_BACK};
use crate::ops::backup::sync;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Does what `decided` says and has not been done yet, then takes the decision away.
///
/// The old tree is whole in `old/` until this returns success.
pub fn finish(base: &Path) -> io::Result<()> {
    // As the kernel names mount points.
    let base = &base.canonicalize()?;
    for step in decision::read(base)? {
        if step.is_installed {
            install(base, &step)?;
        } else {
            move_away(base, &step)?;
            remove_emptied(base, &step)?;
        }
    }
    sync::folder(base)?;
    let staging = base.join(STAGING);
    fs::remove_file(staging.join(DECIDED))?;
    // The restored tree is live and on disk: were the decision to come back, it would change nothing.
    let _ = sync::folder(&staging);
    Ok(())
}

pub fn install(base: &Path, step: &Step) -> io::Result<()> {
    let (live, restored) = (step.live(base), step.restored(base));
    // Once it has been moved in, the live folder is the restored one.
    if !is_there(&restored)? {
        return settle(base, step);
    }
    move_away(base, step)?;
    let mounts = Mounts::read()?;
    if step.emptied(base).try_exists()? {
        transfer::contents(&restored, &live, &mounts, &|_| false)?;
        settle(base, step)?;
        return fs::remove_dir(restored);
    }
    match transfer::renamed(&restored, &live, &mounts)? {
        true => settle(base, step),
        false => Err(io::Error::other("the restored folder cannot be renamed")),
    }
}

fn settle(base: &Path, step: &Step) -> io::Result<()> {
    inner::give_restored(base, step)?;
    step.restored_status.apply(&step.live(base))
}

/// Moves the live folder to `old/`, under a name that is free, or all that it holds.
pub fn move_away(base: &Path, step: &Step) -> io::Result<()> {
    let live = step.live(base);
    if !is_there(&live)? || step.emptied(base).try_exists()? {
        return Ok(());
    }
    match transfer::renamed(&live, &free(&step.old(base))?, &Mounts::read()?)? {
        true => Ok(()),
        false => empty(base, step),
    }
}

/// A name that nobody has: `path`, or longer than that.
fn free(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.to_owned().into_os_string();
    while is_there(Path::new(&name))? {
        name.push("+");
    }
    Ok(name.into())
}

/// Moves all that the live folder holds to `old/`, and notes durably that this is done.
pub fn empty(base: &Path, step: &Step) -> io::Result<()> {
    let (live, old, restored) = (step.live(base), step.old(base), step.restored(base));
    inner::note(base, step)?;
    if !is_there(&old)? {
        DirBuilder::new().mode(0o700).create(&old)?;
    }
    // A mount point stays; the restored tree must have a folder to put there.
    let may_stay =
        |path: &Path| path.strip_prefix(&live).is_ok_and(|below| restored.join(below).is_dir());
    transfer::contents(&live, &old, &Mounts::read()?, &may_stay)?;
    File::create_new(step.emptied(base))?.sync_all()?;
    sync::folder(&base.join(STAGING))
}

fn remove_emptied(base: &Path, step: &Step) -> io::Result<()> {
    match step.emptied(base).try_exists()? && is_there(&step.live(base))? {
        true => fs::remove_dir(step.live(base)),
        false => Ok(()),
    }
}

/// Takes back what `finish` did before it failed, then the decision, and last the mark.
pub fn undo(base: &Path) -> io::Result<()> {
    let base = &base.canonicalize()?;
    let mounts = Mounts::read()?;
    for step in decision::read(base)? {
        let (live, old, restored) = (step.live(base), step.old(base), step.restored(base));
        let emptied = step.emptied(base);
        if emptied.try_exists()? {
            if !is_there(&live)? {
                DirBuilder::new().mode(0o700).create(&live)?;
            }
            if !is_there(&restored)? {
                DirBuilder::new().mode(0o700).create(&restored)?;
            }
            transfer::contents(&live, &restored, &mounts, &|_| true)?;
            fs::remove_file(emptied)?;
        } else if step.is_installed && !is_there(&restored)? {
            move_back(&live, &restored, &mounts)?;
        }
        if is_there(&old)? && is_there(&live)? && !is_emptied_in_place(base, &step)? {
            // Others put it there meanwhile: it is not ours to fill, nor what it may lead to.
            fs::rename(&live, free(&old)?)?;
        }
        match (is_there(&old)?, is_there(&live)?) {
            (true, true) => transfer::contents(&old, &live, &mounts, &|_| false)?,
            (true, false) => move_back(&old, &live, &mounts)?,
            (false, _) => {}
        }
        inner::give_back(base, &step)?;
        if let Some(status) = &step.live_status {
            status.apply(&live)?;
        }
    }
    sync::folder(base)?;
    [DECIDED, TAKEN_BACK].iter().try_for_each(|name| {
        match fs::remove_file(base.join(STAGING).join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    })
}

/// Whether the live folder stays while what it holds is moved away, which was noted before.
fn is_emptied_in_place(base: &Path, step: &Step) -> io::Result<bool> {
    Ok(is_there(&step.inner(base))? && step.live(base).symlink_metadata()?.is_dir())
}

fn move_back(source: &Path, target: &Path, mounts: &Mounts) -> io::Result<()> {
    match transfer::renamed(source, target, mounts)? {
        true => Ok(()),
        false => Err(io::Error::other(format!("{}: it cannot be renamed", source.display()))),
    }
}
