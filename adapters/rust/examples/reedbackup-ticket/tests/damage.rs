//! Damaged and hostile archives: refused, and the live tree stays as it is.

mod scratch;

use flate2::write::GzEncoder;
use flate2::Compression;
use reedbackup_ticket::ops::backup::{create_backup, list_backups, restore_point_in_time};
use reedbackup_ticket::ReedError;
use scratch::Scratch;
use std::fs;
use std::io::Write;
use tar::{Builder, EntryType, Header};

const NAME: &str = "1700000000.tar.gz";

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

fn header(kind: EntryType, name: &[u8], size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A tar with `tables/`, one table, and what `more` appends.
fn tar(more: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(EntryType::Directory, b"tables/", 0), &[][..]).unwrap();
    tar.append(&header(EntryType::Directory, b"tables/t/", 0), &[][..]).unwrap();
    tar.append(&header(EntryType::Regular, b"tables/t/current.csv", 3), &b"a|b"[..]).unwrap();
    more(&mut tar);
    tar.into_inner().unwrap()
}

fn member(kind: EntryType, name: &'static str) -> impl FnOnce(&mut Builder<Vec<u8>>) {
    move |tar| tar.append(&header(kind, name.as_bytes(), 0), &[][..]).unwrap()
}

fn link(
    kind: EntryType,
    name: &'static str,
    target: &'static str,
) -> impl FnOnce(&mut Builder<Vec<u8>>) {
    move |tar| {
        let mut header = header(kind, name.as_bytes(), 0);
        header.set_link_name_literal(target).unwrap();
        header.set_cksum();
        tar.append(&header, &[][..]).unwrap();
    }
}

/// Restores `archive` and gives the error; nothing may have changed.
fn refusal(archive: &[u8]) -> ReedError {
    let db = Scratch::empty();
    db.write("tables/live/current.csv", b"live");
    db.write("indices/metadata.json", b"[]");
    db.write(&format!("backups/{NAME}"), archive);
    let before = db.tree("..");
    let error = restore_point_in_time(&db.base, u64::MAX).expect_err("it is refused");
    assert_eq!(db.tree(".."), before);
    error
}

fn assert_unsafe(more: impl FnOnce(&mut Builder<Vec<u8>>), named: &str) {
    match refusal(&gzip(&tar(more))) {
        ReedError::BackupUnsafe { path, .. } => assert_eq!(path, named),
        other => panic!("{named}: {other:?}"),
    }
}

fn assert_corrupted(archive: &[u8], what: &str) {
    match refusal(archive) {
        ReedError::BackupCorrupted { archive, .. } => assert_eq!(archive, NAME),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn the_archive_that_the_others_are_made_from_restores() {
    let db = Scratch::database();
    db.write(&format!("backups/{NAME}"), &gzip(&tar(|_| ())));
    assert_eq!(restore_point_in_time(&db.base, u64::MAX).unwrap().total_bytes, 3);
    assert_eq!(db.tree("tables").len(), 3);
}

#[test]
fn every_flipped_byte_is_reported_and_not_restored() {
    let db = Scratch::empty();
    db.write("tables/text/current.csv", "key|value\npage|Größe\n".repeat(40).as_bytes());
    let id = create_backup(&db.base).unwrap().id;
    let path = db.path(&format!("backups/{id}.tar.gz"));
    let archive = fs::read(&path).unwrap();
    db.write("tables/text/current.csv", b"the live tree");
    let live = db.tree("tables");
    for position in 0..archive.len() {
        let mut damaged = archive.clone();
        damaged[position] ^= 1 << (position % 8);
        fs::write(&path, damaged).unwrap();
        match restore_point_in_time(&db.base, u64::MAX) {
            Err(ReedError::BackupCorrupted { .. }) => assert_eq!(db.tree("tables"), live),
            other => panic!("byte {position} of {}: {other:?}", archive.len()),
        }
    }
}

#[test]
fn every_missing_tail_is_reported_and_not_restored() {
    let archive = gzip(&tar(|_| ()));
    for length in 0..archive.len() {
        assert_corrupted(&archive[..length], &format!("{length} bytes"));
    }
}

#[test]
fn what_follows_the_end_is_damage() {
    let archive = gzip(&tar(|_| ()));
    assert_corrupted(&[&archive[..], b"\0"].concat(), "a byte after the member");
    assert_corrupted(&[&archive[..], &archive].concat(), "a second member");
    let mut more = tar(|_| ());
    more.extend(tar(|_| ()));
    assert_corrupted(&gzip(&more), "a second tar");
}

#[test]
fn an_archive_cut_at_a_member_is_damage_though_its_gzip_is_whole() {
    let whole = tar(|_| ());
    assert_corrupted(&gzip(&whole[..whole.len() - 1024]), "no end of the tar");
    assert_corrupted(&gzip(&whole[..512 * 3 + 100]), "cut within a file");
    assert_corrupted(&gzip(&[0; 1024]), "an empty tar");
    assert_corrupted(&gzip(b""), "nothing");
    assert_corrupted(b"", "an empty file");
}

#[test]
fn no_older_backup_is_taken_instead_of_a_damaged_one() {
    let db = Scratch::database();
    db.write("backups/100.tar.gz", &gzip(&tar(|_| ())));
    db.write("backups/200.tar.gz", b"not gzip");
    assert_eq!(list_backups(&db.base).unwrap().len(), 1);
    let before = db.tree("");
    let error = restore_point_in_time(&db.base, 250).unwrap_err();
    assert!(matches!(error, ReedError::BackupCorrupted { archive, .. } if archive == "200.tar.gz"));
    assert_eq!(db.tree(""), before);
}

#[test]
fn members_outside_the_two_folders_are_refused() {
    assert_unsafe(member(EntryType::Regular, "../evil"), "../evil");
    assert_unsafe(member(EntryType::Regular, "tables/../../evil"), "tables/../../evil");
    assert_unsafe(member(EntryType::Regular, "/tmp/evil"), "/tmp/evil");
    assert_unsafe(member(EntryType::Regular, "registry/users.dict"), "registry/users.dict");
    assert_unsafe(member(EntryType::Regular, "backups/1.tar.gz"), "backups/1.tar.gz");
    assert_unsafe(member(EntryType::Directory, "/tables/x"), "/tables/x");
}

#[test]
fn links_devices_and_other_special_members_are_refused() {
    assert_unsafe(link(EntryType::Symlink, "tables/t/link", "/etc"), "tables/t/link");
    assert_unsafe(link(EntryType::Link, "tables/t/link", "/etc/passwd"), "tables/t/link");
    assert_unsafe(link(EntryType::Symlink, "aside", "/etc"), "aside");
    assert_unsafe(member(EntryType::Fifo, "tables/t/fifo"), "tables/t/fifo");
    assert_unsafe(member(EntryType::Char, "tables/t/device"), "tables/t/device");
    assert_unsafe(member(EntryType::Block, "indices/device"), "indices/device");
    assert_unsafe(member(EntryType::Continuous, "tables/t/odd"), "tables/t/odd");
}

#[test]
fn a_member_that_is_there_twice_or_in_a_file_is_refused() {
    let twice = "tables/t/current.csv";
    assert_unsafe(member(EntryType::Regular, twice), twice);
    assert_unsafe(member(EntryType::Regular, "./tables//t/./current.csv"), twice);
    assert_unsafe(member(EntryType::Directory, "tables/t/"), "tables/t");
    assert_unsafe(member(EntryType::Directory, twice), twice);
    assert_unsafe(member(EntryType::Regular, "tables/t/current.csv/x"), "tables/t/current.csv/x");
    assert_unsafe(member(EntryType::Regular, "indices"), "indices");
}

#[test]
fn an_absurd_size_is_refused() {
    for size in [1 << 40, (1 << 63) - 1, u64::MAX] {
        let archive = gzip(&tar(|tar| {
            tar.get_mut().extend(header(EntryType::Regular, b"tables/t/big", size).as_bytes());
        }));
        match refusal(&archive) {
            ReedError::BackupUnsafe { path, .. } => assert_eq!(path, "tables/t/big"),
            ReedError::BackupCorrupted { .. } => {}
            other => panic!("{size}: {other:?}"),
        }
    }
}

#[test]
fn an_absurdly_long_name_is_refused_before_it_fills_the_memory() {
    let archive = gzip(&tar(|tar| {
        let size = 16 << 20;
        tar.append(
            &header(EntryType::GNULongName, b"././@LongLink", size),
            &vec![b'a'; 16 << 20][..],
        )
        .unwrap();
        member(EntryType::Regular, "tables/t/x")(tar);
    }));
    assert!(matches!(refusal(&archive), ReedError::BackupUnsafe { .. }));
}

#[test]
fn a_sparse_file_is_refused_in_either_format() {
    assert_unsafe(
        |tar| {
            let attributes = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.minor", b"0")];
            tar.append_pax_extensions(attributes).unwrap();
            member(EntryType::Regular, "tables/t/s")(tar);
        },
        "tables/t/s",
    );
}

#[test]
fn members_that_other_implementations_keep_for_themselves_are_passed_over() {
    let db = Scratch::database();
    let archive = gzip(&tar(|tar| {
        member(EntryType::Regular, "manifest.json")(tar);
        member(EntryType::Directory, ".other/")(tar);
        member(EntryType::Regular, ".other/checksums")(tar);
        member(EntryType::Directory, "./")(tar);
        member(EntryType::XGlobalHeader, "pax_global_header")(tar);
    }));
    db.write(&format!("backups/{NAME}"), &archive);
    restore_point_in_time(&db.base, u64::MAX).unwrap();
    assert!(!db.path("manifest.json").exists() && !db.path(".other").exists());
}

#[test]
fn folders_that_only_names_tell_of_are_made() {
    let mut tar = Builder::new(Vec::new());
    tar.append(&header(EntryType::Regular, b"tables/t/deep/x", 1), &b"x"[..]).unwrap();
    tar.append(&header(EntryType::Directory, b"tables/t/", 0), &[][..]).unwrap();
    let db = Scratch::database();
    db.write(&format!("backups/{NAME}"), &gzip(&tar.into_inner().unwrap()));
    assert_eq!(list_backups(&db.base).unwrap()[0].table_count, 1);
    assert_eq!(restore_point_in_time(&db.base, u64::MAX).unwrap().tables_restored, 1);
    assert_eq!(fs::read(db.path("tables/t/deep/x")).unwrap(), b"x");
    assert!(!db.path("indices").exists());
}
