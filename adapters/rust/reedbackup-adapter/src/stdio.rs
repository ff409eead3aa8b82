//! Keeps stdin and stdout for the protocol alone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Moves the protocol's two streams to private descriptors and returns them.
///
/// After this, descriptor 0 is empty and descriptor 1 is stderr, for the implementation and for
/// the children it starts: a crate's `println!` or a chatty `tar -v` cannot get between two
/// replies, and nothing else can read a request. The private descriptors close on exec.
pub fn claim() -> io::Result<(File, File)> {
    let requests = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let replies = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    redirect(&File::open("/dev/null")?, libc::STDIN_FILENO)?;
    redirect(&io::stderr(), libc::STDOUT_FILENO)?;
    Ok((requests, replies))
}

#[allow(unsafe_code)]
fn redirect(from: &impl AsFd, to: RawFd) -> io::Result<()> {
    // SAFETY: both are open descriptors; nothing owns `to`, a standard stream, which stays open.
    match unsafe { libc::dup2(from.as_fd().as_raw_fd(), to) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
