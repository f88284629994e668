//! What is inside a media file: its tracks and their properties.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ProbeError;
use crate::media_type::{Format, MediaType};
use crate::rational::Rational;
use crate::source::Source;
use crate::{audio, image, isobmff, matroska};

/// A file's structure, in the terms and values of ffprobe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Short name of the container: `mp4`, `mov`, `matroska`, `webm`, `wav`, `jpeg` ...
    pub container: String,
    /// Length in microseconds; `None` for still pictures and where the file does not tell.
    pub duration_us: Option<u64>,
    /// Bits a second of the whole file.
    pub bit_rate: Option<u64>,
    /// Every track, in the file's order.
    pub tracks: Vec<Track>,
    /// SMPTE timecode of the first frame, `01:00:00:00`, or `01:00:00;00` in drop-frame counting.
    pub start_timecode: Option<String>,
}

impl Probe {
    /// The first track of a kind.
    pub fn first(&self, kind: TrackKind) -> Option<&Track> {
        self.tracks.iter().find(|track| track.kind == kind)
    }
}

/// What a track carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Pictures; also the one picture of an image file.
    Video,
    /// Sound.
    Audio,
    /// Subtitles or captions.
    Subtitle,
    /// A QuickTime timecode track (which ffprobe counts as data).
    Timecode,
    /// Anything else.
    #[default]
    Data,
}

/// One track. What does not apply to its kind, or is not told by the file, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    /// Position in the file, from 0.
    pub index: u32,
    /// What it carries.
    pub kind: TrackKind,
    /// ffprobe's `codec_name`: `h264`, `prores`, `aac`, `pcm_s24le` ...; `unknown` when not recognised.
    pub codec: String,
    /// ffprobe's `profile`: `High`, `Main 10`, `HQ`, `LC` ...
    pub profile: Option<String>,
    /// Four-character code of MP4 and MOV, or Matroska's codec id.
    pub codec_tag: Option<String>,
    /// ISO 639-2 code as the file has it; `None` when undetermined.
    pub language: Option<String>,
    /// Width in pixels before rotation.
    pub width: Option<u32>,
    /// Height in pixels before rotation.
    pub height: Option<u32>,
    /// Degrees clockwise by which a player turns the picture: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Shape of a pixel, width to height, where it is not square.
    pub sample_aspect_ratio: Option<Rational>,
    /// Frames a second: that of the commonest frame when the rate is variable.
    pub frame_rate: Option<Rational>,
    /// Frames a second over the whole track.
    pub average_frame_rate: Option<Rational>,
    /// Whether frames last differently long.
    pub is_vfr: bool,
    /// Length in microseconds.
    pub duration_us: Option<u64>,
    /// Bits a second.
    pub bit_rate: Option<u64>,
    /// Samples a second of sound.
    pub sample_rate: Option<u32>,
    /// Channels of sound.
    pub channels: Option<u32>,
    /// What the picture's numbers mean as colours, where the container says so.
    pub color: Option<Color>,
}

/// Colour description in ffprobe's names (the code points of ISO/IEC 23091-2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Color {
    /// `bt709`, `bt2020` ...
    pub primaries: Option<String>,
    /// `bt709`, `smpte2084` (PQ), `arib-std-b67` (HLG) ...
    pub transfer: Option<String>,
    /// `bt709`, `bt2020nc` ...
    pub matrix: Option<String>,
    /// `tv` (limited) or `pc` (full).
    pub range: Option<String>,
}

/// Reads the structure of a file whose type [`sniff`](crate::sniff) found.
///
/// Reads at most 64 MiB of headers and tables wherever in the file they are, never the media itself, and never
/// allocates what a length field demands. It blocks: in an async program call it on a blocking thread.
///
/// # Errors
/// [`ProbeError::Unsupported`] for AVI, Windows Media, FLV and MXF; the others as their names say.
pub fn probe(path: impl AsRef<Path>, media_type: &MediaType) -> Result<Probe, ProbeError> {
    let path = path.as_ref();
    if media_type.kind == crate::MediaKind::Image {
        return image::probe(path, media_type.format);
    }
    let mut source = Source::open(path)?;
    let mut probe = match media_type.format {
        Format::Mp4 | Format::QuickTime | Format::M4a => isobmff::probe(&mut source)?,
        Format::Matroska | Format::WebM => matroska::probe(&mut source)?,
        Format::MpegAudio | Format::Adts => audio::frames::probe(&mut source)?,
        Format::Wav => audio::wav::probe(&mut source)?,
        Format::Aiff => audio::aiff::probe(&mut source)?,
        Format::Flac => audio::flac::probe(&mut source)?,
        Format::Ogg => audio::ogg::probe(&mut source)?,
        Format::Json => Probe {
            container: "json".into(),
            ..Probe::default()
        },
        _ => return Err(ProbeError::Unsupported(media_type.mime)),
    };
    probe.bit_rate = probe
        .duration_us
        .and_then(|us| bits_per_second(source.len(), us));
    for (index, track) in (0..).zip(&mut probe.tracks) {
        track.index = index;
    }
    Ok(probe)
}

/// `value` ticks of `timescale` a second in microseconds, rounded to the nearest.
pub(crate) fn micros(value: u64, timescale: u64) -> Option<u64> {
    let scaled = u128::from(value) * 1_000_000 + u128::from(timescale / 2);
    u64::try_from(scaled.checked_div(u128::from(timescale))?).ok()
}

/// Bit rate of `bytes` over `duration_us` microseconds, rounded down.
pub(crate) fn bits_per_second(bytes: u64, duration_us: u64) -> Option<u64> {
    let rate = (u128::from(bytes) * 8_000_000).checked_div(u128::from(duration_us))?;
    u64::try_from(rate).ok().filter(|&rate| rate > 0)
}
