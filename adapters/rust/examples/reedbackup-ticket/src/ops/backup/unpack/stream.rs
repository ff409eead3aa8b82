//! The members of a tar in one gzip member, and the check of its end.

use super::Refusal;
use flate2::bufread::GzDecoder;
use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use tar::{Archive, Entry};

/// deflate packs at most 1032 bytes into one (its longest match, in two bits).
const MAX_RATIO: u64 = 1032;
/// Long names and attributes of one member, in bytes. The tar crate holds them in memory.
const MAX_EXTENSIONS: u64 = 4 << 20;
const BLOCK: u64 = 512;

/// The decompressed bytes of an archive file.
pub type Bytes = Counted<GzDecoder<BufReader<File>>>;

/// An archive being read from its first byte to its last.
pub struct Stream {
    archive: Archive<Bytes>,
    progress: Rc<Progress>,
    /// Where the last member ended, once all have been seen.
    end: Option<u64>,
    /// The most bytes that this archive can hold, by its size on disk.
    pub max_bytes: u64,
}

#[derive(Default)]
struct Progress {
    read: Cell<u64>,
    limit: Cell<u64>,
    zeros_at_end: Cell<u64>,
}

/// Counts bytes on their way to the tar crate, and stops it at `limit`.
pub struct Counted<R> {
    inner: R,
    progress: Rc<Progress>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Progress { read, limit, zeros_at_end } = &*self.progress;
        if read.get() >= limit.get() {
            return Err(io::Error::other("a member's name or attributes are absurdly long"));
        }
        let count = self.inner.read(buffer)?;
        let zeros = buffer[..count].iter().rev().take_while(|byte| **byte == 0).count();
        let before = if zeros == count { zeros_at_end.get() } else { 0 };
        zeros_at_end.set(before + zeros as u64);
        read.set(read.get() + count as u64);
        Ok(count)
    }
}

impl Stream {
    pub fn new(file: File) -> Result<Self, Refusal> {
        let size = file.metadata().map_err(|error| Refusal::reading(&error))?.len();
        let inner = GzDecoder::new(BufReader::with_capacity(1 << 16, file));
        let progress = Rc::new(Progress::default());
        let bytes = Counted { inner, progress: Rc::clone(&progress) };
        let max_bytes = size.saturating_mul(MAX_RATIO);
        Ok(Stream { archive: Archive::new(bytes), progress, end: None, max_bytes })
    }

    /// Visits the members in order, each with its path, until `visit` breaks off.
    pub fn for_each<V>(&mut self, mut visit: V) -> Result<(), Refusal>
    where
        V: FnMut(&mut Entry<'_, Bytes>, &Path) -> Result<ControlFlow<()>, Refusal>,
    {
        let Progress { read, limit, .. } = &*self.progress;
        let mut end = 0_u64;
        let mut entries = self.archive.entries().map_err(|error| Refusal::reading(&error))?;
        loop {
            limit.set(end.saturating_add(MAX_EXTENSIONS));
            let next = entries.next();
            let is_over = read.get() >= limit.replace(u64::MAX);
            let mut member = match next {
                None => break,
                Some(Ok(member)) => member,
                Some(Err(error)) if is_over => {
                    let reason = error.to_string();
                    return Err(Refusal::Unsafe { path: "a member's header".to_owned(), reason });
                }
                Some(Err(error)) => return Err(Refusal::reading(&error)),
            };
            let path = member_path(&member.path_bytes())?;
            let size = member.size().checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
            end = member.raw_file_position().saturating_add(size);
            if visit(&mut member, &path)?.is_break() {
                return Ok(());
            }
        }
        self.end = Some(end);
        Ok(())
    }

    /// Reads what is left and checks it: gzip's CRC, the tar's end, and that nothing follows.
    pub fn finish(self) -> Result<(), Refusal> {
        let Stream { archive, progress, end, .. } = self;
        let corrupted = |reason: &str| Err(Refusal::Corrupted(reason.to_owned()));
        let mut bytes = archive.into_inner();
        io::copy(&mut bytes, &mut io::sink()).map_err(|error| Refusal::reading(&error))?;
        let mut file = bytes.inner.into_inner();
        if !file.fill_buf().map_err(|error| Refusal::reading(&error))?.is_empty() {
            return corrupted("data follows after its gzip member");
        }
        match end.map(|end| progress.read.get().saturating_sub(end)) {
            Some(tail) if tail < BLOCK => corrupted("its end is missing"),
            Some(tail) if progress.zeros_at_end.get() < tail => {
                corrupted("data follows after its end")
            }
            _ => Ok(()),
        }
    }
}

/// A member's name as a path of plain names, relative to the base.
fn member_path(name: &[u8]) -> Result<PathBuf, Refusal> {
    let raw = Path::new(OsStr::from_bytes(name));
    let refuse = |reason: &str| {
        let path = raw.display().to_string();
        Err(Refusal::Unsafe { path, reason: reason.to_owned() })
    };
    let mut path = PathBuf::new();
    for part in raw.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::ParentDir => return refuse("its name leads out of the base by '..'"),
            Component::RootDir | Component::Prefix(_) => return refuse("its name is absolute"),
        }
    }
    match name.contains(&0) {
        true => refuse("its name holds a NUL byte"),
        false => Ok(path),
    }
}
