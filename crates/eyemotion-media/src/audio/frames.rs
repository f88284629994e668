//! MP3 and raw AAC: streams of frames without a container.

use super::mpeg::{self, Frame};
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::{Probe, bits_per_second};
use crate::source::Source;

/// AAC frames counted one by one, six hours of them; beyond, the rest is reckoned from these.
const COUNTED: u64 = 1_000_000;

/// Reads the first frames of a stream and finds out its length.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let behind_tags = mpeg::behind_id3(source)?;
    let (start, frame) = mpeg::find_stream(source, behind_tags)?
        .ok_or(ProbeError::Malformed("there are no audio frames"))?;
    let bytes = source.len() - start - trailing_tag(source)?.min(source.len() - start);
    if frame.codec == "aac" {
        let samples = count_adts(source, start, bytes)?;
        let mut probe = super::of_one_track(
            "aac",
            "aac",
            frame.sample_rate,
            frame.channels,
            Some(samples),
        );
        for track in &mut probe.tracks {
            track.bit_rate = track.duration_us.and_then(|us| bits_per_second(bytes, us));
        }
        return Ok(probe);
    }
    let header = VbrHeader::read(source, start, &frame)?;
    let (samples, bit_rate) = if let Some(header) = header {
        let samples = u64::from(header.frames) * u64::from(frame.samples);
        let next = mpeg::frame_at(source, start + frame.len)?.unwrap_or(frame);
        let constant = next.bit_rate.filter(|_| header.is_constant).map(u64::from);
        let bits = u128::from(header.bytes) * 8 * u128::from(frame.sample_rate);
        let mean = bits
            .checked_div(u128::from(samples))
            .and_then(|rate| u64::try_from(rate).ok());
        (Some(samples), constant.or(mean))
    } else {
        let rate = frame.bit_rate.map(u64::from);
        let samples = rate.and_then(|rate| {
            let bits = bytes.checked_mul(8)?;
            bits.checked_mul(u64::from(frame.sample_rate))?
                .checked_div(rate)
        });
        (samples, rate)
    };
    let mut probe = super::of_one_track(
        "mp3",
        frame.codec,
        frame.sample_rate,
        frame.channels,
        samples,
    );
    for track in &mut probe.tracks {
        track.bit_rate = bit_rate.filter(|&rate| rate > 0);
    }
    Ok(probe)
}

/// Bytes of an ID3v1 tag at the end.
fn trailing_tag(source: &mut Source) -> Result<u64, ProbeError> {
    let Some(at) = source.len().checked_sub(128) else {
        return Ok(0);
    };
    Ok(if source.array::<3>(at)? == Some(*b"TAG") {
        128
    } else {
        0
    })
}

/// Samples of all ADTS frames in `bytes` from `start`.
fn count_adts(source: &mut Source, start: u64, bytes: u64) -> Result<u64, ProbeError> {
    let (mut at, mut samples) = (start, 0);
    for _ in 0..COUNTED {
        match mpeg::frame_at(source, at)? {
            Some(frame) if frame.codec == "aac" => {
                samples += u64::from(frame.samples);
                at += frame.len;
            }
            _ => return Ok(samples),
        }
    }
    let scaled = u128::from(samples) * u128::from(bytes);
    let total = scaled.checked_div(u128::from(at - start)).unwrap_or(0);
    Ok(u64::try_from(total).unwrap_or(u64::MAX))
}

/// The frame of numbers that encoders put first: Xing's, or Fraunhofer's VBRI.
struct VbrHeader {
    frames: u32,
    bytes: u32,
    /// LAME calls the tag "Info" when every frame has the same bit rate.
    is_constant: bool,
}

impl VbrHeader {
    fn read(source: &mut Source, start: u64, frame: &Frame) -> Result<Option<Self>, ProbeError> {
        let xing = source.up_to(start + 4 + frame.side_info, 16)?;
        let vbri = source.up_to(start + 36, 18)?;
        Ok(Self::xing(&xing).or_else(|| Self::vbri(&vbri)))
    }

    fn xing(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let magic = fields.array::<4>()?;
        if &magic != b"Xing" && &magic != b"Info" {
            return None;
        }
        let flags = fields.u32()?;
        let frames = fields
            .u32()
            .filter(|&frames| flags & 1 != 0 && frames > 0)?;
        let bytes = fields.u32().filter(|_| flags & 2 != 0).unwrap_or(0);
        Some(Self {
            frames,
            bytes,
            is_constant: &magic == b"Info",
        })
    }

    fn vbri(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if &fields.array::<4>()? != b"VBRI" {
            return None;
        }
        fields.skip(6)?;
        let bytes = fields.u32()?;
        let frames = fields.u32().filter(|&frames| frames > 0)?;
        Some(Self {
            frames,
            bytes,
            is_constant: false,
        })
    }
}
