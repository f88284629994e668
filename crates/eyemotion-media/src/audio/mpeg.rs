//! MPEG audio frames (ISO/IEC 11172-3, 13818-3) and ADTS frames (ISO/IEC 13818-7), with the tags before them.

use crate::error::ProbeError;
use crate::fields::Fields;
use crate::source::Source;

/// Bytes searched for the first frame behind a tag.
const SEARCH: usize = 64 * 1024;

/// What one frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `mp3`, `mp2`, `mp1` or `aac`.
    pub(crate) codec: &'static str,
    /// Bytes of the whole frame with its header.
    pub(crate) len: u64,
    /// Samples of each channel in the frame.
    pub(crate) samples: u32,
    pub(crate) sample_rate: u32,
    pub(crate) channels: u32,
    /// Bits a second, where the header says so.
    pub(crate) bit_rate: Option<u32>,
    /// Bytes of side information behind the header (MPEG layer III), where a Xing tag may follow.
    pub(crate) side_info: u64,
}

impl Frame {
    /// Reads a frame header off the first seven bytes; `None` when this is none.
    pub(crate) fn parse(header: [u8; 7]) -> Option<Self> {
        let [0xff, second, ..] = header else {
            return None;
        };
        match second & 0xf6 {
            0xf0 => Self::adts(header),
            _ if second & 0xe0 == 0xe0 => Self::mpeg(header),
            _ => None,
        }
    }

    fn mpeg([_, second, third, fourth, ..]: [u8; 7]) -> Option<Self> {
        let version_1 = second & 0x18 == 0x18;
        let halvings = match second & 0x18 {
            0x18 => 0,
            0x10 => 1,
            0x00 => 2,
            _ => return None,
        };
        let rates: &[u32; 16] = match (version_1, second & 0x06) {
            (true, 0x06) => &[
                0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0,
            ],
            (true, 0x04) => &[
                0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0,
            ],
            (true, 0x02) => &[
                0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0,
            ],
            (false, 0x06) => &[
                0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0,
            ],
            (false, 0x02 | 0x04) => &[
                0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0,
            ],
            _ => return None,
        };
        let bit_rate = rates
            .get(usize::from(third >> 4))
            .filter(|&&kilo| kilo > 0)?
            * 1000;
        let sample_rate = [44_100, 48_000, 32_000]
            .get(usize::from(third >> 2 & 3))
            .map(|rate| rate >> halvings)?;
        let padding = u32::from(third >> 1 & 1);
        let (codec, samples, len) = match second & 0x06 {
            0x06 => ("mp1", 384, (12 * bit_rate / sample_rate + padding) * 4),
            0x04 => ("mp2", 1152, 144 * bit_rate / sample_rate + padding),
            _ if version_1 => ("mp3", 1152, 144 * bit_rate / sample_rate + padding),
            _ => ("mp3", 576, 72 * bit_rate / sample_rate + padding),
        };
        let channels = if fourth >> 6 == 3 { 1 } else { 2 };
        let side_info = match (version_1, channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            _ => 9,
        };
        let (len, bit_rate) = (u64::from(len), Some(bit_rate));
        Some(Self {
            codec,
            len,
            samples,
            sample_rate,
            channels,
            bit_rate,
            side_info,
        })
    }

    fn adts([_, _, third, fourth, fifth, sixth, seventh]: [u8; 7]) -> Option<Self> {
        let sample_rate = adts_sample_rate(third >> 2 & 0x0f)?;
        let len = u64::from(fourth & 3) << 11 | u64::from(fifth) << 3 | u64::from(sixth >> 5);
        let channels = match (third & 1) << 2 | fourth >> 6 {
            7 => 8,
            n => u32::from(n),
        };
        let samples = 1024 * (u32::from(seventh & 3) + 1);
        (len > 7).then_some(Self {
            codec: "aac",
            len,
            samples,
            sample_rate,
            channels,
            bit_rate: None,
            side_info: 0,
        })
    }

    fn continues(&self, other: &Self) -> bool {
        self.codec == other.codec && self.sample_rate == other.sample_rate
    }
}

/// Sampling frequency of an index (ISO/IEC 14496-3, table 1.18).
pub(crate) fn adts_sample_rate(index: u8) -> Option<u32> {
    let rates = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8_000, 7_350,
    ];
    rates.get(usize::from(index)).copied()
}

/// Where the bytes behind all ID3v2 tags at the file's start begin (0 without tags).
pub(crate) fn behind_id3(source: &mut Source) -> Result<u64, ProbeError> {
    let mut at = 0;
    // Files with more tags than this do not exist; a loop over a huge zero-size tag does not either.
    for _ in 0..16 {
        let Some(header) = source.array::<10>(at)? else {
            break;
        };
        let [b'I', b'D', b'3', _, _, flags, size @ ..] = header else {
            break;
        };
        let size = size
            .iter()
            .fold(0, |sum, &byte| sum << 7 | u64::from(byte & 0x7f));
        at += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
    }
    Ok(at)
}

/// The frame at `at`, if there is one.
pub(crate) fn frame_at(source: &mut Source, at: u64) -> Result<Option<Frame>, ProbeError> {
    Ok(source.array(at)?.and_then(Frame::parse))
}

/// Whether three frames follow each other from `at`, or fewer that end with the file: one whole, the next perhaps cut.
pub(crate) fn is_stream(source: &mut Source, at: u64) -> Result<bool, ProbeError> {
    let Some(first) = frame_at(source, at)? else {
        return Ok(false);
    };
    let mut next = at + first.len;
    if next > source.len() {
        return Ok(false);
    }
    for _ in 0..2 {
        let is_end = source.array::<7>(next)?.is_none();
        if is_end || source.array::<3>(next)? == Some(*b"TAG") {
            return Ok(true);
        }
        match frame_at(source, next)? {
            Some(frame) if frame.continues(&first) => next += frame.len,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The first frame at or behind `start` that begins a stream.
pub(crate) fn find_stream(
    source: &mut Source,
    start: u64,
) -> Result<Option<(u64, Frame)>, ProbeError> {
    let window = source.up_to(start, SEARCH)?;
    let mut bytes = Fields(&window);
    let mut at = start;
    while let Some(header) = bytes.0.first_chunk() {
        if let Some(frame) = Frame::parse(*header)
            && is_stream(source, at)?
        {
            return Ok(Some((at, frame)));
        }
        bytes.u8();
        at += 1;
    }
    Ok(None)
}
