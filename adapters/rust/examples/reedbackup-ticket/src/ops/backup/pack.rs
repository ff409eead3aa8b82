//! Writes `tables/` and `indices/` as a tar in one gzip member.

use super::{lock, seal};
use crate::error::{During, ReedError, ReedResult};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use tar::{Builder, EntryType, Header};

type Tar = Builder<GzEncoder<BufWriter<File>>>;

/// One folder's entries, by name.
type Listing = Vec<(OsString, FileType)>;

/// Refuses a base without a `tables/` folder.
pub fn check_source(base: &Path) -> ReedResult<()> {
    let tables = base.join("tables");
    match tables.symlink_metadata() {
        Ok(entry) if entry.is_dir() => Ok(()),
        Ok(entry) if entry.is_symlink() => Err(special(Path::new("tables"), entry.file_type())),
        Ok(_) => Err(ReedError::NoTablesFound),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ReedError::NoTablesFound),
        Err(error) => Err(error).during("stat_tables", &tables),
    }
}

/// Archives the database into `file` and returns it with the number of table folders.
///
/// `path` names the file in errors.
pub fn pack(base: &Path, file: File, path: &Path) -> ReedResult<(File, usize)> {
    let gzip = GzBuilder::new().extra(seal::blank());
    let buffered = BufWriter::with_capacity(1 << 16, file);
    let mut tar = Builder::new(gzip.write(buffered, Compression::new(LEVEL)));

    let tables = listing(&base.join("tables"))?;
    let table_count = tables.iter().filter(|(_, kind)| kind.is_dir()).count();
    append_folder(&mut tar, base, Path::new("tables"), tables)?;
    let indices = base.join("indices");
    match indices.symlink_metadata() {
        Ok(entry) if entry.is_dir() => {
            append_folder(&mut tar, base, Path::new("indices"), listing(&indices)?)?;
        }
        Ok(entry) => return Err(special(Path::new("indices"), entry.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).during("stat_indices", &indices),
    }

    let file = finish(tar).during("write_archive", path)?;
    seal::seal(&file, table_count).during("write_archive", path)?;
    Ok((file, table_count))
}

/// Fast rather than small: on text tables level 3 already saves about 75 %.
const LEVEL: u32 = 3;

fn finish(tar: Tar) -> io::Result<File> {
    let mut buffered = tar.into_inner()?.finish()?;
    buffered.flush()?;
    buffered.into_inner().map_err(io::IntoInnerError::into_error)
}

fn listing(folder: &Path) -> ReedResult<Listing> {
    let read = || -> io::Result<Listing> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| entry.and_then(|e| Ok((e.file_name(), e.file_type()?)))).collect()
    };
    let mut listing = read().during("read_dir", folder)?;
    listing.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(listing)
}

/// Appends `folder`, a path relative to the base, and all that its `listing` names.
fn append_folder(tar: &mut Tar, base: &Path, folder: &Path, listing: Listing) -> ReedResult<()> {
    let path = base.join(folder);
    let metadata = path.symlink_metadata().during("stat_dir", &path)?;
    let mut header = header(&metadata, EntryType::Directory);
    // tar's mark of a folder is the slash at the end of its name.
    tar.append_data(&mut header, folder.join(""), io::empty()).during("archive_dir", &path)?;

    for (name, kind) in listing {
        let entry = folder.join(name);
        if kind.is_dir() {
            append_locked(tar, base, &entry)?;
        } else if kind.is_file() {
            append_file(tar, base, &entry)?;
        } else {
            return Err(special(&entry, kind));
        }
    }
    Ok(())
}

/// Appends a folder, under its lock where it is a table: no write to it is caught halfway.
fn append_locked(tar: &mut Tar, base: &Path, folder: &Path) -> ReedResult<()> {
    let path = base.join(folder);
    let _lock = match folder.parent() == Some(Path::new("tables")) {
        true => lock::table(&path)?,
        false => None,
    };
    append_folder(tar, base, folder, listing(&path)?)
}

fn append_file(tar: &mut Tar, base: &Path, file: &Path) -> ReedResult<()> {
    let path = base.join(file);
    let mut options = OpenOptions::new();
    // A file that became a link or a FIFO since the folder was read is neither followed nor waited for.
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let open = options.open(&path).during("read_file", &path)?;
    let before = open.metadata().during("read_file", &path)?;
    if !before.is_file() {
        return Err(special(file, before.file_type()));
    }

    let mut header = header(&before, EntryType::Regular);
    header.set_size(before.len());
    let mut content = (&open).take(before.len());
    tar.append_data(&mut header, file, &mut content).during("archive_file", &path)?;

    let after = open.metadata().during("read_file", &path)?;
    let version = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec());
    if content.limit() != 0 || version(&before) != version(&after) {
        let changed = io::Error::other("the file changed while it was read; try again");
        return Err(changed).during("archive_file", &path);
    }
    Ok(())
}

fn header(metadata: &Metadata, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(metadata.permissions().mode() & 0o7777);
    match u64::try_from(metadata.mtime()) {
        Ok(seconds) => header.set_mtime(seconds),
        Err(_) => set_negative_mtime(&mut header, metadata.mtime()),
    }
    header
}

/// A time before 1970 in GNU tar's binary form: two's complement, big endian, 12 bytes.
fn set_negative_mtime(header: &mut Header, seconds: i64) {
    let mut field = [0xff; 12];
    field[4..].copy_from_slice(&seconds.to_be_bytes());
    header.as_old_mut().mtime = field;
}

fn special(path: &Path, kind: FileType) -> ReedError {
    let what = match kind {
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "neither a file nor a folder",
    };
    ReedError::BackupUnsafe {
        path: path.display().to_string(),
        reason: format!("it is {what}; only files and folders are backed up"),
    }
}
