//! Sample tables, read in pieces: their declared number of entries is believed only as far as bytes are there.

use super::boxes::BoxHeader;
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::source::Source;

/// Bytes read at a time.
const PIECE: u32 = 64 * 1024;

/// Calls `each` with every entry of `entry` bytes, `skip` bytes into a box.
pub(super) fn for_each(
    source: &mut Source,
    table: &BoxHeader,
    skip: u64,
    entry: u32,
    declared: u32,
    mut each: impl FnMut(Fields<'_>),
) -> Result<(), ProbeError> {
    let Ok(entry_len) = usize::try_from(entry) else {
        return Ok(());
    };
    let present = table
        .len()
        .saturating_sub(skip)
        .checked_div(u64::from(entry))
        .unwrap_or(0);
    let mut left = present.min(u64::from(declared));
    let mut at = table.start.saturating_add(skip);
    while left > 0 {
        let entries = left.min(u64::from(PIECE / entry.max(1)));
        let piece = usize::try_from(entries)
            .unwrap_or(0)
            .saturating_mul(entry_len);
        for bytes in source.up_to(at, piece)?.chunks_exact(entry_len) {
            each(Fields(bytes));
        }
        left -= entries;
        at += entries * u64::from(entry);
    }
    Ok(())
}
