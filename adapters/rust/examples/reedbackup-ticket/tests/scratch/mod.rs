//! A database in a temporary folder, and what a tree looks like.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A temporary folder with a base `.reed` in it, removed at the end.
pub struct Scratch {
    folder: PathBuf,
    pub base: PathBuf,
}

impl Scratch {
    /// An empty base.
    pub fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "reedbackup-ticket-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        let base = folder.join(".reed");
        fs::create_dir_all(&base).unwrap();
        Scratch { folder, base }
    }

    /// Two tables, indices, a registry, and awkward entries.
    pub fn database() -> Self {
        let scratch = Self::empty();
        scratch.write("tables/text/current.csv", b"key|value\npage.title|Hello\n");
        scratch.write("tables/text/version.log", b"1700000000000000000|5|2|27\n");
        scratch.write("tables/text/.lock", b"");
        scratch.write("tables/users/current.csv", "id|name\n1|Größe 表\n".repeat(500).as_bytes());
        scratch.write("tables/users/1700000000000000000.bsdiff", &[0, 255, 10, 13, 0]);
        scratch.write(&format!("tables/users/{}", "long".repeat(60)), b"a name of 240 bytes");
        scratch.write("tables/note.txt", b"a file directly under tables/");
        scratch.write("indices/metadata.json", b"[]");
        scratch.write("indices/text.key.btree", &[0; 1 << 20]);
        scratch.write("registry/users.dict", b"code|username|created_at\n");
        fs::create_dir_all(scratch.base.join("tables/empty/deep/er")).unwrap();
        scratch.mode("tables/text/current.csv", 0o600);
        scratch.mode("tables/users/current.csv", 0o755);
        scratch.mode("tables/empty/deep", 0o2750);
        scratch
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    pub fn write(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Every entry below `path`, with its mode and, of files, its content.
    pub fn tree(&self, path: &str) -> BTreeMap<PathBuf, (u32, Option<Vec<u8>>)> {
        let mut tree = BTreeMap::new();
        collect(&self.base, Path::new(path), &mut tree);
        tree
    }
}

fn collect(base: &Path, path: &Path, tree: &mut BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>) {
    let full = base.join(path);
    let Ok(entry) = full.symlink_metadata() else { return };
    let content = entry.is_file().then(|| fs::read(&full).unwrap());
    tree.insert(path.to_path_buf(), (entry.permissions().mode(), content));
    if entry.is_dir() {
        for child in fs::read_dir(&full).unwrap() {
            collect(base, &path.join(child.unwrap().file_name()), tree);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("the tool runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn copy_as(db: &Scratch, id: &str, name: &str) {
    let backups = db.path("backups");
    fs::copy(backups.join(format!("{id}.tar.gz")), backups.join(name)).unwrap();
}
