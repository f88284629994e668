//! Codec configuration records, as MP4 boxes and Matroska's CodecPrivate hold them.

use crate::audio::mpeg::adts_sample_rate;
use crate::fields::Fields;

/// An MPEG-4 AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AacConfig {
    pub(crate) profile: Option<&'static str>,
    /// Of the sound that comes out, spectral band replication applied where it is signalled.
    pub(crate) sample_rate: u32,
    pub(crate) channels: Option<u32>,
}

/// Reads the front of an AudioSpecificConfig.
pub(crate) fn aac(config: &[u8]) -> Option<AacConfig> {
    let mut bits = Bits {
        bytes: config,
        at: 0,
    };
    let object_type = bits.object_type()?;
    let base_rate = bits.sample_rate()?;
    let channels = bits.take(4)?;
    let (profile, sample_rate) = match object_type {
        1 => (Some("Main"), base_rate),
        2 => (Some("LC"), base_rate),
        3 => (Some("SSR"), base_rate),
        4 => (Some("LTP"), base_rate),
        5 => (Some("HE-AAC"), bits.sample_rate()?),
        29 => (Some("HE-AACv2"), bits.sample_rate()?),
        23 => (Some("LD"), base_rate),
        39 => (Some("ELD"), base_rate),
        _ => (None, base_rate),
    };
    let channels = match channels {
        0 => None,
        // Parametric stereo makes two of one.
        1 if object_type == 29 => Some(2),
        7 => Some(8),
        n => Some(n),
    };
    Some(AacConfig {
        profile,
        sample_rate,
        channels,
    })
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |value, _| {
            let byte = self.bytes.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            short => Some(short),
        }
    }

    fn sample_rate(&mut self) -> Option<u32> {
        match self.take(4)? {
            15 => self.take(24),
            index => adts_sample_rate(u8::try_from(index).ok()?),
        }
    }
}

/// Profile of an AVC decoder configuration (ISO/IEC 14496-15, 5.3.3; ITU-T H.264 annex A).
pub(crate) fn avc_profile(record: &[u8]) -> Option<&'static str> {
    let [_, profile, constraints, ..] = record else {
        return None;
    };
    let set = |n: u8| constraints >> (7 - n) & 1 == 1;
    Some(match profile {
        66 if set(1) => "Constrained Baseline",
        66 => "Baseline",
        77 => "Main",
        88 => "Extended",
        100 => "High",
        110 if set(3) => "High 10 Intra",
        110 => "High 10",
        122 if set(3) => "High 4:2:2 Intra",
        122 => "High 4:2:2",
        244 if set(3) => "High 4:4:4 Intra",
        244 => "High 4:4:4 Predictive",
        44 => "CAVLC 4:4:4",
        118 => "Multiview High",
        128 => "Stereo High",
        _ => return None,
    })
}

/// Profile of an HEVC decoder configuration (ISO/IEC 14496-15, 8.3.3; ITU-T H.265 annex A).
pub(crate) fn hevc_profile(record: &[u8]) -> Option<&'static str> {
    Some(match record.get(1)? & 0x1f {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Rext",
        _ => return None,
    })
}

/// FLAC's STREAMINFO (RFC 9639, 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlacStreamInfo {
    pub(crate) sample_rate: u32,
    pub(crate) channels: u32,
    /// Samples of each channel; `None` when the writer did not know.
    pub(crate) samples: Option<u64>,
}

/// Reads the 34 bytes behind STREAMINFO's block header.
pub(crate) fn flac_stream_info(block: &[u8]) -> Option<FlacStreamInfo> {
    let mut fields = Fields(block);
    fields.skip(10)?;
    let packed = fields.u64()?;
    let sample_rate = u32::try_from(packed >> 44).ok().filter(|&rate| rate > 0)?;
    let channels = u32::try_from(packed >> 41 & 7).ok()? + 1;
    let samples = Some(packed & 0x000f_ffff_ffff).filter(|&samples| samples > 0);
    Some(FlacStreamInfo {
        sample_rate,
        channels,
        samples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aac_configurations_tell_profile_rate_and_channels() {
        let lc = AacConfig {
            profile: Some("LC"),
            sample_rate: 48_000,
            channels: Some(2),
        };
        assert_eq!(aac(&[0x11, 0x90]), Some(lc));
        let he = AacConfig {
            profile: Some("HE-AAC"),
            sample_rate: 48_000,
            channels: Some(2),
        };
        assert_eq!(aac(&[0x2b, 0x11, 0x88, 0x00]), Some(he));
        assert_eq!(aac(&[0x11]), None);
        assert_eq!(aac(&[]), None);
    }

    #[test]
    fn profiles_are_named_as_ffprobe_names_them() {
        assert_eq!(
            avc_profile(&[1, 66, 0xc0, 30]),
            Some("Constrained Baseline")
        );
        assert_eq!(avc_profile(&[1, 122, 0x10, 41]), Some("High 4:2:2 Intra"));
        assert_eq!(avc_profile(&[1, 66]), None);
        assert_eq!(hevc_profile(&[1, 0x22]), Some("Main 10"));
    }
}
