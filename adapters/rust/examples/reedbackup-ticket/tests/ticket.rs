//! The behaviours that ticket 060-OPS-01 names in its Step 5.

mod scratch;

use reedbackup_ticket::ops::backup::{create_backup, list_backups, restore_point_in_time};
use reedbackup_ticket::ReedError;
use scratch::{names, run, Scratch};
use std::fs;
use std::process::Command;

#[test]
fn test_create_backup() {
    let db = Scratch::database();
    let before = (db.tree("tables"), db.tree("indices"), db.tree("registry"));
    let info = create_backup(&db.base).unwrap();

    assert_eq!((info.table_count, info.compression.as_str()), (3, "gzip"));
    assert_eq!((db.tree("tables"), db.tree("indices"), db.tree("registry")), before);
    assert_eq!(names(&db.path("backups")), [format!("{}.tar.gz", info.id)]);
    let archive = db.path("backups").join(format!("{}.tar.gz", info.id));
    assert_eq!(fs::metadata(&archive).unwrap().len(), info.size_bytes);
    run(Command::new("gzip").arg("-t").arg(&archive));
    let members = run(Command::new("tar").arg("tzf").arg(&archive));
    for member in ["tables/text/current.csv", "tables/empty/deep/er/", "indices/metadata.json"] {
        assert!(members.lines().any(|line| line == member), "{member} in {members}");
    }
    assert!(!members.contains("registry") && !members.contains("backups"));
}

#[test]
fn test_list_backups() {
    let db = Scratch::database();
    assert_eq!(list_backups(&db.base).unwrap(), []);
    let first = create_backup(&db.base).unwrap();
    fs::create_dir(db.path("tables/more")).unwrap();
    let second = create_backup(&db.base).unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(list_backups(&db.base).unwrap(), [second, first]);
}

#[test]
fn test_restore_point_in_time() {
    let db = Scratch::database();
    let then = (db.tree("tables"), db.tree("indices"));
    let info = create_backup(&db.base).unwrap();
    let others = (db.tree("registry"), db.tree("backups"));

    db.write("tables/text/current.csv", b"changed");
    db.write("tables/new/current.csv", b"new");
    fs::remove_dir_all(db.path("tables/empty")).unwrap();
    fs::remove_dir_all(db.path("indices")).unwrap();
    for target in [info.timestamp, info.timestamp + 1, u64::MAX] {
        let report = restore_point_in_time(&db.base, target).unwrap();
        assert_eq!((db.tree("tables"), db.tree("indices")), then);
        assert_eq!((db.tree("registry"), db.tree("backups")), others);
        assert_eq!(report.tables_restored, 3);
        let files = then.0.values().chain(then.1.values());
        let bytes: usize = files.filter_map(|(_, content)| content.as_ref().map(Vec::len)).sum();
        assert_eq!(report.total_bytes, bytes as u64);
    }
    assert_eq!(names(&db.base), ["backups", "indices", "registry", "tables"]);
}

#[test]
fn test_backup_compression() {
    let db = Scratch::empty();
    let rows: String =
        (0..10_000).map(|i| format!("page.title.{i}|de|Seite {i}|{}\n", i * 7)).collect();
    db.write("tables/text/current.csv", rows.as_bytes());
    let info = create_backup(&db.base).unwrap();
    assert!(
        info.size_bytes * 100 <= rows.len() as u64 * 35,
        "{} of {}",
        info.size_bytes,
        rows.len()
    );
}

#[test]
fn test_backup_cleanup_old() {
    let db = Scratch::database();
    let ids: Vec<_> = (0..40).map(|_| create_backup(&db.base).unwrap().id).collect();
    let kept: Vec<_> = list_backups(&db.base).unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(kept, ids.into_iter().rev().take(32).collect::<Vec<_>>());
}

#[test]
fn test_restore_missing_backup() {
    let db = Scratch::database();
    let none = restore_point_in_time(&db.base, 5);
    assert_eq!(none, Err(ReedError::BackupNotFound { target: 5, oldest: None }));
    assert_eq!(names(&db.base), ["indices", "registry", "tables"]);
    let oldest = Some(create_backup(&db.base).unwrap().timestamp);
    let before = db.tree("");
    let early = restore_point_in_time(&db.base, 5);
    assert_eq!(early, Err(ReedError::BackupNotFound { target: 5, oldest }));
    assert_eq!(db.tree(""), before);
}
