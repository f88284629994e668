//! EBML elements (RFC 8794).

use crate::error::ProbeError;
use crate::source::Source;

/// Most elements looked at in one walk.
const LIMIT: u32 = 1_000_000;

/// The file's header element.
const EBML: u32 = 0x1a45_dfa3;
const DOC_TYPE: u32 = 0x4282;

/// Header of an element and where its content lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    pub(crate) id: u32,
    pub(crate) start: u64,
    /// Behind the content, within the parent.
    pub(crate) end: u64,
    /// The writer did not know the size when it began (live recordings): the element goes on until something that
    /// cannot be inside it.
    pub(crate) is_open: bool,
}

impl Element {
    pub(crate) fn children(&self) -> Elements {
        Elements {
            at: self.start,
            end: self.end,
            left: LIMIT,
        }
    }

    fn bytes(&self, source: &mut Source, cap: usize) -> Result<Vec<u8>, ProbeError> {
        let len = usize::try_from(self.end - self.start).map_or(cap, |len| len.min(cap));
        source.up_to(self.start, len)
    }

    /// The content as an unsigned number of up to 8 bytes.
    pub(crate) fn unsigned(&self, source: &mut Source) -> Result<u64, ProbeError> {
        let bytes = self.bytes(source, 8)?;
        Ok(bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// The content as a float of 4 or 8 bytes, 0 when it is none.
    pub(crate) fn float(&self, source: &mut Source) -> Result<f64, ProbeError> {
        let bytes = self.bytes(source, 8)?;
        Ok(if let Ok(bytes) = <[u8; 8]>::try_from(bytes.as_slice()) {
            f64::from_be_bytes(bytes)
        } else if let Ok(bytes) = <[u8; 4]>::try_from(bytes.as_slice()) {
            f32::from_be_bytes(bytes).into()
        } else {
            0.0
        })
    }

    /// The content as text, at most 256 bytes of it and up to a terminating zero.
    pub(crate) fn text(&self, source: &mut Source) -> Result<String, ProbeError> {
        let bytes = self.bytes(source, 256)?;
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The content as bytes, at most 64 KiB of it.
    pub(crate) fn binary(&self, source: &mut Source) -> Result<Vec<u8>, ProbeError> {
        self.bytes(source, 64 * 1024)
    }
}

/// The elements of one parent, one after the other, without recursion.
#[derive(Debug)]
pub(crate) struct Elements {
    at: u64,
    end: u64,
    left: u32,
}

impl Elements {
    pub(crate) fn of_file(source: &Source) -> Self {
        Self {
            at: 0,
            end: source.len(),
            left: LIMIT,
        }
    }

    /// Elements from `at` to `end`.
    pub(crate) fn between(at: u64, end: u64) -> Self {
        Self {
            at,
            end,
            left: LIMIT,
        }
    }

    /// The next element; `None` at the end.
    pub(crate) fn next(&mut self, source: &mut Source) -> Result<Option<Element>, ProbeError> {
        if self.at >= self.end {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or(ProbeError::TooComplex)?;
        let header = source.up_to(self.at, 12)?;
        let Some((id, id_len, _)) = variable(&header, true, 4) else {
            return Err(ProbeError::Malformed("an element has no valid id"));
        };
        let Some((size, size_len, is_open)) = header
            .get(id_len..)
            .and_then(|rest| variable(rest, false, 8))
        else {
            // A file that was cut off within a header ends here.
            return Ok(None);
        };
        let start = self.at + u64::try_from(id_len + size_len).unwrap_or(0);
        let end = if is_open {
            self.end
        } else {
            start.saturating_add(size).min(self.end)
        };
        let start = start.min(end);
        self.at = end;
        Ok(Some(Element {
            id: u32::try_from(id).unwrap_or(0),
            start,
            end,
            is_open,
        }))
    }

    /// Offset of the next element.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Goes on inside an element just given, instead of behind it. The end stays that of the parent, so that elements
    /// without a size are left where they end.
    pub(crate) fn enter(&mut self, element: &Element) {
        self.at = element.start;
    }
}

/// A number of variable length (RFC 8794, 4): value, bytes taken, and whether all its bits are ones.
pub(super) fn variable(bytes: &[u8], keep_marker: bool, max: usize) -> Option<(u64, usize, bool)> {
    let first = *bytes.first()?;
    let len = usize::try_from(first.leading_zeros()).ok()? + 1;
    if len > max {
        return None;
    }
    let marker = 0x80_u8 >> (len - 1);
    let front = u64::from(first & (marker - 1));
    let value = bytes
        .get(1..len)?
        .iter()
        .fold(front, |value, &b| value << 8 | u64::from(b));
    let is_open = value == (1_u64 << (7 * len)) - 1;
    let marker = if keep_marker {
        u64::from(marker) << (8 * (len - 1))
    } else {
        0
    };
    Some((value | marker, len, is_open))
}

/// The document type of an EBML file: `matroska`, `webm` ...; `None` when this is no EBML.
pub(crate) fn doc_type(source: &mut Source) -> Result<Option<String>, ProbeError> {
    let header = Elements::of_file(source).next(source)?;
    let Some(header) = header.filter(|element| element.id == EBML) else {
        return Ok(None);
    };
    let mut fields = header.children();
    while let Some(field) = fields.next(source)? {
        if field.id == DOC_TYPE {
            return field.text(source).map(Some);
        }
    }
    Ok(Some("matroska".into()))
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn numbers_of_variable_length() {
        assert_eq!(variable(&[0x81], false, 8), Some((1, 1, false)));
        assert_eq!(variable(&[0xff], false, 8), Some((127, 1, true)));
        assert_eq!(variable(&[0x40, 0x02], false, 8), Some((2, 2, false)));
        assert_eq!(
            variable(&[0x1a, 0x45, 0xdf, 0xa3], true, 4),
            Some((0x1a45_dfa3, 4, false))
        );
        let open = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(variable(&open, false, 8).unwrap().2);
        assert_eq!(variable(&[0x00], false, 8), None);
        assert_eq!(variable(&[0x40], false, 8), None);
        assert_eq!(variable(&[0x08, 0, 0, 0, 0], true, 4), None);
        assert_eq!(variable(&[], true, 4), None);
    }
}
