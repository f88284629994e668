//! Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2) and QuickTime atoms.

use crate::error::ProbeError;
use crate::source::Source;

/// Most boxes looked at in one container; honest files hold some tens, fragmented ones two for each fragment.
const LIMIT: u32 = 1_000_000;

/// Header of a box and where its content lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoxHeader {
    /// Four-character code.
    pub(crate) kind: [u8; 4],
    /// Offset of the content in the file.
    pub(crate) start: u64,
    /// Offset behind the content, within the container.
    pub(crate) end: u64,
    /// Whether the box claims more bytes than its container has.
    pub(crate) is_cut: bool,
}

impl BoxHeader {
    /// Bytes of content.
    pub(crate) fn len(&self) -> u64 {
        self.end - self.start
    }

    /// The boxes inside, behind `skip` bytes of fields.
    pub(crate) fn children(&self, skip: u64) -> Boxes {
        Boxes {
            at: self.start.saturating_add(skip),
            end: self.end,
            left: LIMIT,
        }
    }

    /// The content as far as `cap` bytes.
    pub(crate) fn content(&self, source: &mut Source, cap: usize) -> Result<Vec<u8>, ProbeError> {
        source.up_to(
            self.start,
            usize::try_from(self.len()).map_or(cap, |len| len.min(cap)),
        )
    }
}

/// The boxes of one container, one after the other, without recursion.
#[derive(Debug)]
pub(crate) struct Boxes {
    at: u64,
    end: u64,
    left: u32,
}

impl Boxes {
    /// The boxes of the whole file.
    pub(crate) fn of_file(source: &Source) -> Self {
        Self {
            at: 0,
            end: source.len(),
            left: LIMIT,
        }
    }

    /// The next box; `None` at the end, or where only padding is left.
    pub(crate) fn next(&mut self, source: &mut Source) -> Result<Option<BoxHeader>, ProbeError> {
        let room = self.end.saturating_sub(self.at);
        if room < 8 {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or(ProbeError::TooComplex)?;
        let Some([s0, s1, s2, s3, kind @ ..]) = source.array::<8>(self.at)? else {
            return Ok(None);
        };
        let (header, size) = match u32::from_be_bytes([s0, s1, s2, s3]) {
            // To the end of the container. QuickTime also ends a list of boxes with a zero.
            0 if kind == [0; 4] => return Ok(None),
            0 => (8, room),
            1 => match source.array::<8>(self.at + 8)? {
                Some(size) => (16, u64::from_be_bytes(size)),
                None => return Ok(None),
            },
            size => (8, u64::from(size)),
        };
        if size < header {
            return Err(ProbeError::Malformed("a box is smaller than its header"));
        }
        let start = self.at + header.min(room);
        self.at += size.min(room);
        Ok(Some(BoxHeader {
            kind,
            start,
            end: self.at,
            is_cut: size > room,
        }))
    }

    /// The first box of a kind from here on.
    pub(crate) fn find(
        mut self,
        source: &mut Source,
        kind: [u8; 4],
    ) -> Result<Option<BoxHeader>, ProbeError> {
        while let Some(found) = self.next(source)? {
            if found.kind == kind {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
