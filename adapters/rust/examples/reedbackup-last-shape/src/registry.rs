//! Users by name and code, in process-wide caches.

use crate::error::{ReedError, ReedResult};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// Reads the dictionaries of the database that the caches point at.
pub fn reload_dictionaries() -> ReedResult<()> {
    let mut cache = cache();
    let Some(cache) = cache.as_mut() else {
        return Err(not_set());
    };
    let path = cache.base.join("registry/users.dict");
    let text = fs::read_to_string(path).map_err(ReedError::io("read_dictionary"))?;
    cache.users = text.lines().skip(1).filter_map(user).collect();
    Ok(())
}

/// The code of a user in the database that the caches point at.
pub(crate) fn user_code(name: &str) -> ReedResult<u32> {
    let cache = cache();
    let users = &cache.as_ref().ok_or_else(not_set)?.users;
    users.get(name).copied().ok_or_else(|| ReedError::IoError {
        operation: "user_code".to_owned(),
        reason: format!("no user '{name}'"),
    })
}

fn user(line: &str) -> Option<(String, u32)> {
    let (code, rest) = line.split_once('|')?;
    Some((rest.split('|').next()?.to_owned(), code.parse().ok()?))
}

fn not_set() -> ReedError {
    let reason = "set_base_path was not called".to_owned();
    ReedError::IoError { operation: "registry".to_owned(), reason }
}

fn cache() -> MutexGuard<'static, Option<Cache>> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}
