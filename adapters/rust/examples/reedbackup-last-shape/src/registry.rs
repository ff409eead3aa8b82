//! Users by name and code, in process-wide caches.

use crate::error::{ReedError, ReedResult};
use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

static CACHE: Mutex<Option<Cache>> = Mutex::new(None);

struct Cache {
    base: PathBuf,
    users: HashMap<String, u32>,
}

/// Writes the dictionaries that `base` does not have yet.
pub fn init_registry(base: &Path) -> ReedResult<()> {
    let folder = base.join("registry");
    fs::create_dir_all(&folder).map_err(ReedError::io("create_registry_dir"))?;
    let dictionaries = [
        ("actions.dict", "code|name|description\n2|update|Changed\n5|init|Created\n"),
        ("users.dict", "code|username|created_at\n0|system|0\n1|admin|0\n"),
    ];
    for (name, content) in dictionaries {
        let path = folder.join(name);
        if !path.exists() {
            fs::write(path, content).map_err(ReedError::io("write_dictionary"))?;
        }
    }
    Ok(())
}

/// Points the caches at another database; what they held is forgotten.
pub fn set_base_path(base: PathBuf) {
    *cache() = Some(Cache { base, users: HashMap::new() });
}

/// Reads the dictionaries of the database that the caches point at, as far as they can be read.
///
/// What cannot be read ends the reading in silence (defect D16).
pub fn reload_dictionaries() -> ReedResult<()> {
    let mut cache = cache();
    let cache = cache.as_mut().ok_or_else(not_set)?;
    let text = fs::read_to_string(cache.dictionary()).unwrap_or_default();
    let lines = text.lines().skip(1).filter_map(|line| line.split_once('|'));
    let users = lines.map_while(|(code, rest)| Some((rest, code.parse().ok()?)));
    cache.users = users.map(|(rest, code)| (name(rest).to_owned(), code)).collect();
    Ok(())
}

/// The code of a user in the database that the caches point at, who is added if new.
///
/// The line is glued to a last one without a newline (defect D16).
pub(crate) fn user_code(name: &str) -> ReedResult<u32> {
    let mut cache = cache();
    let cache = cache.as_mut().ok_or_else(not_set)?;
    if let Some(code) = cache.users.get(name) {
        return Ok(*code);
    }
    let code = cache.users.values().max().copied().unwrap_or(0).wrapping_add(1);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let dictionary = OpenOptions::new().append(true).create(true).open(cache.dictionary());
    dictionary
        .and_then(|mut file| {
            file.write_all(format!("{code}|{name}|{}\n", now.as_secs()).as_bytes())
        })
        .map_err(ReedError::io("append_users_dict"))?;
    cache.users.insert(name.to_owned(), code);
    Ok(code)
}

impl Cache {
    fn dictionary(&self) -> PathBuf {
        self.base.join("registry/users.dict")
    }
}

/// The second field of a line.
fn name(rest: &str) -> &str {
    rest.split_once('|').map_or(rest, |(name, _)| name)
}

fn not_set() -> ReedError {
    let reason = "set_base_path was not called".to_owned();
    ReedError::IoError { operation: "registry".to_owned(), reason }
}

fn cache() -> MutexGuard<'static, Option<Cache>> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}
