//! `create_backup`: archives `tables/` and `indices/`, then keeps the newest 32 archives.

use super::archive_name::{self, Id};
use super::types::BackupInfo;
use super::{list, lock, pack, swap, sync};
use crate::error::{During, ReedResult};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
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
    match fs::create_dir(backups) {
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

    let partial = backups.join(PARTIAL);
    // A killed call may have left one; under the lock it belongs to nobody.
    remove_if_there(&partial).during("discard_partial", &partial)?;
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
        fs::remove_file(&archive).during("discard_backup", &archive)?;
    }
    settled
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
    remove_if_there(&backups.join(PARTIAL))?;
    match is_new {
        true => fs::remove_dir(backups),
        false => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
