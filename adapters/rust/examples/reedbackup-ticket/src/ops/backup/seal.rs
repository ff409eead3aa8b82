//! What an archive of this module says about itself, in gzip's own extra field.
//!
//! gzip's CRC is about the decompressed bytes, and some flipped bits of a deflate stream do not
//! change those: a distance that points into the same run of zeros elsewhere, the padding of the
//! last byte. The seal is a CRC of the file as it is there, so that no damage goes unnoticed. It
//! also holds the number of tables, so that listing need not decompress a whole archive.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 10 | 2 | length of the extra field, 16 |
//! | 12 | 4 | `RT`, and 12, the length of what follows |
//! | 16 | 4 | CRC-32 of the file with these four bytes zero |
//! | 20 | 8 | folders directly under tables/ |

use flate2::Crc;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const FEXTRA: u8 = 4;
const LENGTH: [u8; 2] = [16, 0];
const ID: [u8; 2] = *b"RT";
const ID_LENGTH: [u8; 2] = [12, 0];
const CRC: usize = 16;
const TABLES: usize = 20;
const END: usize = 28;

/// The extra field of an archive that is still to be sealed.
pub fn blank() -> Vec<u8> {
    [&ID[..], &ID_LENGTH, &[0; END - CRC]].concat()
}

/// Seals a complete archive that was begun with `blank`.
pub fn seal(file: &File, table_count: usize) -> io::Result<()> {
    file.write_all_at(&(table_count as u64).to_le_bytes(), TABLES as u64)?;
    file.write_all_at(&checksum(file)?.to_le_bytes(), CRC as u64)
}

/// The seal's number of tables, or None of an archive that another implementation made.
pub fn table_count(file: &File) -> io::Result<Option<usize>> {
    let count = |head: [u8; END]| u64::from_le_bytes(head[TABLES..].try_into().expect("8 bytes"));
    Ok(head(file)?.and_then(|head| usize::try_from(count(head)).ok()))
}

/// Whether the file is as it was when it was sealed. One without a seal cannot be judged.
pub fn is_intact(file: &File) -> io::Result<bool> {
    match head(file)? {
        Some(head) => Ok(head[CRC..TABLES] == checksum(file)?.to_le_bytes()),
        None => Ok(true),
    }
}

/// The head of a sealed file. One damaged byte in it does not make it pass for an unsealed one.
fn head(file: &File) -> io::Result<Option<[u8; END]>> {
    let mut head = [0; END];
    match file.read_exact_at(&mut head, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let has_id = head[12..14] == ID;
    let has_lengths = head[10..12] == LENGTH && head[14..16] == ID_LENGTH;
    Ok((head[3] & FEXTRA != 0 && (has_id || has_lengths)).then_some(head))
}

fn checksum(file: &File) -> io::Result<u32> {
    let mut crc = Crc::new();
    let mut buffer = vec![0; 1 << 16];
    let mut position = 0;
    loop {
        let count = file.read_at(&mut buffer, position)?;
        if count == 0 {
            return Ok(crc.sum());
        }
        if position == 0 {
            let end = count.min(TABLES);
            buffer[count.min(CRC)..end].fill(0);
        }
        crc.update(&buffer[..count]);
        position += count as u64;
    }
}
