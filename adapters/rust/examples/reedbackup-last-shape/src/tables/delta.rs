//! Deltas: a stream of (control, diff, extra) without header or length, xz-compressed.

use crate::error::{ReedError, ReedResult};

const CONTROL: usize = 24;

/// Unpacks a delta's file.
pub fn decompress(packed: &[u8]) -> ReedResult<Vec<u8>> {
    let mut stream = Vec::new();
    lzma_rs::xz_decompress(&mut &packed[..], &mut stream).map_err(|error| {
        ReedError::DecompressionFailed { reason: format!("XZ read error: {error:?}") }
    })?;
    Ok(stream)
}

/// Packs a stream as a delta's file.
pub fn compress(stream: &[u8]) -> ReedResult<Vec<u8>> {
    let mut packed = Vec::new();
    lzma_rs::xz_compress(&mut &stream[..], &mut packed)
        .map_err(|error| ReedError::DeltaGenerationFailed { reason: error.to_string() })?;
    Ok(packed)
}

/// The stream that makes `new` of any old content: all of it is extra bytes.
pub fn replacing(new: &[u8]) -> Vec<u8> {
    if new.is_empty() {
        return Vec::new();
    }
    let mut stream = vec![0; CONTROL];
    stream[8..16].copy_from_slice(&(new.len() as u64).to_le_bytes());
    stream.extend(new);
    stream
}

/// Applies a stream to the content before it.
pub fn apply(old: &[u8], mut stream: &[u8]) -> ReedResult<Vec<u8>> {
    let failed = |kind: &str| ReedError::DeltaApplicationFailed {
        reason: format!("bspatch error: Kind({kind})"),
    };
    let mut take = |count: i64| {
        let count = usize::try_from(count).map_err(|_| failed("InvalidData"))?;
        let (taken, rest) =
            stream.split_at_checked(count).ok_or_else(|| failed("UnexpectedEof"))?;
        stream = rest;
        Ok((taken, rest.is_empty()))
    };
    let mut new = Vec::new();
    let mut position = 0_i64;
    let mut is_over = take(0)?.1;
    while !is_over {
        let control = take(CONTROL as i64)?.0;
        let [mix, extra, seek] = [0, 8, 16].map(|at| integer(&control[at..at + 8]));
        let start = usize::try_from(position).map_err(|_| failed("InvalidData"))?;
        let diff = take(mix)?.0;
        let matched = start.checked_add(diff.len()).and_then(|end| old.get(start..end));
        let matched = matched.ok_or_else(|| failed("UnexpectedEof"))?;
        new.extend(diff.iter().zip(matched).map(|(diff, old)| diff.wrapping_add(*old)));
        let (bytes, at_end) = take(extra)?;
        new.extend(bytes);
        is_over = at_end;
        let next = position.checked_add(mix).and_then(|position| position.checked_add(seek));
        position = next.ok_or_else(|| failed("InvalidData"))?;
    }
    Ok(new)
}

/// Eight bytes, little endian, the top bit of the last one the sign.
fn integer(bytes: &[u8]) -> i64 {
    let raw = bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let magnitude = (raw & !(1 << 63)).cast_signed();
    if raw >> 63 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::{apply, compress, decompress, replacing};

    fn control(numbers: [i64; 3]) -> Vec<u8> {
        let sign = |n: i64| if n < 0 { 1_u64 << 63 } else { 0 };
        numbers.iter().flat_map(|n| (n.unsigned_abs() | sign(*n)).to_le_bytes()).collect()
    }

    #[test]
    fn diff_extra_and_seek_rebuild_the_new_content() {
        let first = [control([3, 2, -3]), vec![0, 1, 255], b"XY".to_vec()].concat();
        let second = [control([4, 0, 0]), vec![0; 4]].concat();
        assert_eq!(apply(b"abcdef", &[first, second].concat()).unwrap(), b"acbXYabcd");
    }

    #[test]
    fn a_replacing_delta_survives_packing() {
        for content in [&b""[..], b"a|b\n", &[0; 100_000]] {
            let packed = compress(&replacing(content)).unwrap();
            assert_eq!(apply(b"anything", &decompress(&packed).unwrap()).unwrap(), content);
        }
    }

    #[test]
    fn damage_is_an_error_not_a_panic() {
        assert!(apply(b"abc", &control([5, 0, 0])).is_err());
        assert!(apply(b"abc", &control([-1, 0, 0])).is_err());
        assert!(apply(b"abc", &control([0, i64::MAX, 0])).is_err());
        assert!(apply(b"abc", &[1, 2, 3]).is_err());
        let back = [control([0, 0, -1]), control([1, 0, 0]), vec![0]].concat();
        assert!(apply(b"abc", &back).is_err());
        assert!(decompress(b"not xz").is_err() && decompress(b"").is_err());
    }
}
