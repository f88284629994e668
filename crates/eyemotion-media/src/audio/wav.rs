//! WAVE (RFC 2361 for its format tags), with the 64-bit sizes of RF64 and BW64 (EBU Tech 3306).

use super::chunks::{Chunks, Endian};
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::Probe;
use crate::source::Source;

/// The `fmt ` chunk.
struct WaveFormat {
    tag: u16,
    channels: u32,
    sample_rate: u32,
    bytes_per_second: u32,
    block: u64,
    bits: u32,
}

impl WaveFormat {
    fn read(content: &[u8]) -> Option<Self> {
        let mut fields = Fields(content);
        let tag = fields.u16_le()?;
        let channels = u32::from(fields.u16_le()?);
        let sample_rate = fields.u32_le().filter(|&rate| rate > 0)?;
        let bytes_per_second = fields.u32_le()?;
        let block = u64::from(fields.u16_le()?);
        let bits = fields.u16_le().map_or(0, u32::from);
        // The extensible form has the true tag at the front of its subformat.
        fields.skip(8);
        let tag = if tag == 0xfffe {
            fields.u16_le().unwrap_or(tag)
        } else {
            tag
        };
        Some(Self {
            tag,
            channels,
            sample_rate,
            bytes_per_second,
            block,
            bits,
        })
    }
}

/// Reads a WAVE file's format and length.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let (mut format, mut long_size, mut sample_count) = (None, None, None);
    let mut chunks = Chunks::of_file(Endian::Little);
    let data = loop {
        let Some(chunk) = chunks.next(source)? else {
            break None;
        };
        match &chunk.id {
            b"fmt " => format = WaveFormat::read(&source.up_to(chunk.start, 40)?),
            b"ds64" => {
                let content = source.up_to(chunk.start, 16)?;
                let mut fields = Fields(&content);
                fields.skip(8);
                long_size = fields.u64_le();
            }
            b"fact" => sample_count = source.array(chunk.start)?.map(u32::from_le_bytes),
            b"data" => break Some(chunk),
            _ => {}
        }
    };
    let format = format.ok_or(ProbeError::Malformed("there is no format chunk"))?;
    let data = data.ok_or(ProbeError::Malformed("there is no data chunk"))?;
    let present = source.len().saturating_sub(data.start);
    let size = match data.declared {
        // Not known when the header was written, or in a chunk of its own.
        0 | u32::MAX => long_size.unwrap_or(present),
        size => u64::from(size),
    };
    let size = size.min(present);
    let codec = codec(format.tag, format.bits).unwrap_or("unknown");
    let is_plain = codec.starts_with("pcm_");
    let samples = if is_plain {
        size.checked_div(format.block)
    } else {
        sample_count
            .map(u64::from)
            .filter(|&samples| samples > 0)
            .or_else(|| {
                let scaled = size.checked_mul(u64::from(format.sample_rate))?;
                scaled.checked_div(u64::from(format.bytes_per_second))
            })
    };
    let mut probe = super::of_one_track("wav", codec, format.sample_rate, format.channels, samples);
    for track in &mut probe.tracks {
        let plain = u64::from(format.sample_rate) * format.block * 8;
        let rate = if is_plain {
            plain
        } else {
            u64::from(format.bytes_per_second) * 8
        };
        track.bit_rate = Some(rate).filter(|&rate| rate > 0);
    }
    Ok(probe)
}

/// The codec of a format tag; `bits` are those of a sample.
pub(crate) fn codec(tag: u16, bits: u32) -> Option<&'static str> {
    Some(match (tag, bits) {
        (1, 8) => "pcm_u8",
        (1, 16) => "pcm_s16le",
        (1, 24) => "pcm_s24le",
        (1, 32) => "pcm_s32le",
        (1, 64) => "pcm_s64le",
        (3, 32) => "pcm_f32le",
        (3, 64) => "pcm_f64le",
        (0x0002, _) => "adpcm_ms",
        (0x0006, _) => "pcm_alaw",
        (0x0007, _) => "pcm_mulaw",
        (0x0011, _) => "adpcm_ima_wav",
        (0x0050, _) => "mp2",
        (0x0055, _) => "mp3",
        (0x00ff | 0x1600 | 0x1610, _) => "aac",
        (0x2000, _) => "ac3",
        (0x2001, _) => "dts",
        (0x0161, _) => "wmav2",
        _ => return None,
    })
}
