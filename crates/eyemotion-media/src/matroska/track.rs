//! A TrackEntry of Matroska (RFC 9559, 5.1.4).

use super::codec;
use super::ebml::Element;
use crate::codec_config;
use crate::color;
use crate::error::ProbeError;
use crate::probe::{Color, Track, TrackKind};
use crate::rational::Rational;
use crate::source::Source;

/// A track with what is needed to find its blocks and to time its frames.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) track: Track,
    /// Nanoseconds of one frame, where the writer says that it is constant.
    pub(super) frame_ns: Option<u64>,
}

/// The parts of an entry that only make sense together.
#[derive(Default)]
struct Parts {
    private: Vec<u8>,
    language: Option<String>,
    bcp47: Option<String>,
    bits: u32,
    display: (u64, u64),
    display_unit: u64,
}

impl Entry {
    /// Reads a TrackEntry.
    pub(super) fn read(source: &mut Source, entry: &Element) -> Result<Self, ProbeError> {
        let mut this = Self::default();
        let mut parts = Parts::default();
        let mut codec_id = String::new();
        let mut fields = entry.children();
        while let Some(field) = fields.next(source)? {
            match field.id {
                0xd7 => this.number = field.unsigned(source)?,
                0x83 => this.track.kind = kind(field.unsigned(source)?),
                0x0023_e383 => this.frame_ns = Some(field.unsigned(source)?).filter(|&ns| ns > 0),
                0x0022_b59c => parts.language = Some(field.text(source)?),
                0x0022_b59d => parts.bcp47 = Some(field.text(source)?),
                0x86 => codec_id = field.text(source)?,
                0x63a2 => parts.private = field.binary(source)?,
                0xe0 => this.read_video(source, &field, &mut parts)?,
                0xe1 => this.read_audio(source, &field, &mut parts)?,
                _ => {}
            }
        }
        this.track.codec = codec::name(&codec_id, &parts.private, parts.bits).to_owned();
        this.track.codec_tag = Some(codec_id);
        this.complete(parts);
        Ok(this)
    }

    fn read_video(
        &mut self,
        source: &mut Source,
        video: &Element,
        parts: &mut Parts,
    ) -> Result<(), ProbeError> {
        let mut fields = video.children();
        while let Some(field) = fields.next(source)? {
            match field.id {
                0xb0 => self.track.width = size(field.unsigned(source)?),
                0xba => self.track.height = size(field.unsigned(source)?),
                0x54b0 => parts.display.0 = field.unsigned(source)?,
                0x54ba => parts.display.1 = field.unsigned(source)?,
                0x54b2 => parts.display_unit = field.unsigned(source)?,
                0x55b0 => self.track.color = read_color(source, &field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_audio(
        &mut self,
        source: &mut Source,
        audio: &Element,
        parts: &mut Parts,
    ) -> Result<(), ProbeError> {
        let (mut rate, mut output_rate) = (8000.0, None);
        self.track.channels = Some(1);
        let mut fields = audio.children();
        while let Some(field) = fields.next(source)? {
            match field.id {
                0xb5 => rate = field.float(source)?,
                0x78b5 => output_rate = Some(field.float(source)?),
                0x9f => self.track.channels = size(field.unsigned(source)?),
                0x6264 => parts.bits = u32::try_from(field.unsigned(source)?).unwrap_or(0),
                _ => {}
            }
        }
        self.track.sample_rate = hertz(output_rate.unwrap_or(rate));
        Ok(())
    }

    /// Works out what depends on several fields.
    fn complete(&mut self, parts: Parts) {
        let track = &mut self.track;
        // English is the registered default for a track that says nothing.
        let language = parts
            .language
            .or(parts.bcp47)
            .unwrap_or_else(|| "eng".into());
        track.language = Some(language).filter(|name| !name.is_empty() && name != "und");
        match track.codec.as_str() {
            "h264" => track.profile = codec_config::avc_profile(&parts.private).map(str::to_owned),
            "hevc" => track.profile = codec_config::hevc_profile(&parts.private).map(str::to_owned),
            "opus" => track.sample_rate = Some(48_000),
            "aac" => {
                if let Some(aac) = codec_config::aac(&parts.private) {
                    track.profile = aac.profile.map(str::to_owned);
                    track.sample_rate = Some(aac.sample_rate);
                    track.channels = aac.channels.or(track.channels);
                }
            }
            _ => {}
        }
        if track.codec.starts_with("pcm_")
            && let (Some(rate), Some(channels)) = (track.sample_rate, track.channels)
        {
            let bit_rate = u64::from(rate).saturating_mul(u64::from(channels));
            track.bit_rate = Some(bit_rate.saturating_mul(u64::from(parts.bits)));
        }
        // Display sizes are pixels or, in unit 3, a ratio; either way they tell a pixel's shape.
        if let (Some(width), Some(height)) = (track.width, track.height)
            && matches!(parts.display_unit, 0 | 3)
            && parts.display.0 > 0
            && parts.display.1 > 0
        {
            let across = parts.display.0.saturating_mul(u64::from(height));
            let down = parts.display.1.saturating_mul(u64::from(width));
            track.sample_aspect_ratio =
                Rational::nearest(across, down).filter(|ratio| ratio.num() != ratio.den());
        }
    }
}

fn kind(number: u64) -> TrackKind {
    match number {
        1 => TrackKind::Video,
        2 => TrackKind::Audio,
        17 => TrackKind::Subtitle,
        _ => TrackKind::Data,
    }
}

fn size(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|&number| number > 0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and what is no plausible rate is left out"
)]
fn hertz(rate: f64) -> Option<u32> {
    Some(rate.round() as u32).filter(|rate| (1..=1_000_000).contains(rate))
}

fn read_color(source: &mut Source, element: &Element) -> Result<Option<Color>, ProbeError> {
    let mut color = Color::default();
    let mut fields = element.children();
    while let Some(field) = fields.next(source)? {
        match field.id {
            0x55b1 => color.matrix = color::matrix(field.unsigned(source)?),
            0x55ba => color.transfer = color::transfer(field.unsigned(source)?),
            0x55bb => color.primaries = color::primaries(field.unsigned(source)?),
            0x55b9 => {
                color.range = match field.unsigned(source)? {
                    1 => Some("tv".into()),
                    2 => Some("pc".into()),
                    _ => None,
                }
            }
            _ => {}
        }
    }
    Ok(Some(color).filter(|color| *color != Color::default()))
}
