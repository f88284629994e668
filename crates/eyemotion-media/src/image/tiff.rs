//! Size and orientation of a TIFF (TIFF 6.0, section 2), whatever the coding of its pixels.

use std::path::Path;

use crate::error::ProbeError;
use crate::fields::Fields;
use crate::source::Source;

/// What the first image of a file says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TiffHeader {
    pub(super) width: u32,
    pub(super) height: u32,
    /// EXIF's number for the orientation, 1 where nothing is said.
    pub(super) orientation: u8,
}

/// Reads the first directory.
pub(super) fn read(path: &Path) -> Result<TiffHeader, ProbeError> {
    let mut source = Source::open(path)?;
    let header = source.array::<8>(0)?.unwrap_or_default();
    let [b0, b1, _, _, offset @ ..] = header;
    let order = Order {
        is_big: [b0, b1] == *b"MM",
    };
    let directory = u64::from(order.u32(offset));
    let count = source.array(directory)?.map_or(0, |count| order.u16(count));
    let entries = source.up_to(directory + 2, usize::from(count) * 12)?;
    let mut found = TiffHeader {
        orientation: 1,
        ..TiffHeader::default()
    };
    for entry in entries.chunks_exact(12) {
        match order.entry(Fields(entry)) {
            Some((0x100, width)) => found.width = width,
            Some((0x101, height)) => found.height = height,
            Some((0x112, orientation)) => {
                found.orientation = u8::try_from(orientation).unwrap_or(1);
            }
            _ => {}
        }
    }
    if found.width == 0 || found.height == 0 {
        return Err(ProbeError::Malformed("the picture has no size"));
    }
    Ok(found)
}

/// The byte order of a file.
#[derive(Clone, Copy)]
struct Order {
    is_big: bool,
}

impl Order {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// Tag and value of an entry that holds one number of 16 or 32 bits.
    fn entry(self, mut fields: Fields<'_>) -> Option<(u16, u32)> {
        let tag = self.u16(fields.array()?);
        let kind = self.u16(fields.array()?);
        let count = self.u32(fields.array()?);
        let value = match kind {
            3 => u32::from(self.u16(fields.array()?)),
            4 => self.u32(fields.array()?),
            _ => return None,
        };
        (count == 1).then_some((tag, value))
    }
}
