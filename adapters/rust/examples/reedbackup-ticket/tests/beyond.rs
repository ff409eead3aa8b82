//! What goes with the behaviours of the ticket: what is missing, odd, foreign, or done at once.

mod scratch;

use reedbackup_ticket::ops::backup::{create_backup, list_backups, restore_point_in_time};
use reedbackup_ticket::ReedError;
use scratch::{copy_as, names, run, Scratch};
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

#[test]
fn a_base_that_is_missing_or_no_database_stays_as_it_is() {
    let db = Scratch::empty();
    let missing = db.path("typo");
    assert!(matches!(create_backup(&missing), Err(ReedError::IoError { .. })));
    assert_eq!(list_backups(&missing), Ok(Vec::new()));
    let restored = restore_point_in_time(&missing, 1);
    assert_eq!(restored, Err(ReedError::BackupNotFound { target: 1, oldest: None }));
    assert_eq!(create_backup(&db.base), Err(ReedError::NoTablesFound));
    assert_eq!(names(&db.base), Vec::<String>::new());
    db.write("file", b"");
    assert!(matches!(create_backup(&db.path("file")), Err(ReedError::IoError { .. })));
}

#[test]
fn an_empty_database_and_one_without_indices_come_back() {
    let db = Scratch::empty();
    fs::create_dir(db.path("tables")).unwrap();
    assert_eq!(create_backup(&db.base).unwrap().table_count, 0);
    db.write("tables/a/current.csv", b"later");
    db.write("indices/metadata.json", b"later");
    let report = restore_point_in_time(&db.base, u64::MAX).unwrap();
    assert_eq!((report.tables_restored, report.total_bytes), (0, 0));
    assert_eq!(names(&db.base), ["backups", "tables"]);
    assert_eq!(names(&db.path("tables")), Vec::<String>::new());
}

#[test]
fn a_special_file_is_named_and_leaves_nothing() {
    for (entry, make) in [
        (
            "tables/text/link",
            (|path| std::os::unix::fs::symlink("/etc/passwd", path)) as fn(&Path) -> _,
        ),
        ("tables/dangling", |path| std::os::unix::fs::symlink("nowhere", path)),
        ("indices/fifo", |path| {
            run(Command::new("mkfifo").arg(path));
            Ok(())
        }),
        ("tables/empty/socket", |path| UnixListener::bind(path).map(drop)),
    ] {
        let db = Scratch::database();
        make(&db.path(entry)).unwrap();
        match create_backup(&db.base) {
            Err(ReedError::BackupUnsafe { path, .. }) => assert_eq!(path, entry),
            other => panic!("{entry}: {other:?}"),
        }
        assert!(!db.path("backups").exists());
    }
}

#[test]
fn a_symlink_in_place_of_a_folder_is_not_followed() {
    for entry in ["tables", "indices"] {
        let db = Scratch::database();
        create_backup(&db.base).unwrap();
        fs::rename(db.path(entry), db.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", db.path(entry)).unwrap();
        let before = db.tree("");
        let refused =
            [create_backup(&db.base).err(), restore_point_in_time(&db.base, u64::MAX).err()];
        for error in refused {
            assert!(matches!(error, Some(ReedError::BackupUnsafe { path, .. }) if path == entry));
        }
        assert_eq!(db.tree(""), before);
    }
}

#[test]
fn files_of_others_are_neither_listed_nor_counted_nor_deleted() {
    let db = Scratch::database();
    let foreign = ["+5.tar.gz", "007.tar.gz", "notes.txt", "5.tgz", "9-0.tar.gz"];
    for name in foreign {
        db.write(&format!("backups/{name}"), b"foreign");
    }
    db.write("backups/1.tar.gz", b"");
    db.write("backups/2.tar.gz", b"not gzip");
    fs::create_dir(db.path("backups/3.tar.gz")).unwrap();
    std::os::unix::fs::symlink("nowhere", db.path("backups/4.tar.gz")).unwrap();
    for _ in 0..34 {
        create_backup(&db.base).unwrap();
    }
    assert_eq!(list_backups(&db.base).unwrap().len(), 32);
    let left = names(&db.path("backups"));
    for name in foreign.into_iter().chain(["1.tar.gz", "2.tar.gz", "3.tar.gz", "4.tar.gz"]) {
        assert!(left.iter().any(|other| other == name), "{name}");
    }
    assert_eq!(left.len(), 32 + 9);
}

#[test]
fn the_backup_just_made_is_kept_though_the_clock_went_back() {
    let db = Scratch::database();
    let now = create_backup(&db.base).unwrap();
    for later in 1..=40 {
        copy_as(&db, &now.id, &format!("{}.tar.gz", now.timestamp + 1000 + later));
    }
    let made = create_backup(&db.base).unwrap();
    let kept = list_backups(&db.base).unwrap();
    assert_eq!(kept.len(), 32);
    assert_eq!(kept.last(), Some(&made));
}

#[test]
fn restore_takes_the_newest_at_or_before_the_target() {
    let db = Scratch::database();
    for (content, name) in
        [("a", "100"), ("b", "200"), ("c", "200-9"), ("d", "200-10"), ("e", "300")]
    {
        db.write("tables/text/current.csv", content.as_bytes());
        let made = create_backup(&db.base).unwrap().id;
        let backups = db.path("backups");
        let archive = backups.join(format!("{made}.tar.gz"));
        fs::rename(archive, backups.join(format!("{name}.tar.gz"))).unwrap();
    }
    for (target, content) in
        [(100, "a"), (199, "a"), (200, "d"), (299, "d"), (300, "e"), (u64::MAX, "e")]
    {
        restore_point_in_time(&db.base, target).unwrap();
        assert_eq!(fs::read(db.path("tables/text/current.csv")).unwrap(), content.as_bytes());
    }
    assert!(restore_point_in_time(&db.base, 99).is_err());
}

#[test]
fn an_archive_of_tar_restores() {
    let db = Scratch::database();
    let then = (db.tree("tables"), db.tree("indices"));
    for (options, members) in [
        (vec!["--format=gnu"], ["tables", "indices"]),
        (vec!["--format=pax"], ["./tables", "./indices"]),
    ] {
        fs::create_dir_all(db.path("backups")).unwrap();
        let archive = db.path("backups/1700000000.tar.gz");
        run(Command::new("tar")
            .args(&options)
            .arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(&db.base)
            .args(members));
        assert_eq!(list_backups(&db.base).unwrap()[0].table_count, 3);
        fs::remove_dir_all(db.path("tables")).unwrap();
        assert_eq!(restore_point_in_time(&db.base, 1_700_000_000).unwrap().tables_restored, 3);
        assert_eq!((db.tree("tables"), db.tree("indices")), then);
    }
}

#[test]
fn times_before_1970_and_after_2038_come_back() {
    let db = Scratch::database();
    let path = db.path("tables/text/current.csv");
    let hour = Duration::from_secs(3600);
    for time in [SystemTime::UNIX_EPOCH - hour, SystemTime::UNIX_EPOCH + hour * 24 * 365 * 80] {
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        create_backup(&db.base).unwrap();
        fs::remove_file(&path).unwrap();
        restore_point_in_time(&db.base, u64::MAX).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
    }
}

#[test]
fn a_table_that_is_being_written_is_waited_for() {
    let db = Scratch::database();
    let writer = fs::File::open(db.path("tables/text/.lock")).unwrap();
    writer.lock().unwrap();
    db.write("tables/text/current.csv", b"half");
    let base = db.base.clone();
    let backup = std::thread::spawn(move || create_backup(&base));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!backup.is_finished());
    db.write("tables/text/current.csv", b"half and half");
    drop(writer);
    backup.join().unwrap().unwrap();
    db.write("tables/text/current.csv", b"later");
    restore_point_in_time(&db.base, u64::MAX).unwrap();
    assert_eq!(fs::read(db.path("tables/text/current.csv")).unwrap(), b"half and half");
}

#[test]
fn two_writers_at_once_make_two_backups() {
    let db = Scratch::database();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let base = db.base.clone();
            std::thread::spawn(move || create_backup(&base).unwrap().id)
        })
        .collect();
    let mut ids: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(list_backups(&db.base).unwrap().len(), 4);
}

#[test]
fn the_rest_of_a_killed_create_is_cleared_away() {
    let db = Scratch::database();
    db.write("backups/.reedbackup.partial", b"half an archive");
    assert_eq!(list_backups(&db.base).unwrap(), []);
    let info = create_backup(&db.base).unwrap();
    assert_eq!(names(&db.path("backups")), [format!("{}.tar.gz", info.id)]);
}
