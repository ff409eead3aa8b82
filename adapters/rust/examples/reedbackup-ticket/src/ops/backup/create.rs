//! `create_backup`: archives `tables/` and `indices/`, then keeps the newest 32 archives.

use super::archive_name::{self, Id};
use super::types::BackupInfo;
use super::{list, lock, pack, swap, sync};
use crate::error::{During, ReedResult};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many backups are kept (ticket 060-OPS-01, "Versioning").
const KEPT: usize = 32;

/// An archive being written. It becomes visible by its rename to an archive's name.
const PARTIAL: &str = ".reedbackup.partial";

/// Backs up the database in `base_path` to `backups/{id}.tar.gz` and prunes to 32 backups.
///
/// On any error no new archive is there and the older ones stay. `NoTablesFound` where the base
/// has no `tables/`; `BackupUnsafe` names an entry that is neither a file nor a folder.
pub fn create_backup(base_path: &Path) -> ReedResult<BackupInfo> {
    let _lock = lock::base(base_path)?;
    swap::recover(base_path)?;
    pack::check_source(base_path)?;

    let backups = base_path.join("backups");
    let is_new = make_folder(base_path, &backups).during("create_backup_dir", &backups)?;
    let created = write_archive(base_path, &backups)
        .and_then(|info| settle(&backups, &info.id).map(|()| info));
    if created.is_err() {
        // The error to report is the first one; what stays behind here the next call removes.
        let _ = discard(&backups, is_new);
    }
    created
}

fn make_folder(base: &Path, backups: &Path) -> io::Result<bool> {
    // What is in the archives may be for the owner's eyes only.
    match DirBuilder::new().mode(0o700).create(backups) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && backups.is_dir() => Ok(false),
        Err(error) => Err(error),
        Ok(()) => {
            let kept = sync::folder(base);
            if kept.is_err() {
                fs::remove_dir(backups)?;
            }
            kept.map(|()| true)
        }
    }
}

fn write_archive(base: &Path, backups: &Path) -> ReedResult<BackupInfo> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let timestamp = since_1970.map_err(io::Error::other).during("read_clock", base)?.as_secs();

    // A killed call may have left some; under the lock they belong to nobody.
    remove_partials(backups).during("discard_partial", backups)?;
    let partial = free_partial(backups).during("create_archive", backups)?;
    // The archive holds files that only their owner may read.
    let file =
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&partial);
    let (file, table_count) = pack::pack(base, file.during("create_archive", &partial)?, &partial)?;
    file.sync_all().during("sync_archive", &partial)?;
    let size_bytes = file.metadata().during("stat_backup", &partial)?.len();

    let id = archive_name::next(backups, timestamp).during("read_backup_dir", backups)?;
    let archive = backups.join(id.file_name());
    fs::rename(&partial, &archive).during("publish_archive", &archive)?;
    Ok(list::info(id, size_bytes, table_count))
}

/// Makes the new backup last and the oldest go. If either fails the new backup goes too: an error
/// leaves nothing new, a success exactly `KEPT`.
fn settle(backups: &Path, made: &str) -> ReedResult<()> {
    let settled = sync::folder(backups)
        .during("sync_backup_dir", backups)
        .and_then(|()| prune(backups, made));
    if settled.is_err() {
        let archive = backups.join(format!("{made}.tar.gz"));
        withdraw(backups, &archive).during("discard_backup", &archive)?;
    }
    settled
}

/// Takes an archive off the list, by either of two system calls: all of one kind may fail from now
/// on. What is renamed only is an unfinished archive from then on.
fn withdraw(backups: &Path, archive: &Path) -> io::Result<()> {
    let hidden = free_partial(backups).and_then(|partial| fs::rename(archive, partial));
    hidden.or_else(|_| fs::remove_file(archive))
}

/// Deletes the oldest backups beyond `KEPT`, but neither the one just made nor what is unreadable.
fn prune(backups: &Path, made: &str) -> ReedResult<()> {
    surplus(backups, made)?.into_iter().try_for_each(|id| {
        let archive = backups.join(id.file_name());
        fs::remove_file(&archive).during("prune_backup", &archive)
    })
}

fn surplus(backups: &Path, made: &str) -> ReedResult<Vec<Id>> {
    let ids = archive_name::newest_first(backups).during("read_backup_dir", backups)?;
    if ids.len() <= KEPT {
        return Ok(Vec::new());
    }
    let mut others = Vec::new();
    for id in ids {
        if id.to_string() != made && list::read(backups, id)?.is_some() {
            others.push(id);
        }
    }
    Ok(others.split_off(others.len().min(KEPT - 1)))
}

fn discard(backups: &Path, is_new: bool) -> io::Result<()> {
    remove_partials(backups)?;
    match is_new {
        true => fs::remove_dir(backups),
        false => Ok(()),
    }
}

/// Removes unfinished archives; a folder under such a name is not this module's.
fn remove_partials(backups: &Path) -> io::Result<()> {
    for entry in fs::read_dir(backups)? {
        let entry = entry?;
        let is_partial = entry.file_name().to_string_lossy().starts_with(PARTIAL);
        if is_partial && !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The first name for an unfinished archive that nothing has.
fn free_partial(backups: &Path) -> io::Result<PathBuf> {
    let mut name = PARTIAL.to_owned();
    while backups.join(&name).symlink_metadata().is_ok() {
        name.push('+');
    }
    Ok(backups.join(name))
}
