//! Chunks of RIFF (little-endian) and IFF (big-endian) files.

use crate::error::ProbeError;
use crate::source::Source;

/// Most chunks looked at.
const LIMIT: u32 = 10_000;

/// Which end of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// Header of a chunk and where its content lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) id: [u8; 4],
    pub(super) start: u64,
    /// The size that the header gives, whether or not the file has as much.
    pub(super) declared: u32,
}

/// The chunks behind the twelve bytes that open a file.
#[derive(Debug)]
pub(super) struct Chunks {
    at: u64,
    endian: Endian,
    left: u32,
}

impl Chunks {
    pub(super) fn of_file(endian: Endian) -> Self {
        Self {
            at: 12,
            endian,
            left: LIMIT,
        }
    }

    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Chunk>, ProbeError> {
        self.left = self.left.checked_sub(1).ok_or(ProbeError::TooComplex)?;
        let Some([i0, i1, i2, i3, size @ ..]) = source.array::<8>(self.at)? else {
            return Ok(None);
        };
        let declared = match self.endian {
            Endian::Little => u32::from_le_bytes(size),
            Endian::Big => u32::from_be_bytes(size),
        };
        let start = self.at + 8;
        // Chunks begin at even offsets.
        self.at = start + u64::from(declared) + u64::from(declared & 1);
        Ok(Some(Chunk {
            id: [i0, i1, i2, i3],
            start,
            declared,
        }))
    }
}
