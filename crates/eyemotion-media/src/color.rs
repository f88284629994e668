//! Colour code points (ISO/IEC 23091-2) in ffprobe's names.

use crate::fields::Fields;
use crate::probe::Color;

/// Reads a `colr` box: `nclx` of MP4 or `nclc` of QuickTime; ICC profiles say nothing in these terms.
pub(crate) fn from_colr(content: &[u8]) -> Option<Color> {
    let mut fields = Fields(content);
    let kind = fields.array::<4>()?;
    if &kind != b"nclx" && &kind != b"nclc" {
        return None;
    }
    let color = Color {
        primaries: primaries(u64::from(fields.u16()?)),
        transfer: transfer(u64::from(fields.u16()?)),
        matrix: matrix(u64::from(fields.u16()?)),
        range: None,
    };
    let full = if &kind == b"nclx" { fields.u8() } else { None };
    let range = full.map(|flags| if flags & 0x80 == 0 { "tv" } else { "pc" }.to_owned());
    Some(Color { range, ..color })
}

pub(crate) fn primaries(code: u64) -> Option<String> {
    named(match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "film",
        9 => "bt2020",
        10 => "smpte428",
        11 => "smpte431",
        12 => "smpte432",
        22 => "ebu3213",
        _ => return None,
    })
}

pub(crate) fn transfer(code: u64) -> Option<String> {
    named(match code {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "linear",
        9 => "log100",
        10 => "log316",
        11 => "iec61966-2-4",
        12 => "bt1361e",
        13 => "iec61966-2-1",
        14 => "bt2020-10",
        15 => "bt2020-12",
        16 => "smpte2084",
        17 => "smpte428",
        18 => "arib-std-b67",
        _ => return None,
    })
}

pub(crate) fn matrix(code: u64) -> Option<String> {
    named(match code {
        0 => "gbr",
        1 => "bt709",
        4 => "fcc",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "ycgco",
        9 => "bt2020nc",
        10 => "bt2020c",
        11 => "smpte2085",
        12 => "chroma-derived-nc",
        13 => "chroma-derived-c",
        14 => "ictcp",
        _ => return None,
    })
}

// Options all through, so that a match arm can leave with `return None`.
#[expect(
    clippy::unnecessary_wraps,
    reason = "completes the tables' `Option` in one place"
)]
fn named(name: &str) -> Option<String> {
    Some(name.to_owned())
}
