//! AIFF and AIFF-C (Apple, Audio Interchange File Format 1.3 and AIFF-C draft).

use super::chunks::{Chunks, Endian};
use crate::error::ProbeError;
use crate::fields::Fields;
use crate::probe::Probe;
use crate::source::Source;

/// Reads the common chunk, which has it all.
pub(crate) fn probe(source: &mut Source) -> Result<Probe, ProbeError> {
    let mut chunks = Chunks::of_file(Endian::Big);
    while let Some(chunk) = chunks.next(source)? {
        if chunk.id == *b"COMM" {
            let content = source.up_to(chunk.start, 22)?;
            let size = usize::try_from(chunk.declared).unwrap_or(usize::MAX);
            let content = content.get(..size.min(content.len())).unwrap_or_default();
            return read_common(content)
                .ok_or(ProbeError::Malformed("the common chunk is not valid"));
        }
    }
    Err(ProbeError::Malformed("there is no common chunk"))
}

fn read_common(content: &[u8]) -> Option<Probe> {
    let mut fields = Fields(content);
    let channels = u32::from(fields.u16()?);
    let samples = u64::from(fields.u32()?);
    let bits = u32::from(fields.u16()?);
    let sample_rate = extended(fields.array()?).filter(|&rate| rate > 0)?;
    let compression = fields.array::<4>().unwrap_or(*b"NONE");
    // A sample takes whole bytes.
    let (codec, bits) = codec(compression, bits.next_multiple_of(8));
    let mut probe = super::of_one_track("aiff", codec, sample_rate, channels, Some(samples));
    if let Some(bits) = bits {
        for track in &mut probe.tracks {
            let rate = u64::from(sample_rate) * u64::from(channels) * u64::from(bits);
            track.bit_rate = Some(rate).filter(|&rate| rate > 0);
        }
    }
    Some(probe)
}

/// Codec of a compression type and, where samples stand as they are, their bits.
fn codec(compression: [u8; 4], bits: u32) -> (&'static str, Option<u32>) {
    let plain = |little: bool| match (bits, little) {
        (8, _) => "pcm_s8",
        (16, true) => "pcm_s16le",
        (16, false) => "pcm_s16be",
        (24, true) => "pcm_s24le",
        (24, false) => "pcm_s24be",
        (32, true) => "pcm_s32le",
        (32, false) => "pcm_s32be",
        _ => "unknown",
    };
    match &compression {
        b"NONE" | b"twos" | [0, 0, 0, 0] => (plain(false), Some(bits)),
        b"sowt" => (plain(true), Some(bits)),
        b"in24" => ("pcm_s24be", Some(24)),
        b"in32" => ("pcm_s32be", Some(32)),
        b"fl32" | b"FL32" => ("pcm_f32be", Some(32)),
        b"fl64" | b"FL64" => ("pcm_f64be", Some(64)),
        b"raw " => ("pcm_u8", Some(8)),
        b"ulaw" | b"ULAW" => ("pcm_mulaw", Some(8)),
        b"alaw" | b"ALAW" => ("pcm_alaw", Some(8)),
        b"ima4" => ("adpcm_ima_qt", None),
        _ => ("unknown", None),
    }
}

/// A whole number as an extended float of 80 bits (sign, exponent of 15 bits, mantissa with its leading one).
fn extended([e0, e1, mantissa @ ..]: [u8; 10]) -> Option<u32> {
    let exponent = u32::from(u16::from_be_bytes([e0, e1])).checked_sub(16_383)?;
    let shift = 63_u32.checked_sub(exponent)?;
    u32::try_from(u64::from_be_bytes(mantissa) >> shift).ok()
}

#[cfg(test)]
mod tests {
    use super::extended;

    #[test]
    fn sample_rates_of_eighty_bits() {
        assert_eq!(
            extended([0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]),
            Some(48_000)
        );
        assert_eq!(
            extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]),
            Some(44_100)
        );
        assert_eq!(extended([0xff; 10]), None);
        assert_eq!(extended([0; 10]), None);
    }
}
