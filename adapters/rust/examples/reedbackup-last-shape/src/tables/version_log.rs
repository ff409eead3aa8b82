//! `version.log`: one line a version, `timestamp|action|user|size`.

use crate::error::{ReedError, ReedResult};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::str::FromStr;

/// One version of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Unix nanoseconds; names the delta's file.
    pub timestamp: u64,
    /// The code of what was done, as in `actions.dict`.
    pub action: u8,
    /// The code of who did it, as in `users.dict`.
    pub user: u32,
    /// Size of the delta's file, in bytes.
    pub size: u64,
}

/// The versions in a log; none where it is missing.
///
/// Lines are judged one by one, so that the first bad one decides.
pub fn read(path: &Path) -> ReedResult<Vec<Version>> {
    let corrupted = |error: io::Error| ReedError::LogCorrupted { reason: error.to_string() };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(corrupted)?,
    };
    let mut versions = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(corrupted)?;
        if !line.trim().is_empty() {
            versions.push(parse(&line, number)?);
        }
    }
    Ok(versions)
}

fn parse(line: &str, number: usize) -> ReedResult<Version> {
    let invalid =
        |what| ReedError::LogCorrupted { reason: format!("Invalid {what} at line {number}") };
    let fields: Vec<_> = line.split('|').collect();
    let [timestamp, action, user, size, ..] = fields[..] else {
        return Err(invalid("format"));
    };
    Ok(Version {
        timestamp: field(timestamp).ok_or_else(|| invalid("timestamp"))?,
        action: field(action).ok_or_else(|| invalid("action code"))?,
        user: field(user).ok_or_else(|| invalid("user code"))?,
        size: field(size).ok_or_else(|| invalid("delta size"))?,
    })
}

fn field<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
